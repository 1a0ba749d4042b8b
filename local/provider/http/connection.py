"""The connection itself: how an answer is lost, cut or reset, which no HTTP framework offers."""

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
"""Key of the scope under which an application finds the transport of its connection."""
ARRIVAL_SECONDS = 0.05
"""Time that what was sent gets to arrive before a reset, which destroys what is still under way."""


class Protocol(H11Protocol):
    """HTTP/1.1 that tells the application which transport its request came by."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - uvicorn's business, passed on
        """Put the transport in the scope of each request."""
        super().__init__(*args, **kwargs)
        app = self.app

        async def with_transport(scope: Any, receive: Any, send: Any) -> None:  # noqa: ANN401
            scope[TRANSPORT] = self.transport
            await app(scope, receive, send)

        self.app = with_transport


class Severed(Response):
    """No answer at all: the connection ends."""

    def __init__(self, ending: Ending) -> None:
        """Choose how it ends."""
        super().__init__()
        self.ending = ending

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 - nothing is sent
        """End the connection and wait until the server has noticed, so that it misses no answer."""
        sever(scope, self.ending)
        await gone(receive)


class Shortened(Response):
    """An answer of which only the first bytes of the body are sent."""

    def __init__(self, whole: Response, cut: Cut) -> None:
        """Wrap the whole answer."""
        super().__init__()
        self.whole = whole
        self.cut = cut

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send what is allowed; the length is not told, so that a clean end looks like the true one."""
        left = self.cut.at
        done = False

        async def send_some(message: Message) -> None:
            nonlocal left, done
            if message["type"] == "http.response.start":
                headers = [header for header in message["headers"] if header[0] != b"content-length"]
                await send({**message, "headers": headers})
            elif not done:
                body = message.get("body", b"")[:left]
                left -= len(body)
                done = left == 0 or not message.get("more_body", False)
                await send({**message, "body": body, "more_body": not done or self.cut.ending != "clean"})
                if done and self.cut.ending != "clean":
                    await asyncio.sleep(ARRIVAL_SECONDS)
                    sever(scope, self.cut.ending)

        await self.whole(scope, receive, send_some)
        if self.cut.ending != "clean":
            await gone(receive)


def sever(scope: Scope, ending: Ending) -> None:
    """End the connection of a request, now; one that the client has ended already is left alone."""
    transport = scope[TRANSPORT]
    if transport.is_closing():
        return
    if ending == "close":
        transport.close()
        return
    at_once = struct.pack("ii", 1, 0)  # linger on, for no time: the kernel sends RST instead of FIN
    transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, at_once)
    transport.abort()


async def gone(receive: Receive) -> None:
    """Wait until the server knows that the connection has ended."""
    while (await receive())["type"] != "http.disconnect":
        pass
