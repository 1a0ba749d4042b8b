"""What the provider says when it refuses: one exception, one body shape, one table of kinds."""

from __future__ import annotations

import secrets
from http import HTTPStatus
from typing import TYPE_CHECKING

from starlette.responses import JSONResponse

if TYPE_CHECKING:
    from collections.abc import Mapping

_INVALID = "invalid_request_error"
KIND_OF_STATUS = {
    400: _INVALID,
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    405: _INVALID,
    409: "conflict_error",
    413: "request_too_large",
    429: "rate_limit_error",
    500: "api_error",
    504: "timeout_error",
    529: "overloaded_error",
}
"""HTTP status -> `error.type`; any other status speaks as an `api_error`."""
FILE_REQUEST_ID = "x-request-id"
"""Header of the request's id in the dialect of the files."""
FILE_KINDS = {
    401: (_INVALID, "invalid_api_key"),
    429: ("rate_limit_error", "rate_limit_exceeded"),
}
"""HTTP status -> `error.type` and `error.code` in the dialect of the files; any other has no code."""
SERVER_ERRORS = 500


class ApiError(Exception):
    """A refusal of the provider: a status, a kind, a message, at times an `error_code` and headers."""

    param = ""  # the parameter that is at fault

    def __init__(
        self,
        status: int,
        message: str,
        *,
        kind: str | None = None,
        code: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        """Take the kind from the status unless one is given."""
        super().__init__(message)
        self.status = status
        self.message = message
        self.kind = kind or KIND_OF_STATUS.get(status, "api_error")
        self.told_kind = kind
        self.code = code
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
        """Give the answer in the dialect of the files."""
        kind, code = FILE_KINDS.get(self.status, ("server_error" if self.status >= SERVER_ERRORS else _INVALID, None))
        error = {
            "message": self.message,
            "type": self.told_kind or kind,
            "param": self.param or None,
            "code": self.code or code,
        }
        return JSONResponse({"error": error}, self.status, {FILE_REQUEST_ID: new_request_id(), **self.headers})

    def _error(self) -> dict[str, object]:
        error: dict[str, object] = {"type": self.kind, "message": self.message}
        if self.code is not None:
            error["details"] = {"error_code": self.code}
        return error


class ParamError(ApiError):
    """A refusal because of one parameter, which the dialect of the files names."""

    def __init__(self, status: int, message: str, param: str, *, code: str | None = None) -> None:
        """Name the parameter."""
        super().__init__(status, message, code=code)
        self.param = param


def new_request_id() -> str:
    """Make the id a person quotes to the provider's support."""
    return f"req_011{secrets.token_hex(10)}"
