"""The file batch API: the calls under `/v1/batches`."""

from __future__ import annotations

import asyncio
import re
from functools import partial
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import UNSET, Struct, UnsetType
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from local.provider.batches.file_fields import FileFields
from local.provider.decode_errors import describe_error
from local.provider.errors import ApiError, ParamError
from local.provider.faults.actions import Unlist
from local.provider.files.batch_object import batch_object
from local.provider.files.file_store import UploadedFile
from local.provider.files.input_file import InputFile, read_input_file
from local.provider.http.endpoint import Call, endpoint
from local.provider.http.files_routes import CONVENTIONS, page_object, read_limit

if TYPE_CHECKING:
    import mmap

    from local.provider.batches.batch import Batch
    from local.provider.settings import Settings
    from local.provider.state import Provider

BATCHES = "/v1/batches"
BATCH = BATCHES + "/{batch_id}"
DEFAULT_LIMIT, MAX_LIMIT = 20, 100
MAX_PAIRS, MAX_KEY, MAX_VALUE = 16, 64, 512


class CreateBody(Struct, forbid_unknown_fields=True):
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
        too_long = any(len(key) > MAX_KEY or len(value) > MAX_VALUE for key, value in pairs.items())
        if too_long or len(pairs) > MAX_PAIRS:
            limits = f"at most {MAX_PAIRS} pairs, keys of {MAX_KEY} and values of {MAX_VALUE} characters"
            raise ParamError(400, f"Invalid 'metadata': {limits}.", "metadata")


def routes(provider: Provider) -> list[Route]:
    """Return the routes under `/v1/batches`."""
    make = partial(endpoint, provider, CONVENTIONS)
    return [
        Route(BATCHES, make("create", create), methods=["POST"]),
        Route(BATCHES, make("list", list_page), methods=["GET"]),
        Route(BATCH, make("retrieve", retrieve), methods=["GET"]),
        Route(BATCH + "/cancel", make("cancel", cancel), methods=["POST"]),
    ]


async def create(call: Call) -> Response:
    """Create a batch from an uploaded file; faults of its lines make the batch fail later."""
    state, body = call.state, _read_body(call)
    settings = state.settings
    body.check(settings)
    content = _uploaded_content(call, body.input_file_id)
    read = partial(read_input_file, content, body.endpoint, settings, state.today)
    file = await asyncio.to_thread(read)  # a large file takes seconds, and other calls must not wait
    fields = _file_fields(body, file, settings)
    batch = state.batches.create(file.requests, settings, state.now, fields)
    state.files.add_result_files(batch, fields)
    if unlist := call.action(Unlist):
        batch.hidden_listings = unlist.looks
    created = batch_object(batch, fields, state.now, is_new=True)
    return JSONResponse({"job": created, "warning": None} if settings.created_form == "job" else created)


async def retrieve(call: Call) -> Response:
    """Show one batch."""
    return JSONResponse(_batch_object(call, call.batch("files")))


async def list_page(call: Call) -> Response:
    """Show a page of batches, newest first."""
    state, query = call.state, call.request.query_params
    if not state.settings.lists_batches:
        raise ApiError(405, "Batches are not listed here.")
    if state.settings.list_form == "array":
        batches, _ = state.batches.page(state.batches.created + 1, None, dialect="files")
        return JSONResponse([_batch_object(call, batch) for batch in batches])
    limit = read_limit(query.get("limit"), DEFAULT_LIMIT, MAX_LIMIT)
    batches, more = state.batches.page(limit, query.get("after"), dialect="files")
    return JSONResponse(page_object([_batch_object(call, batch) for batch in batches], more=more))


async def cancel(call: Call) -> Response:
    """Start to cancel a batch; one that has ended, or will fail, does not change."""
    batch = call.batch("files")
    if not batch.failed and not batch.ended(call.state.now):
        batch.cancel(call.state.now)
    return JSONResponse(_batch_object(call, batch))


def _read_body(call: Call) -> CreateBody:
    call.body.seek(0)
    try:
        return msgspec.json.decode(call.body.read(), type=CreateBody)
    except msgspec.ValidationError as error:
        message = describe_error(error)
        raise ParamError(400, message, re.split(r"\W", message, maxsplit=1)[0]) from None
    except msgspec.DecodeError:
        raise ApiError(400, "We could not parse the JSON body of your request.") from None


def _uploaded_content(call: Call, file_id: str) -> mmap.mmap | bytes:
    file = call.state.files.get(file_id, call.state.now, "input_file_id")
    if not isinstance(file, UploadedFile):
        raise ParamError(400, f"The purpose of file {file_id} is not 'batch'.", "input_file_id")
    return file.content


def _file_fields(body: CreateBody, file: InputFile, settings: Settings) -> FileFields:
    return FileFields(
        input_file_id=body.input_file_id,
        endpoint=body.endpoint,
        completion_window=body.completion_window,
        metadata=None if body.metadata is UNSET or settings.metadata == "ignored" else body.metadata,
        form=file.form or "params",
        model=next(iter(file.models)) if len(file.models) == 1 else None,
        faults=file.faults,
    )


def _batch_object(call: Call, batch: Batch) -> dict[str, Any]:
    return batch_object(batch, batch.file_fields, call.state.now) if batch.file_fields else {}
