"""The application: the dialects the provider speaks, and `/_provider` for those who direct it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import msgspec
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from local.provider.errors import ApiError
from local.provider.http import file_batches_routes, files_routes, messages_routes
from local.provider.state import Provider, settings_of

if TYPE_CHECKING:
    from starlette.requests import Request

    from local.provider.settings import Settings


def make_app(settings: Settings) -> Starlette:
    """Make a provider that begins with these settings."""
    provider = Provider(settings)
    routes = [
        *messages_routes.routes(provider),
        *files_routes.routes(provider),
        *file_batches_routes.routes(provider),
        *_control(provider),
    ]
    return Starlette(routes=routes, exception_handlers={HTTPException: _unknown})


def _control(provider: Provider) -> list[Route]:
    async def stats(_: Request) -> Response:
        return JSONResponse(provider.world.stats())

    async def change(request: Request) -> Response:
        try:
            provider.world.configure(json.loads(await request.body()))
        except (msgspec.ValidationError, ValueError, TypeError) as error:
            return JSONResponse({"error": str(error)}, 400)
        return JSONResponse(settings_of(provider.world))

    async def show(_: Request) -> Response:
        return JSONResponse(settings_of(provider.world))

    async def reset(_: Request) -> Response:
        provider.reset()
        return JSONResponse({})

    return [
        Route("/_provider/stats", stats, methods=["GET"]),
        Route("/_provider/settings", show, methods=["GET"]),
        Route("/_provider/settings", change, methods=["PUT"]),
        Route("/_provider/reset", reset, methods=["POST"]),
    ]


async def _unknown(request: Request, error: Exception) -> Response:
    """Answer a path or method nobody serves the way the dialect of the path does."""
    if not isinstance(error, HTTPException):
        raise error
    refusal = ApiError(error.status_code, error.detail)
    of_files = request.url.path.startswith((files_routes.FILES, file_batches_routes.BATCHES))
    return refusal.file_response() if of_files else refusal.response()
