"""The dialect of the files, second half: the calls under `/v1/batches`."""

from __future__ import annotations

import asyncio
import re
from functools import partial
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import UNSET, Struct, UnsetType
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from local.provider.errors import ApiError, ParamError
from local.provider.faults.actions import Archive, Unlist
from local.provider.files import batch_object
from local.provider.files.file_store import Input
from local.provider.files.input_file import Intake, read_input
from local.provider.http.endpoint import Call, endpoint
from local.provider.http.files_routes import MANNERS, page, read_limit
from local.provider.messages.params import plainly

if TYPE_CHECKING:
    import mmap

    from local.provider.batches.batch import Batch
    from local.provider.settings import Settings
    from local.provider.state import Provider

BATCHES = "/v1/batches"
BATCH = BATCHES + "/{batch_id}"
DEFAULT_LIMIT, MAX_LIMIT = 20, 100
MOST_PAIRS, LONGEST_KEY, LONGEST_VALUE = 16, 64, 512


class Wanted(Struct, forbid_unknown_fields=True):
    """The body of a create call."""

    input_file_id: str
    endpoint: str
    completion_window: str
    metadata: dict[str, str] | UnsetType | None = UNSET
    output_expires_after: Any = None

    def check(self, settings: Settings) -> None:
        """Raise `ApiError` 400 for what the provider does not offer."""
        if not self.endpoint.startswith("/v1/"):
            raise ParamError(400, f"Invalid value: '{self.endpoint}'.", "endpoint")
        if self.completion_window not in settings.completion_windows:
            raise ParamError(400, f"Invalid value: '{self.completion_window}'.", "completion_window")
        if self.metadata is not UNSET and settings.metadata == "refused":
            raise ParamError(400, "Unknown parameter: 'metadata'.", "metadata", code="unknown_parameter")
        pairs = self.metadata or {}
        long = any(len(key) > LONGEST_KEY or len(value) > LONGEST_VALUE for key, value in pairs.items())
        if long or len(pairs) > MOST_PAIRS:
            most = f"at most {MOST_PAIRS} pairs, keys of {LONGEST_KEY} and values of {LONGEST_VALUE} characters"
            raise ParamError(400, f"Invalid 'metadata': {most}.", "metadata")


def routes(provider: Provider) -> list[Route]:
    """Give the routes of this half."""
    make = partial(endpoint, provider, MANNERS)
    return [
        Route(BATCHES, make("create", create), methods=["POST"]),
        Route(BATCHES, make("list", list_page), methods=["GET"]),
        Route(BATCH, make("retrieve", retrieve), methods=["GET"]),
        Route(BATCH + "/cancel", make("cancel", cancel), methods=["POST"]),
    ]


async def create(call: Call) -> Response:
    """Create a batch of a file that was uploaded; the faults of its lines are told later."""
    world, wanted = call.world, _wanted(call)
    settings = world.settings
    wanted.check(settings)
    content = _content(call, wanted.input_file_id)
    read = partial(read_input, content, wanted.endpoint, settings)
    intake = await asyncio.to_thread(read)  # a large file takes seconds, and other calls go on
    job = _job(wanted, intake, settings)
    batch = world.batches.create(intake.requests, settings, world.now, job)
    world.files.expect(batch, job)
    if unlist := call.action(Unlist):
        batch.unlisted_looks = unlist.looks
    shown = batch_object.view(batch, job, world.now, fresh=True)
    return JSONResponse({"job": shown, "warning": None} if settings.created_form == "job" else shown)


async def retrieve(call: Call) -> Response:
    """Show one batch."""
    return _shown(call, _batch(call))


async def list_page(call: Call) -> Response:
    """Show a page of batches, newest first."""
    world, query = call.world, call.request.query_params
    if not world.settings.lists_batches:
        raise ApiError(405, "Batches are not listed here.")
    if world.settings.list_form == "array":
        everything, _ = world.batches.page(world.batches.created + 1, None, dialect="files")
        return JSONResponse([_view(call, batch) for batch in everything])
    limit = read_limit(query.get("limit"), DEFAULT_LIMIT, MAX_LIMIT)
    batches, more = world.batches.page(limit, query.get("after"), dialect="files")
    return JSONResponse(page([_view(call, batch) for batch in batches], more=more))


async def cancel(call: Call) -> Response:
    """Begin to cancel a batch; one that has ended, or is about to fail, stays what it is."""
    batch = _batch(call)
    if not batch.failed and not batch.ended(call.world.now):
        batch.cancel(call.world.now)
    return _shown(call, batch)


def _wanted(call: Call) -> Wanted:
    call.body.seek(0)
    try:
        return msgspec.json.decode(call.body.read(), type=Wanted)
    except msgspec.ValidationError as error:
        message = plainly(error)
        raise ParamError(400, message, re.split(r"\W", message, maxsplit=1)[0]) from None
    except msgspec.DecodeError:
        raise ApiError(400, "We could not parse the JSON body of your request.") from None


def _content(call: Call, file_id: str) -> mmap.mmap | bytes:
    file = call.world.files.get(file_id, call.world.now, "input_file_id")
    if not isinstance(file, Input):
        raise ParamError(400, f"The purpose of file {file_id} is not 'batch'.", "input_file_id")
    return file.content


def _job(wanted: Wanted, intake: Intake, settings: Settings) -> batch_object.Job:
    return batch_object.Job(
        input_file_id=wanted.input_file_id,
        endpoint=wanted.endpoint,
        completion_window=wanted.completion_window,
        metadata=None if wanted.metadata is UNSET or settings.metadata == "ignored" else wanted.metadata,
        form=intake.form or "params",
        model=next(iter(intake.models)) if len(intake.models) == 1 else None,
        faults=intake.faults,
    )


def _batch(call: Call) -> Batch:
    batch = call.world.batches.get(call.batch_id, "files")
    if call.action(Archive):
        batch.archived_at = min(batch.archived_at, call.world.now)
    return batch


def _shown(call: Call, batch: Batch) -> JSONResponse:
    return JSONResponse(_view(call, batch))


def _view(call: Call, batch: Batch) -> dict[str, Any]:
    return batch_object.view(batch, batch.job, call.world.now) if batch.job else {}
