"""One call from its first byte to its last: counted, let in, met by its faults, answered."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from tempfile import TemporaryFile
from typing import TYPE_CHECKING, BinaryIO, NamedTuple

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from local.provider.errors import ApiError, new_request_id
from local.provider.faults import Answer, AnyAction, CallName, Cut, Delay, Lose, Reset, When
from local.provider.params import VERSIONS
from local.provider.wire import Severed, Shortened

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from local.provider.settings import Settings
    from local.provider.world import Provider, World


@dataclass(frozen=True, slots=True)
class Call:
    """A call that was let in, with its whole body in a file."""

    world: World
    request: Request
    body: BinaryIO
    actions: list[AnyAction]

    @property
    def batch_id(self) -> str:
        """Give the id in the path."""
        return str(self.request.path_params["batch_id"])

    def action[A: AnyAction](self, kind: type[A]) -> A | None:
        """Give the first action of a kind, or None."""
        return next((action for action in self.actions if isinstance(action, kind)), None)


type Act = Callable[[Call], Awaitable[Response]]


class Manners(NamedTuple):
    """How a dialect lets calls in, and how it refuses."""

    admit: Callable[[Request, Settings], None]
    refuse: Callable[[ApiError], Response]


def endpoint(
    provider: Provider, name: CallName, act: Act, manners: Manners | None = None
) -> Callable[[Request], Awaitable[Response]]:
    """Make the endpoint of a call from what the call does; `act` may raise `ApiError`."""
    manners = manners or MESSAGES

    async def answer(request: Request) -> Response:
        world = provider.world
        file = world.files.find(request.path_params.get("file_id", ""))
        batch_id = file.batch_id if file else request.path_params.get("batch_id")
        called: CallName = "results" if name == "file" and batch_id else name
        world.calls[called] += 1
        try:
            manners.admit(request, world.settings)
            actions = world.meet(called, batch_id)
            with TemporaryFile() as body:
                call = Call(world, request, body, actions)
                response = await _receive(call) or await _exchange(call, act, manners)
        except ApiError as error:
            response = manners.refuse(error)
        except ClientDisconnect:
            response = Severed("close")
        return response

    return answer


async def _exchange(call: Call, act: Act, manners: Manners) -> Response:
    """Let the call take effect, unless a fault comes before; a fault after it replaces the answer."""
    if early := await _interfere(call.actions, "before", manners):
        return early
    try:
        response = await act(call)
        response.headers["request-id"] = new_request_id()
    except ApiError as error:
        response = manners.refuse(error)
    if late := await _interfere(call.actions, "after", manners):
        return late
    cut = call.action(Cut)
    return Shortened(response, cut) if cut else response


async def _interfere(actions: list[AnyAction], when: When, manners: Manners) -> Response | None:
    """Act out the waiting and the answers of one side of the effect."""
    for action in actions:
        if isinstance(action, Delay) and action.when == when:
            await asyncio.sleep(action.seconds)
        elif isinstance(action, Lose) and action.when == when:
            return Severed(action.ending)
        elif isinstance(action, Answer) and action.when == when:
            return _error(action, manners)
    return None


def _error(action: Answer, manners: Manners) -> Response:
    if action.body is not None:
        return Response(action.body, action.status, action.headers, "text/html")
    headers, code = action.headers, action.error_code
    return manners.refuse(ApiError(action.status, action.message, kind=action.type, code=code, headers=headers))


def admit_key(request: Request, settings: Settings) -> None:
    """Check key and length; raises `ApiError` 401 or 413."""
    headers = request.headers
    bearer = headers.get("authorization", "").removeprefix("Bearer ").strip()
    key = headers.get("x-api-key") or bearer
    if not key:
        raise ApiError(401, "x-api-key header is required")
    if settings.api_key not in (None, key):
        raise ApiError(401, "invalid x-api-key")
    if int(headers.get("content-length", "0")) > settings.max_body_bytes:
        raise _too_large()


def _admit(request: Request, settings: Settings) -> None:
    """Check what the headers of the Message Batches API tell; raises `ApiError` 401, 400 or 413."""
    admit_key(request, settings)
    version = request.headers.get("anthropic-version")
    if version is None:
        raise ApiError(400, "anthropic-version: header is required")
    if version not in VERSIONS:
        raise ApiError(400, f'anthropic-version: "{version}" is not a valid version')


MESSAGES = Manners(_admit, ApiError.response)


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
