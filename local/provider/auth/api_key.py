"""Authentication by API key."""

from __future__ import annotations

from typing import TYPE_CHECKING

from local.provider.errors import ApiError

if TYPE_CHECKING:
    from starlette.requests import Request


def check_api_key(request: Request, api_key: str | None) -> None:
    """Check the key of a call, sent as `x-api-key` or as a bearer token; None accepts any. Raises `ApiError` 401."""
    headers = request.headers
    bearer = headers.get("authorization", "").removeprefix("Bearer ").strip()
    key = headers.get("x-api-key") or bearer
    if not key:
        raise ApiError(401, "x-api-key header is required")
    if api_key not in (None, key):
        raise ApiError(401, "invalid x-api-key")
