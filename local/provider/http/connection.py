"""Faults of the connection, which no HTTP framework offers: an answer is lost, truncated or reset."""

from __future__ import annotations

import asyncio
import socket
import struct
from typing import TYPE_CHECKING, Any

from starlette.responses import Response
from uvicorn.protocols.http.h11_impl import H11Protocol

if TYPE_CHECKING:
    from starlette.types import Message, Receive, Scope, Send

    from local.provider.faults.actions import Cut, Ending

TRANSPORT = "conveyor.transport"
"""Key of the ASGI scope that holds the transport of the connection."""
FLUSH_SECONDS = 0.05
"""Wait before a reset, which would discard bytes that have not arrived yet."""


class HttpProtocol(H11Protocol):
    """HTTP/1.1 that gives the application the transport of each request."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - uvicorn's own
        """Put the transport into the scope of each request."""
        super().__init__(*args, **kwargs)
        app = self.app

        async def with_transport(scope: Any, receive: Any, send: Any) -> None:  # noqa: ANN401
            scope[TRANSPORT] = self.transport
            await app(scope, receive, send)

        self.app = with_transport


class NoAnswer(Response):
    """No answer at all: the connection ends."""

    def __init__(self, ending: Ending) -> None:
        """Choose how it ends."""
        super().__init__()
        self.ending = ending

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 - nothing is sent
        """End the connection, and wait until the server has noticed: it would report a missing answer."""
        disconnect(scope, self.ending)
        await wait_for_disconnect(receive)


class TruncatedAnswer(Response):
    """An answer of which only the first bytes of the body are sent."""

    def __init__(self, complete: Response, cut: Cut) -> None:
        """Wrap the complete answer."""
        super().__init__()
        self.complete = complete
        self.cut = cut

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the first bytes, without `content-length`: a clean end then looks like a complete answer."""
        remaining = self.cut.at
        done = False

        async def send_truncated(message: Message) -> None:
            nonlocal remaining, done
            if message["type"] == "http.response.start":
                headers = [header for header in message["headers"] if header[0] != b"content-length"]
                await send({**message, "headers": headers})
            elif not done:
                body = message.get("body", b"")[:remaining]
                remaining -= len(body)
                done = remaining == 0 or not message.get("more_body", False)
                await send({**message, "body": body, "more_body": not done or self.cut.ending != "clean"})
                if done and self.cut.ending != "clean":
                    await asyncio.sleep(FLUSH_SECONDS)
                    disconnect(scope, self.cut.ending)

        await self.complete(scope, receive, send_truncated)
        if self.cut.ending != "clean":
            await wait_for_disconnect(receive)


def disconnect(scope: Scope, ending: Ending) -> None:
    """End the connection of a request, unless the client has ended it already."""
    transport = scope[TRANSPORT]
    if transport.is_closing():
        return
    if ending == "close":
        transport.close()
        return
    no_linger = struct.pack("ii", 1, 0)  # linger for zero seconds: the kernel sends RST instead of FIN
    transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, no_linger)
    transport.abort()


async def wait_for_disconnect(receive: Receive) -> None:
    """Wait until the server has noticed the end of the connection."""
    while (await receive())["type"] != "http.disconnect":
        pass
