"""The simulated provider without sockets: httpx's requests go straight to its application.

Connections that the provider ends by a fault become the errors that httpx raises for them.
`tests/functions/aws/test_memory_provider.py` compares it with the provider behind a socket. Delays are not for it: no
timeout of httpx ends one.
"""

import asyncio
import json
from collections.abc import Callable, Iterator, MutableMapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from threading import Lock
from typing import Any, Literal

import anyio.to_thread
import httpx
import msgspec
import pytest

from local.provider.control import Control
from local.provider.http.app import make_app
from local.provider.http.connection import TRANSPORT
from local.provider.settings import Settings
from local.provider.state import Provider

URL = "http://provider.test"

type Ending = Literal["", "close", "reset"]
type Message = MutableMapping[str, Any]


@dataclass
class _Connection:
    """Stands for the connection of one request, and remembers how the provider ended it."""

    ending: Ending = ""

    def is_closing(self) -> bool:
        """Whether it has ended."""
        return bool(self.ending)

    def close(self) -> None:
        """End it."""
        self.ending = "close"

    def abort(self) -> None:
        """Reset it."""
        self.ending = "reset"

    def get_extra_info(self, _: str) -> "_Connection":
        """Return its socket."""
        return self

    def setsockopt(self, *_: object) -> None:
        """Take an option of the socket."""


@dataclass
class _Exchange:
    """One request, and its response as far as the provider sends it."""

    request: httpx.Request
    body: Iterator[bytes]
    broken_off: bool = False
    """Whether the client did not send the whole body."""
    connection: _Connection = field(default_factory=_Connection)
    status: int = 0
    headers: list[tuple[bytes, bytes]] = field(default_factory=list)
    pieces: list[bytes] = field(default_factory=list)
    is_read: bool = False
    is_whole: bool = False

    @property
    def scope(self) -> Message:
        """The request as an application gets it."""
        url = self.request.url
        return {
            "type": "http",
            "http_version": "1.1",
            "method": self.request.method,
            "scheme": url.scheme,
            "path": url.path,
            "raw_path": url.raw_path.partition(b"?")[0],
            "query_string": url.query,
            "root_path": "",
            "headers": [(name.lower(), value) for name, value in self.request.headers.raw],
            "client": ("127.0.0.1", 1),
            "server": (url.host, 80),
            TRANSPORT: self.connection,
        }

    async def receive(self) -> Message:
        """Give the application the next piece of the body."""
        if self.connection.ending:
            return {"type": "http.disconnect"}
        if self.is_read:  # while a response is streamed, it waits here for the client to go away
            await asyncio.Event().wait()
        piece = next(self.body, None)
        if piece is None and self.broken_off:
            return {"type": "http.disconnect"}
        self.is_read = piece is None
        return {"type": "http.request", "body": piece or b"", "more_body": not self.is_read}

    async def send(self, message: Message) -> None:
        """Take a piece of the response."""
        if message["type"] == "http.response.start":
            self.status, self.headers = message["status"], list(message["headers"])
        elif not self.connection.ending:
            self.pieces.append(message.get("body", b""))
            self.is_whole = not message.get("more_body", False)


class _Response(httpx.SyncByteStream):
    """The body of a response, and the error that ends it if it is not whole."""

    def __init__(self, exchange: _Exchange) -> None:
        self._exchange = exchange

    def __iter__(self) -> Iterator[bytes]:
        yield from filter(None, self._exchange.pieces)
        if not self._exchange.is_whole:
            raise _error_of(self._exchange)


class _AtOnce(ThreadPoolExecutor):
    """Runs what is given to it at once, without a thread."""

    def submit[**P, T](self, function: Callable[P, T], /, *args: P.args, **how: P.kwargs) -> Future[T]:
        """Run it."""
        done = Future[T]()
        try:
            done.set_result(function(*args, **how))
        except Exception as error:  # noqa: BLE001  # the one who waits for it gets it
            done.set_exception(error)
        return done


class MemoryControl(Control):
    """Controls a provider in memory without requests, which would be a tenth of the time of a history."""

    def __init__(self, provider: Provider, one_at_a_time: Lock) -> None:
        """Take the provider, and the lock that is held while it answers a request."""
        super().__init__(URL)
        self._provider, self._one_at_a_time = provider, one_at_a_time

    def configure(self, **changes: Any) -> None:
        """Replace the settings that are named; raises `ValueError` with the provider's error."""
        sent = json.loads(json.dumps(changes, allow_nan=False))
        try:
            with self._one_at_a_time:
                self._provider.state.configure(sent)
        except (msgspec.ValidationError, ValueError, TypeError) as error:
            raise ValueError(str(error)) from error

    def reset(self) -> None:
        """Delete batches, files and counters, and undo changes of settings."""
        with self._one_at_a_time:
            self._provider.reset()

    def stats(self) -> dict[str, Any]:
        """Return what happened, as it would arrive."""
        with self._one_at_a_time:
            stats: dict[str, Any] = json.loads(json.dumps(self._provider.state.stats()))
        return stats


class MemoryProvider:
    """A provider at `URL`."""

    def __init__(self, settings: Settings) -> None:
        """Start without batches."""
        provider = Provider(settings)
        self._app = make_app(provider)
        self._loop = asyncio.new_event_loop()
        self._loop.set_default_executor(_AtOnce())
        self._one_at_a_time = Lock()
        self.control = MemoryControl(provider, self._one_at_a_time)

    def install(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Answer requests to `URL`; all others are sent as before.

        Nothing runs in threads, which cost time, and would be missing in a copy of the process.
        """
        sent, run_in_thread = httpx.HTTPTransport.handle_request, anyio.to_thread.run_sync

        def handle_request(transport: httpx.HTTPTransport, request: httpx.Request) -> httpx.Response:
            return self.serve(request) if str(request.url).startswith(URL) else sent(transport, request)

        async def run_sync(function: Callable[..., Any], *args: Any, **how: Any) -> Any:
            if asyncio.get_running_loop() is self._loop:
                return function(*args)
            return await run_in_thread(function, *args, **how)

        monkeypatch.setattr(httpx.HTTPTransport, "handle_request", handle_request)
        monkeypatch.setattr(anyio.to_thread, "run_sync", run_sync)

    def close(self) -> None:
        """Close the event loop, if it is not closed: each folder of tests does so at the end."""
        if self._loop.is_closed():
            return
        self._loop.run_until_complete(self._loop.shutdown_default_executor())
        self._loop.close()

    def serve(self, request: httpx.Request) -> httpx.Response:
        """Answer a request. Raises httpx's errors of a connection that the provider ends."""
        pieces, error = _read(request)
        exchange = _Exchange(request, iter(pieces), broken_off=error is not None)
        with self._one_at_a_time:
            self._loop.run_until_complete(self._app(exchange.scope, exchange.receive, exchange.send))
        if error is not None:
            raise error
        if not exchange.status:
            raise _error_of(exchange)
        return httpx.Response(exchange.status, headers=exchange.headers, stream=_Response(exchange))


def _read(request: httpx.Request) -> tuple[list[bytes], BaseException | None]:
    """Return the body as far as it can be read, and what ended it: reading it may be part of a test's history."""
    assert isinstance(request.stream, httpx.SyncByteStream)
    pieces: list[bytes] = []
    try:
        pieces.extend(request.stream)
    except BaseException as error:  # noqa: BLE001  # also the crash of a function, which the caller raises again
        return pieces, error
    return pieces, None


def _error_of(exchange: _Exchange) -> httpx.TransportError:
    if exchange.connection.ending == "reset":
        return httpx.ReadError("[Errno 104] Connection reset by peer", request=exchange.request)
    return httpx.RemoteProtocolError("the server ended the connection", request=exchange.request)
