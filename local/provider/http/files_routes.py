"""The file batch API: the calls under `/v1/files`, and what they share with those under `/v1/batches`."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from local.provider.batches.result_stream import stream_results
from local.provider.errors import FILES_REQUEST_ID, ApiError, ParamError
from local.provider.faults.actions import Archive, Spoil, Unlist
from local.provider.files.file_store import File, UploadedFile, content_chunks, file_object
from local.provider.files.result_writer import format_of
from local.provider.files.upload_form import read_upload_form
from local.provider.http.endpoint import Call, Conventions, endpoint

if TYPE_CHECKING:
    from starlette.requests import Request

    from local.provider.state import Provider

FILES = "/v1/files"
FILE = FILES + "/{file_id}"
MAX_LIMIT = 10_000
MEDIA_TYPE = "application/octet-stream"


def _no_check(_: Request) -> None:
    """Require no header but the key."""


CONVENTIONS = Conventions(_no_check, ApiError.files_response, FILES_REQUEST_ID)


def routes(provider: Provider) -> list[Route]:
    """Return the routes under `/v1/files`."""
    make = partial(endpoint, provider, CONVENTIONS)
    read_results, read_input = make("results", read), make("file", read)

    async def content(request: Request) -> Response:
        is_result = provider.state.files.batch_of(request.path_params["file_id"]) is not None
        return await (read_results if is_result else read_input)(request)

    return [
        Route(FILES, make("upload", upload), methods=["POST"]),
        Route(FILES, make("files", list_page), methods=["GET"]),
        Route(FILE, make("file", retrieve), methods=["GET"]),
        Route(FILE, make("delete_file", delete), methods=["DELETE"]),
        Route(FILE + "/content", content, methods=["GET"]),
    ]


async def upload(call: Call) -> Response:
    """Store a file; its lines are checked when a batch is created from it."""
    limit = call.state.settings.max_file_bytes
    name, content = await read_upload_form(call.request.headers, call.body, limit)
    file = call.state.files.add_upload(name, content, call.state.now)
    if unlist := call.action(Unlist):
        file.hidden_listings = unlist.looks
    return JSONResponse(file_object(file, call.state.settings))


async def retrieve(call: Call) -> Response:
    """Show one file."""
    return JSONResponse(file_object(_file(call), call.state.settings))


async def list_page(call: Call) -> Response:
    """Show a page of files, newest first unless asked otherwise."""
    settings, query = call.state.settings, call.request.query_params
    if not settings.lists_files:
        raise ApiError(405, "Files are not listed here.")
    limit = read_limit(query.get("limit"), MAX_LIMIT, MAX_LIMIT)
    order = query.get("order", "desc")
    if order not in ("asc", "desc"):
        raise ParamError(400, "order must be asc or desc", "order")
    files = call.state.files.listing(call.state.now, purpose=query.get("purpose"), oldest_first=order == "asc")
    if settings.list_form == "array":
        return JSONResponse([file_object(file, settings) for file in files])
    later = files[_index_after(files, query.get("after")) :]
    return JSONResponse(page_object([file_object(file, settings) for file in later[:limit]], more=len(later) > limit))


async def read(call: Call) -> Response:
    """Stream an upload, or a result file of an ended batch."""
    batch = call.state.files.batch_of(call.file_id)
    if batch and call.action(Archive):
        batch.archive(call.state.now)
    file = _file(call)
    if isinstance(file, UploadedFile):
        return StreamingResponse(content_chunks(file.content), media_type=MEDIA_TYPE)
    if not file.has_lines:
        return Response(media_type=MEDIA_TYPE)
    results = stream_results(file.batch, format_of(file.batch, file.fields, file.kind), call.action(Spoil))
    return StreamingResponse(results, media_type=MEDIA_TYPE)


async def delete(call: Call) -> Response:
    """Delete an upload or a result file."""
    file = _file(call)
    file.delete()
    return JSONResponse({"id": file.id, "object": "file", "deleted": True})


def read_limit(text: str | None, default: int, maximum: int) -> int:
    """Read the length of a page; raises `ApiError` 400."""
    if text is None:
        return default
    if not text.isdecimal() or not 1 <= int(text) <= maximum:
        raise ParamError(400, f"limit must be an integer from 1 to {maximum}", "limit")
    return int(text)


def page_object(data: list[dict[str, Any]], *, more: bool) -> dict[str, Any]:
    """Return the page object with its items."""
    first, last = (data[0]["id"], data[-1]["id"]) if data else (None, None)
    return {"object": "list", "data": data, "first_id": first, "last_id": last, "has_more": more}


def _file(call: Call) -> File:
    return call.state.files.get(call.file_id, call.state.now)


def _index_after(files: list[File], file_id: str | None) -> int:
    """Return the index after a file in a listing."""
    if file_id is None:
        return 0
    for index, file in enumerate(files, 1):
        if file.id == file_id:
            return index
    raise ParamError(404, f"No such File object: {file_id}", "after")
