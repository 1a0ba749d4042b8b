"""The application: both batch APIs, and `/_provider` to control the provider."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.exceptions import HTTPException

from local.provider.errors import ApiError
from local.provider.http import control_routes, file_batches_routes, files_routes, messages_routes

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from local.provider.state import Provider


def make_app(provider: Provider) -> Starlette:
    """Make the application of a provider."""
    modules = (messages_routes, files_routes, file_batches_routes, control_routes)
    routes = [route for module in modules for route in module.routes(provider)]
    return Starlette(routes=routes, exception_handlers={HTTPException: _http_error})


async def _http_error(request: Request, error: Exception) -> Response:
    """Answer an unknown path or method as the API of that path does."""
    if not isinstance(error, HTTPException):
        raise error
    api_error = ApiError(error.status_code, error.detail)
    is_files = request.url.path.startswith((files_routes.FILES, file_batches_routes.BATCHES))
    return api_error.files_response() if is_files else api_error.messages_response()
