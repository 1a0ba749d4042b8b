"""One call from its first byte to its last: counted, let in, met by its faults, answered."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from tempfile import TemporaryFile
from typing import TYPE_CHECKING, BinaryIO

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from local.provider.auth.api_key import check_api_key
from local.provider.auth.aws_gateway import admit, authorize
from local.provider.errors import ApiError, new_request_id
from local.provider.faults.actions import Answer, AnyAction, CallName, Cut, Delay, Lose, Reset, When
from local.provider.http.connection import Severed, Shortened

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from local.provider.settings import Settings
    from local.provider.state import Provider, World


@dataclass(frozen=True, slots=True)
class Call:
    """A call that was let in, with its whole body in a file."""

    world: World
    request: Request
    body: BinaryIO
    actions: list[AnyAction]

    @property
    def batch_id(self) -> str:
        """Give the id of the batch in the path."""
        return str(self.request.path_params["batch_id"])

    @property
    def file_id(self) -> str:
        """Give the id of the file in the path."""
        return str(self.request.path_params["file_id"])

    def action[A: AnyAction](self, kind: type[A]) -> A | None:
        """Give the first action of a kind, or None."""
        return next((action for action in self.actions if isinstance(action, kind)), None)


type Act = Callable[[Call], Awaitable[Response]]
type Endpoint = Callable[[Request], Awaitable[Response]]


@dataclass(frozen=True, slots=True)
class Manners:
    """How a dialect lets calls in and refuses them."""

    check: Callable[[Request], None]  # of the headers, besides the key; raises `ApiError`
    refuse: Callable[[ApiError], Response]
    request_id: str  # header that carries the id of the request
    may_be_signed: bool = False


def endpoint(provider: Provider, manners: Manners, name: CallName, act: Act) -> Endpoint:
    """Make the endpoint of a call from what the call does; `act` may raise `ApiError`."""

    async def answer(request: Request) -> Response:
        world = provider.world
        world.arrive(name)
        try:
            _admit(request, world.settings, manners)
            actions = world.meet(name, **request.path_params)
            with TemporaryFile() as body:
                call = Call(world, request, body, actions)
                severed = await _receive(call)
                if manners.may_be_signed and world.settings.signed and not severed:
                    await asyncio.to_thread(authorize, request, name, body, world.settings.signed)
                response = severed or await _exchange(call, manners, act)
        except ApiError as error:
            response = manners.refuse(error)
        except ClientDisconnect:
            response = Severed("close")
        return response

    return answer


async def _exchange(call: Call, manners: Manners, act: Act) -> Response:
    """Let the call take effect, unless a fault comes before; a fault after it replaces the answer."""
    if early := await _interfere(call, manners, "before"):
        return early
    try:
        response = await act(call)
        response.headers[manners.request_id] = new_request_id()
    except ApiError as error:
        response = manners.refuse(error)
    if late := await _interfere(call, manners, "after"):
        return late
    cut = call.action(Cut)
    return Shortened(response, cut) if cut else response


async def _interfere(call: Call, manners: Manners, when: When) -> Response | None:
    """Act out the waiting and the answers of one side of the effect."""
    for action in call.actions:
        if isinstance(action, Delay) and action.when == when:
            await asyncio.sleep(action.seconds)
        elif isinstance(action, Lose) and action.when == when:
            return Severed(action.ending)
        elif isinstance(action, Answer) and action.when == when:
            call.world.send_away(action.headers)
            return _error(action, manners)
    return None


def _error(action: Answer, manners: Manners) -> Response:
    if action.body is not None:
        return Response(action.body, action.status, action.headers, "text/html")
    headers, code = action.headers, action.error_code
    return manners.refuse(ApiError(action.status, action.message, kind=action.type, code=code, headers=headers))


def _admit(request: Request, settings: Settings, manners: Manners) -> None:
    """Check what the headers tell; raises `ApiError` 401, 400 or 413."""
    if manners.may_be_signed and settings.signed:
        admit(request, settings.signed)
    else:
        check_api_key(request, settings.api_key)
    manners.check(request)
    if int(request.headers.get("content-length", "0")) > settings.max_body_bytes:
        raise _too_large()


async def _receive(call: Call) -> Severed | None:
    """Take the body in; raises `ApiError` 413 for a body of unknown length that is too long."""
    reset = call.action(Reset)
    size = 0
    async for chunk in call.request.stream():
        size += len(chunk)
        if size > call.world.settings.max_body_bytes:
            raise _too_large()
        if reset and size >= reset.at:
            return Severed("reset")
        call.body.write(chunk)
    call.body.flush()
    return None


def _too_large() -> ApiError:
    return ApiError(413, "Request exceeds the maximum size")
