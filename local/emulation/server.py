"""The HTTP server: uvicorn with a parser in C, instead of Hypercorn, whose parser is written in Python.

A third of the time of a request to MiniStack was spent in Hypercorn, and a run makes hundreds.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import hypercorn.asyncio
import uvicorn

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hypercorn.config import Config


class _Server(uvicorn.Server):
    """Leaves the signals to `aws_lambda.workers`, which ends the processes of functions first."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Install no handlers."""
        yield


def patch() -> None:
    """Apply the patch."""
    hypercorn.asyncio.serve = _serve


async def _serve(app: Any, config: Config) -> None:  # noqa: ANN401 - MiniStack's own
    """Serve what Hypercorn would, at the first of its addresses."""
    host, port = config.bind[0].rsplit(":", 1)
    settings = uvicorn.Config(
        app,
        host=host,
        port=int(port),
        http="httptools",
        ws="none",
        loop="asyncio",
        lifespan="on",
        ssl_certfile=config.certfile,
        ssl_keyfile=config.keyfile,
        timeout_keep_alive=int(config.keep_alive_timeout),
        log_config=None,
        access_log=False,
        server_header=False,
        date_header=False,
    )
    await _Server(settings).serve()
