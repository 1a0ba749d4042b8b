"""Serving the provider on loopback: for a process (`python -m local.provider`) or inside one (`serving`)."""

from __future__ import annotations

import socket
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

import uvicorn

from local.provider.control import Control
from local.provider.http.app import make_app
from local.provider.http.connection import Protocol
from local.provider.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

HOST = "127.0.0.1"
IDLE_SECONDS = 3600  # as long as no client keeps a connection: one closed here would look like a lost answer
PARTING_SECONDS = 1  # a call under way gets this long at the end
STARTING_SECONDS = 10


class Server(uvicorn.Server):
    """A server that tells when it is ready."""

    def __init__(self, settings: Settings, ready: Callable[[], None], *, access_log: bool = False) -> None:
        """Prepare to serve; logging is left as the process has it."""
        config = uvicorn.Config(
            make_app(settings),
            http=Protocol,
            loop="asyncio",
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=access_log,
            timeout_keep_alive=IDLE_SECONDS,
            timeout_graceful_shutdown=PARTING_SECONDS,
        )
        super().__init__(config)
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Open the doors, then say so."""
        await super().startup(sockets)
        self._ready()


def listen(port: int = 0) -> socket.socket:
    """Take a port of the loopback interface; 0 takes a free one."""
    # Named TCP, or asyncio leaves Nagle's algorithm on and every answer waits 40 ms for an acknowledgement.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((HOST, port))
    return listener


def url_of(listener: socket.socket) -> str:
    """Give the base URL clients use."""
    return f"http://{HOST}:{listener.getsockname()[1]}"


@contextmanager
def serving(settings: Settings | None = None) -> Iterator[Control]:
    """Serve in a thread of this process while the context is open; gives the control, with the URL."""
    ready = threading.Event()
    listener = listen()
    url = url_of(listener)
    server = Server(settings or Settings(), ready.set)
    thread = threading.Thread(target=server.run, args=([listener],), name="provider")
    thread.start()
    try:
        if not ready.wait(STARTING_SECONDS):
            message = f"the provider did not start within {STARTING_SECONDS} seconds"
            raise TimeoutError(message)
        with Control(url) as control:
            yield control
    finally:
        server.should_exit = True
        thread.join()
