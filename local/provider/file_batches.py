"""The file dialect: files under `/v1/files`, and batches that are made of them under `/v1/batches`."""

from __future__ import annotations

import asyncio
from functools import partial
from tempfile import TemporaryFile
from typing import TYPE_CHECKING, Any, BinaryIO

import msgspec
from python_multipart import parse_form
from python_multipart.exceptions import FormParserError
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from local.provider.batches import Job
from local.provider.errors import ApiError
from local.provider.exchange import Call, Manners, admit_key, endpoint
from local.provider.faults import Archive, Spoil, Unlist
from local.provider.file_lines import Reader
from local.provider.file_views import batch_view, file_view, sheets
from local.provider.results import results

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from local.provider.batches import Batch
    from local.provider.files import File
    from local.provider.params import Asked
    from local.provider.world import Provider

FILES, BATCHES = "/v1/files", "/v1/batches"
FILE, BATCH = FILES + "/{file_id}", BATCHES + "/{batch_id}"
MOST_FILES, MOST_BATCHES, USUAL_BATCHES = 10_000, 100, 20
_CHUNK = 1 << 20
_MANNERS = Manners(admit_key, ApiError.file_response)


class Wanted(msgspec.Struct):
    """The body of a create call."""

    input_file_id: str
    endpoint: str
    completion_window: str
    metadata: dict[str, str] | None = None


def routes(provider: Provider) -> list[Route]:
    """Give the routes of the dialect."""
    make = partial(endpoint, provider, manners=_MANNERS)
    return [
        Route(FILES, make("upload", upload), methods=["POST"]),
        Route(FILES, make("files", list_files), methods=["GET"]),
        Route(FILE, make("file", show_file), methods=["GET"]),
        Route(FILE, make("delete_file", delete_file), methods=["DELETE"]),
        Route(FILE + "/content", make("file", read_file), methods=["GET"]),
        Route(BATCHES, make("create", create), methods=["POST"]),
        Route(BATCHES, make("list", list_batches), methods=["GET"]),
        Route(BATCH, make("retrieve", retrieve), methods=["GET"]),
        Route(BATCH + "/cancel", make("cancel", cancel), methods=["POST"]),
    ]


async def upload(call: Call) -> Response:
    """Keep a file."""
    fields, filename, content = await asyncio.to_thread(_parsed, call)
    if refusal := _refusal(call, fields, filename, content):
        content.close()
        raise refusal
    file = call.world.files.add(filename, content, call.world.now)
    if unlist := call.action(Unlist):
        file.unlisted_looks = unlist.looks
    return JSONResponse(_file(call, file))


def _refusal(call: Call, fields: dict[str, str], filename: str, content: BinaryIO) -> ApiError | None:
    """Say why a file is not kept."""
    if fields.get("purpose") != "batch":
        return ApiError(400, f"'{fields.get('purpose')}' is not one of ['batch']", param="purpose")
    if not filename.endswith(".jsonl"):
        return ApiError(400, "Invalid file format for Batch API. Must be .jsonl", param="file")
    if content.seek(0, 2) > call.world.settings.max_file_bytes:
        return ApiError(400, "File is too large.", param="file")
    return None


def _parsed(call: Call) -> tuple[dict[str, str], str, Any]:
    """Read a form that lies in a file."""
    fields: dict[str, str] = {}
    kept: list[tuple[str, Any]] = []

    def keep(file: Any) -> None:  # noqa: ANN401 - the library's own file
        content = TemporaryFile()  # noqa: SIM115 - closed when the file is deleted, or with the world
        file.file_object.seek(0)
        while piece := file.file_object.read(_CHUNK):
            content.write(piece)
        file.close()
        kept.append(((file.file_name or b"").decode(), content))

    call.body.seek(0)
    headers = {"Content-Type": call.request.headers.get("content-type", "").encode()}
    try:
        parse_form(headers, call.body, lambda each: fields.update({_text(each.field_name): _text(each.value)}), keep)
    except (FormParserError, ValueError) as error:
        raise ApiError(400, f"The form could not be read: {error}") from None
    if not kept:
        raise ApiError(400, "A file is required.", param="file")
    return fields, *kept[0]


def _text(value: bytes | None) -> str:
    return (value or b"").decode()


async def list_files(call: Call) -> Response:
    """Show a page of files."""
    _require(call, is_there=call.world.settings.lists_files)
    query = call.request.query_params
    limit = _limit(query.get("limit"), MOST_FILES, MOST_FILES)
    files, more = call.world.files.page(limit, query.get("after"), newest_first=query.get("order", "desc") == "desc")
    purpose = query.get("purpose")
    data = [view for view in (_file(call, file) for file in files) if purpose in {None, view["purpose"]}]
    return _page(call, data, more=more)


async def show_file(call: Call) -> Response:
    """Show one file."""
    return JSONResponse(_file(call, call.world.files.get(call.request.path_params["file_id"])))


async def delete_file(call: Call) -> Response:
    """Delete a file."""
    file_id = call.request.path_params["file_id"]
    call.world.files.delete(file_id)
    return JSONResponse({"id": file_id, "object": "file", "deleted": True})


async def read_file(call: Call) -> Response:
    """Give the content of a file: of results as they are made up, of an upload as it came."""
    file = call.world.files.get(call.request.path_params["file_id"])
    if file.batch_id:
        batch = _archived(call, call.world.batches.get(file.batch_id))
        return StreamingResponse(_results(call, batch, file), media_type="application/jsonl")
    return StreamingResponse(_content(file), media_type="application/jsonl")


async def create(call: Call) -> Response:
    """Create a batch; what is wrong with its file is found out later."""
    wanted = _wanted(call)
    settings, now = call.world.settings, call.world.now
    file = call.world.files.find(wanted.input_file_id)
    if file is None or file.deleted or file.content is None:
        raise ApiError(404, f"No such File object: {wanted.input_file_id}", param="input_file_id")
    if wanted.metadata and settings.metadata == "refused":
        raise ApiError(400, "Unrecognized request argument supplied: metadata", param="metadata")
    reader = Reader(settings, wanted.endpoint)
    asked: list[Asked] = await asyncio.to_thread(reader.read, file.content)
    if not reader.faults and not call.world.batches.has_room(len(asked), settings, now):
        message = f"Enqueued token limit reached: {settings.queue_limit} requests may wait."
        reader.faults.append({"code": "token_limit_exceeded", "line": None, "message": message, "param": None})
    job = Job(
        file_id=file.id,
        endpoint=wanted.endpoint,
        window=wanted.completion_window,
        line_form=reader.form,
        metadata=wanted.metadata,
        faults=reader.faults,
    )
    batch = call.world.batches.create_of(job, asked, settings, now)
    if unlist := call.action(Unlist):
        batch.unlisted_looks = unlist.looks
    view = batch_view(batch, call.world.files, now)
    return JSONResponse({"job": view, "warning": None} if settings.created_form == "job" else view)


def _wanted(call: Call) -> Wanted:
    call.body.seek(0)
    try:
        return msgspec.json.decode(call.body.read(), type=Wanted)
    except msgspec.MsgspecError as error:
        raise ApiError(400, str(error)) from None


async def list_batches(call: Call) -> Response:
    """Show a page of batches, newest first."""
    _require(call, is_there=call.world.settings.lists_batches)
    query = call.request.query_params
    limit = _limit(query.get("limit"), USUAL_BATCHES, MOST_BATCHES)
    batches, more = call.world.batches.page(limit, query.get("after"), None)
    data = [batch_view(batch, call.world.files, call.world.now) for batch in batches if batch.job]
    return _page(call, data, more=more)


async def retrieve(call: Call) -> Response:
    """Show one batch."""
    return _shown(call, _archived(call, _batch(call)))


async def cancel(call: Call) -> Response:
    """Begin to cancel a batch; one that has ended stays as it is."""
    batch = _batch(call)
    batch.cancel(call.world.now)
    return _shown(call, batch)


def _batch(call: Call) -> Batch:
    batch = call.world.batches.get(call.batch_id)
    if batch.job is None:
        raise ApiError(404, f"No batch {call.batch_id} was found.")
    return batch


def _archived(call: Call, batch: Batch) -> Batch:
    """Let the results go, if a fault wants it. Raises `ApiError` 404 where they are to be read and are gone."""
    if call.action(Archive):
        batch.archived_at = min(batch.archived_at, call.world.now)
    if "file_id" in call.request.path_params and batch.archived(call.world.now):
        raise ApiError(404, f"The results of batch {batch.id} are no longer available.")
    return batch


def _shown(call: Call, batch: Batch) -> JSONResponse:
    return JSONResponse(batch_view(batch, call.world.files, call.world.now))


def _file(call: Call, file: File) -> dict[str, Any]:
    batch = call.world.batches.get(file.batch_id) if file.batch_id else None
    return file_view(file, batch, call.world.settings)


def _page(call: Call, data: list[dict[str, Any]], *, more: bool) -> JSONResponse:
    if call.world.settings.list_form == "array":
        return JSONResponse(data)
    first, last = (data[0]["id"], data[-1]["id"]) if data else (None, None)
    return JSONResponse({"object": "list", "data": data, "has_more": more, "first_id": first, "last_id": last})


def _require(call: Call, *, is_there: bool) -> None:
    if not is_there:
        raise ApiError(404, f"{call.request.url.path} cannot be listed.")


def _limit(text: str | None, usual: int, most: int) -> int:
    if text is None:
        return usual
    if not text.isdecimal() or not 1 <= int(text) <= most:
        raise ApiError(400, f"limit must be from 1 to {most}", param="limit")
    return int(text)


async def _results(call: Call, batch: Batch, file: File) -> AsyncIterator[bytes]:
    sheet = sheets(batch).get(file.kind)
    if sheet is not None:
        for chunk in results(batch, call.action(Spoil), sheet):
            yield chunk
            await asyncio.sleep(0)  # other calls go on between the chunks of a long answer


async def _content(file: File) -> AsyncIterator[bytes]:
    if file.content is not None:
        file.content.seek(0)
        while piece := file.content.read(_CHUNK):
            yield piece
            await asyncio.sleep(0)
