"""What the provider says when it refuses: one exception, one body shape, one table of kinds."""

from __future__ import annotations

import secrets
from http import HTTPStatus
from typing import TYPE_CHECKING

from starlette.responses import JSONResponse

if TYPE_CHECKING:
    from collections.abc import Mapping

KIND_OF_STATUS = {
    400: "invalid_request_error",
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    405: "invalid_request_error",
    409: "conflict_error",
    413: "request_too_large",
    429: "rate_limit_error",
    500: "api_error",
    504: "timeout_error",
    529: "overloaded_error",
}
"""HTTP status -> `error.type`; any other status speaks as an `api_error`."""


class ApiError(Exception):
    """A refusal of the provider: a status, a kind, a message, at times an `error_code` and headers."""

    def __init__(  # noqa: PLR0913 - one for each thing that an error may say
        self,
        status: int,
        message: str,
        *,
        kind: str | None = None,
        code: str | None = None,
        param: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        """Take the kind from the status unless one is given."""
        super().__init__(message)
        self.status = status
        self.message = message
        self.kind = kind or KIND_OF_STATUS.get(status, "api_error")
        self.code = code
        self.param = param
        self.headers = dict(headers or {})

    def response(self) -> JSONResponse:
        """Give the answer for the wire; a 413 has the odd body of the edge: no `type`, no `request_id`."""
        if self.status == HTTPStatus.CONTENT_TOO_LARGE:
            odd = {"error": {"type": self.kind, "message": self.message}}
            return JSONResponse(odd, self.status, self.headers)
        request_id = new_request_id()
        body = {"type": "error", "error": self._error(), "request_id": request_id}
        return JSONResponse(body, self.status, {"request-id": request_id, **self.headers})

    def file_response(self) -> JSONResponse:
        """Give the answer as the file dialect words it."""
        error = {"message": self.message, "type": self.kind, "param": self.param, "code": self.code}
        return JSONResponse({"error": error}, self.status, {"x-request-id": new_request_id(), **self.headers})

    def _error(self) -> dict[str, object]:
        error: dict[str, object] = {"type": self.kind, "message": self.message}
        if self.code is not None:
            error["details"] = {"error_code": self.code}
        return error


def new_request_id() -> str:
    """Make the id a person quotes to the provider's support."""
    return f"req_011{secrets.token_hex(10)}"
