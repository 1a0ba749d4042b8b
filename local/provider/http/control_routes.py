"""The calls under `/_provider`, with which tests and people control the provider; `control.py` is their client."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import msgspec
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

if TYPE_CHECKING:
    from starlette.requests import Request

    from local.provider.state import Provider


def routes(provider: Provider) -> list[Route]:
    """Return the routes under `/_provider`."""

    async def stats(_: Request) -> Response:
        return JSONResponse(provider.state.stats())

    async def change(request: Request) -> Response:
        try:
            provider.state.configure(json.loads(await request.body()))
        except (msgspec.ValidationError, ValueError, TypeError) as error:
            return JSONResponse({"error": str(error)}, 400)
        return _settings(provider)

    async def show(_: Request) -> Response:
        return _settings(provider)

    async def reset(_: Request) -> Response:
        provider.reset()
        return JSONResponse({})

    return [
        Route("/_provider/stats", stats, methods=["GET"]),
        Route("/_provider/settings", show, methods=["GET"]),
        Route("/_provider/settings", change, methods=["PUT"]),
        Route("/_provider/reset", reset, methods=["POST"]),
    ]


def _settings(provider: Provider) -> Response:
    return JSONResponse(msgspec.to_builtins(provider.state.settings, str_keys=True))
