"""The dialect of the files, first half: the calls under `/v1/files`, and the manners of both halves."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from local.provider.batches.result_stream import stream
from local.provider.errors import FILE_REQUEST_ID, ApiError, ParamError
from local.provider.faults.actions import Archive, Spoil, Unlist
from local.provider.files.file_store import File, Input, chunks, view
from local.provider.files.result_writer import form_of
from local.provider.files.upload_form import read_upload
from local.provider.http.endpoint import Call, Manners, endpoint

if TYPE_CHECKING:
    from starlette.requests import Request

    from local.provider.state import Provider

FILES = "/v1/files"
FILE = FILES + "/{file_id}"
MAX_LIMIT = 10_000
MEDIA_TYPE = "application/octet-stream"


def _anything(_: Request) -> None:
    """Ask for no header but the key."""


MANNERS = Manners(_anything, ApiError.file_response, FILE_REQUEST_ID)


def routes(provider: Provider) -> list[Route]:
    """Give the routes of this half."""
    make = partial(endpoint, provider, MANNERS)
    read_results, read_input = make("results", read), make("file", read)

    async def content(request: Request) -> Response:
        result = provider.world.files.batch_of(request.path_params["file_id"]) is not None
        return await (read_results if result else read_input)(request)

    return [
        Route(FILES, make("upload", upload), methods=["POST"]),
        Route(FILES, make("files", list_page), methods=["GET"]),
        Route(FILE, make("file", retrieve), methods=["GET"]),
        Route(FILE, make("delete_file", delete), methods=["DELETE"]),
        Route(FILE + "/content", content, methods=["GET"]),
    ]


async def upload(call: Call) -> Response:
    """Take a file in; what is wrong with its lines shows when a batch is made of it."""
    limit = call.world.settings.max_file_bytes
    name, content = await read_upload(call.request.headers, call.body, limit)
    file = call.world.files.add(name, content, call.world.now)
    if unlist := call.action(Unlist):
        file.unlisted_looks = unlist.looks
    return JSONResponse(view(file, call.world.settings))


async def retrieve(call: Call) -> Response:
    """Show one file."""
    return JSONResponse(view(_file(call), call.world.settings))


async def list_page(call: Call) -> Response:
    """Show a page of files, newest first unless asked otherwise."""
    settings, query = call.world.settings, call.request.query_params
    if not settings.lists_files:
        raise ApiError(405, "Files are not listed here.")
    limit = read_limit(query.get("limit"), MAX_LIMIT, MAX_LIMIT)
    sequence = query.get("order", "desc")
    if sequence not in ("asc", "desc"):
        raise ParamError(400, "order must be asc or desc", "order")
    shown = call.world.files.look(call.world.now, purpose=query.get("purpose"), oldest_first=sequence == "asc")
    if settings.list_form == "array":
        return JSONResponse([view(file, settings) for file in shown])
    later = shown[_place(shown, query.get("after")) :]
    return JSONResponse(page([view(file, settings) for file in later[:limit]], more=len(later) > limit))


async def read(call: Call) -> Response:
    """Stream an upload back, or one of the files of an ended batch."""
    batch = call.world.files.batch_of(call.file_id)
    if batch and call.action(Archive):
        batch.archived_at = min(batch.archived_at, call.world.now)
    file = _file(call)
    if isinstance(file, Input):
        return StreamingResponse(chunks(file.content), media_type=MEDIA_TYPE)
    if not file.filled:
        return Response(media_type=MEDIA_TYPE)
    form = form_of(file.batch, file.job, file.part)
    return StreamingResponse(stream(file.batch, call.action(Spoil), form), media_type=MEDIA_TYPE)


async def delete(call: Call) -> Response:
    """Delete a file, of either kind."""
    file = _file(call)
    file.delete()
    return JSONResponse({"id": file.id, "object": "file", "deleted": True})


def read_limit(text: str | None, default: int, most: int) -> int:
    """Read how long a page may be; raises `ApiError` 400."""
    if text is None:
        return default
    if not text.isdecimal() or not 1 <= int(text) <= most:
        raise ParamError(400, f"limit must be an integer from 1 to {most}", "limit")
    return int(text)


def page(data: list[dict[str, Any]], *, more: bool) -> dict[str, Any]:
    """Give the page object around what it holds."""
    first, last = (data[0]["id"], data[-1]["id"]) if data else (None, None)
    return {"object": "list", "data": data, "first_id": first, "last_id": last, "has_more": more}


def _file(call: Call) -> File:
    return call.world.files.get(call.file_id, call.world.now)


def _place(shown: list[File], after: str | None) -> int:
    """Give the place behind a file in a listing."""
    if after is None:
        return 0
    for place, file in enumerate(shown, 1):
        if file.id == after:
            return place
    raise ParamError(404, f"No such File object: {after}", "after")
