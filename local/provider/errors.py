"""The errors the provider answers with: one exception, and the body of each API."""

from __future__ import annotations

import secrets
from http import HTTPStatus
from typing import TYPE_CHECKING

from starlette.responses import JSONResponse

if TYPE_CHECKING:
    from collections.abc import Mapping

_INVALID = "invalid_request_error"
TYPE_OF_STATUS = {
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
"""HTTP status -> `error.type`; any other status is an `api_error`."""
FILES_REQUEST_ID = "x-request-id"
"""Header with the request id in the file batch API."""
FILES_ERRORS = {
    401: (_INVALID, "invalid_api_key"),
    429: ("rate_limit_error", "rate_limit_exceeded"),
}
"""HTTP status -> `error.type` and `error.code` in the file batch API; any other status has no code."""
SERVER_ERRORS = 500


class ApiError(Exception):
    """An error answer: status, type, message, sometimes an error code and headers."""

    param = ""
    """The parameter that is wrong; empty if none is."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        error_type: str | None = None,
        code: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        """Derive the type from the status unless one is given."""
        super().__init__(message)
        self.status = status
        self.message = message
        self.error_type = error_type or TYPE_OF_STATUS.get(status, "api_error")
        self.given_type = error_type
        self.code = code
        self.headers = dict(headers or {})

    def messages_response(self) -> JSONResponse:
        """Return the answer of the Message Batches API; a 413 has no top-level `type` and no `request_id`."""
        if self.status == HTTPStatus.CONTENT_TOO_LARGE:
            body: dict[str, object] = {"error": {"type": self.error_type, "message": self.message}}
            return JSONResponse(body, self.status, self.headers)
        request_id = new_request_id()
        body = {"type": "error", "error": self._error(), "request_id": request_id}
        return JSONResponse(body, self.status, {"request-id": request_id, **self.headers})

    def files_response(self) -> JSONResponse:
        """Return the answer of the file batch API."""
        default = ("server_error" if self.status >= SERVER_ERRORS else _INVALID, None)
        error_type, code = FILES_ERRORS.get(self.status, default)
        error = {
            "message": self.message,
            "type": self.given_type or error_type,
            "param": self.param or None,
            "code": self.code or code,
        }
        return JSONResponse({"error": error}, self.status, {FILES_REQUEST_ID: new_request_id(), **self.headers})

    def _error(self) -> dict[str, object]:
        error: dict[str, object] = {"type": self.error_type, "message": self.message}
        if self.code is not None:
            error["details"] = {"error_code": self.code}
        return error


class ParamError(ApiError):
    """An error that names the wrong parameter, which only the file batch API shows."""

    def __init__(self, status: int, message: str, param: str, *, code: str | None = None) -> None:
        """Name the parameter."""
        super().__init__(status, message, code=code)
        self.param = param


def new_request_id() -> str:
    """Return a new random request id."""
    return f"req_011{secrets.token_hex(10)}"
