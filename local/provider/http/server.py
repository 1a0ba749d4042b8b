"""The server on the loopback interface, in a process of its own (`python -m local.provider`) or in a thread."""

from __future__ import annotations

import socket
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

import uvicorn

from local.provider.control import Control
from local.provider.http.app import make_app
from local.provider.http.connection import HttpProtocol
from local.provider.settings import Settings
from local.provider.state import Provider

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

HOST = "127.0.0.1"
IDLE_SECONDS = 3600  # longer than any client keeps a connection: closing it first would look like a lost answer
SHUTDOWN_SECONDS = 1  # for calls that are under way
START_SECONDS = 10


class Server(uvicorn.Server):
    """A server that calls `ready` when it accepts calls."""

    def __init__(self, settings: Settings, ready: Callable[[], None], *, access_log: bool = False) -> None:
        """Prepare to serve; the logging of the process is not changed."""
        config = uvicorn.Config(
            make_app(Provider(settings)),
            http=HttpProtocol,
            loop="asyncio",
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=access_log,
            timeout_keep_alive=IDLE_SECONDS,
            timeout_graceful_shutdown=SHUTDOWN_SECONDS,
        )
        super().__init__(config)
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Accept calls, then report it."""
        await super().startup(sockets)
        self._ready()


def listen(port: int = 0) -> socket.socket:
    """Listen on a port of the loopback interface; 0 picks a free one."""
    # Without IPPROTO_TCP, asyncio leaves Nagle's algorithm on, and every answer waits 40 ms for an acknowledgement.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((HOST, port))
    return listener


def url_of(listener: socket.socket) -> str:
    """Return the base URL for clients."""
    return f"http://{HOST}:{listener.getsockname()[1]}"


@contextmanager
def serving(settings: Settings | None = None) -> Iterator[Control]:
    """Serve in a thread of this process for the length of the block; yields the control, which has the URL."""
    ready = threading.Event()
    listener = listen()
    url = url_of(listener)
    server = Server(settings or Settings(), ready.set)
    thread = threading.Thread(target=server.run, args=([listener],), name="provider")
    thread.start()
    try:
        if not ready.wait(START_SECONDS):
            message = f"the provider did not start within {START_SECONDS} seconds"
            raise TimeoutError(message)
        with Control(url) as control:
            yield control
    finally:
        server.should_exit = True
        thread.join()
