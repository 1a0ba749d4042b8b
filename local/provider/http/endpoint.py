"""One call, from its first byte to its last: counted, authenticated, met by its faults, answered."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from tempfile import TemporaryFile
from typing import TYPE_CHECKING, BinaryIO

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from local.provider.auth.api_key import check_api_key
from local.provider.auth.aws_gateway import check_headers, check_signature
from local.provider.errors import ApiError, new_request_id
from local.provider.faults.actions import Answer, AnyAction, Archive, CallName, Cut, Delay, Lose, Reset, When
from local.provider.http.connection import NoAnswer, TruncatedAnswer

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from local.provider.batches.batch import Batch, Dialect
    from local.provider.settings import Settings
    from local.provider.state import Provider, ProviderState


@dataclass(frozen=True, slots=True)
class Call:
    """A call that passed the checks of its headers, with its whole body in a file."""

    state: ProviderState
    request: Request
    body: BinaryIO
    actions: list[AnyAction]
    """The faults that meet this call."""

    @property
    def batch_id(self) -> str:
        """The id of the batch in the path."""
        return str(self.request.path_params["batch_id"])

    @property
    def file_id(self) -> str:
        """The id of the file in the path."""
        return str(self.request.path_params["file_id"])

    def batch(self, dialect: Dialect) -> Batch:
        """Return the batch in the path, whose results a fault may delete first; raises `ApiError` 404."""
        batch = self.state.batches.get(self.batch_id, dialect)
        if self.action(Archive):
            batch.archive(self.state.now)
        return batch

    def action[A: AnyAction](self, action_type: type[A]) -> A | None:
        """Return the first action of a type, or None."""
        return next((action for action in self.actions if isinstance(action, action_type)), None)


type Handler = Callable[[Call], Awaitable[Response]]
type Endpoint = Callable[[Request], Awaitable[Response]]


@dataclass(frozen=True, slots=True)
class Conventions:
    """What all calls of one API have in common."""

    check_headers: Callable[[Request], None]
    """Checks all headers but the key; raises `ApiError`."""
    error_response: Callable[[ApiError], Response]
    request_id_header: str
    may_be_signed: bool = False


def endpoint(provider: Provider, conventions: Conventions, name: CallName, handler: Handler) -> Endpoint:
    """Make the endpoint of a call from its handler, which may raise `ApiError`."""

    async def answer(request: Request) -> Response:
        state = provider.state
        state.count_call(name)
        try:
            _check_before_body(request, state.settings, conventions)
            actions = state.faults_of(name, **request.path_params)
            with TemporaryFile() as body:
                call = Call(state, request, body, actions)
                no_answer = await _receive_body(call)
                if conventions.may_be_signed and state.settings.signed and not no_answer:
                    await asyncio.to_thread(check_signature, request, name, body, state.settings.signed)
                response = no_answer or await _handle(call, conventions, handler)
        except ApiError as error:
            response = conventions.error_response(error)
        except ClientDisconnect:
            response = NoAnswer("close")
        return response

    return answer


async def _handle(call: Call, conventions: Conventions, handler: Handler) -> Response:
    """Run the handler, unless a fault comes before it; a fault after it replaces the answer."""
    if response := await _run_faults(call, conventions, "before"):
        return response
    try:
        response = await handler(call)
        response.headers[conventions.request_id_header] = new_request_id()
    except ApiError as error:
        response = conventions.error_response(error)
    if replacement := await _run_faults(call, conventions, "after"):
        return replacement
    cut = call.action(Cut)
    return TruncatedAnswer(response, cut) if cut else response


async def _run_faults(call: Call, conventions: Conventions, when: When) -> Response | None:
    """Run the delays, and return the answer, of the faults before or after the handler."""
    for action in call.actions:
        if isinstance(action, Delay) and action.when == when:
            await asyncio.sleep(action.seconds)
        elif isinstance(action, Lose) and action.when == when:
            return NoAnswer(action.ending)
        elif isinstance(action, Answer) and action.when == when:
            call.state.note_retry_after(action.headers)
            return _error_answer(action, conventions)
    return None


def _error_answer(action: Answer, conventions: Conventions) -> Response:
    if action.body is not None:
        return Response(action.body, action.status, action.headers, "text/html")
    error = ApiError(
        action.status, action.message, error_type=action.type, code=action.error_code, headers=action.headers
    )
    return conventions.error_response(error)


def _check_before_body(request: Request, settings: Settings, conventions: Conventions) -> None:
    """Check all headers; raises `ApiError` 401, 400 or 413."""
    if conventions.may_be_signed and settings.signed:
        check_headers(request, settings.signed)
    else:
        check_api_key(request, settings.api_key)
    conventions.check_headers(request)
    if int(request.headers.get("content-length", "0")) > settings.max_body_bytes:
        raise _too_large()


async def _receive_body(call: Call) -> NoAnswer | None:
    """Write the body to its file; raises `ApiError` 413 if a body of unknown length is too long."""
    reset = call.action(Reset)
    size = 0
    async for chunk in call.request.stream():
        size += len(chunk)
        if size > call.state.settings.max_body_bytes:
            raise _too_large()
        if reset and size >= reset.at:
            return NoAnswer("reset")
        call.body.write(chunk)
    call.body.flush()
    return None


def _too_large() -> ApiError:
    return ApiError(413, "Request exceeds the maximum size")
