"""The Message Batches API: six calls under `/v1/messages/batches`."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, Any

from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from local.provider.batches.result_stream import stream_results
from local.provider.errors import ApiError
from local.provider.faults.actions import Spoil, Unlist
from local.provider.http.endpoint import Call, Conventions, endpoint
from local.provider.messages.batch_object import batch_object
from local.provider.messages.betas import betas_of
from local.provider.messages.params import VERSIONS
from local.provider.messages.read_request import Terms
from local.provider.messages.request_body import read_create_body
from local.provider.messages.result_writer import RESULTS

if TYPE_CHECKING:
    from starlette.requests import Request

    from local.provider.batches.batch import Batch
    from local.provider.state import Provider

BATCHES = "/v1/messages/batches"
BATCH = BATCHES + "/{batch_id}"
DEFAULT_LIMIT, MAX_LIMIT = 20, 1000


def routes(provider: Provider) -> list[Route]:
    """Return the routes of the API."""
    conventions = Conventions(_check_headers, ApiError.messages_response, "request-id", may_be_signed=True)
    make = partial(endpoint, provider, conventions)
    return [
        Route(BATCHES, make("create", create), methods=["POST"]),
        Route(BATCHES, make("list", list_page), methods=["GET"]),
        Route(BATCH, make("retrieve", retrieve), methods=["GET"]),
        Route(BATCH, make("delete", delete), methods=["DELETE"]),
        Route(BATCH + "/cancel", make("cancel", cancel), methods=["POST"]),
        Route(BATCH + "/results", make("results", read_results), methods=["GET"]),
    ]


async def create(call: Call) -> Response:
    """Create a batch. A wrong body is 400; wrong params are an error in the results."""
    state, betas = call.state, betas_of(call.request)
    version = call.request.headers["anthropic-version"]
    terms = Terms(today=state.today, version=version, betas=betas, ids_of_params=state.settings.ids_of_params)
    read = partial(read_create_body, call.body, terms, max_requests=state.settings.max_requests)
    requests = await asyncio.to_thread(read)  # a large body takes seconds, and other calls must not wait
    batch = state.batches.create(requests, state.settings, state.now, betas=betas)
    if unlist := call.action(Unlist):
        batch.hidden_listings = unlist.looks
    return JSONResponse(_batch_object(call, batch))


async def retrieve(call: Call) -> Response:
    """Show one batch."""
    return JSONResponse(_batch_object(call, call.batch("messages")))


async def list_page(call: Call) -> Response:
    """Show a page of batches, newest first."""
    query = call.request.query_params
    after_id, before_id = query.get("after_id"), query.get("before_id")
    if after_id and before_id:
        raise ApiError(400, "before_id: after_id and before_id exclude each other")
    batches, more = call.state.batches.page(_limit(query.get("limit")), after_id, before_id)
    data = [_batch_object(call, batch) for batch in batches]
    first, last = (data[0]["id"], data[-1]["id"]) if data else (None, None)
    return JSONResponse({"data": data, "has_more": more, "first_id": first, "last_id": last})


async def read_results(call: Call) -> Response:
    """Stream the results of an ended batch."""
    batch = call.batch("messages")
    now = call.state.now
    if not batch.ended(now):
        raise ApiError(404, f"Batch {batch.id} has no results yet: it is {batch.status(now)}.")
    if batch.archived(now):
        raise ApiError(404, f"The results of batch {batch.id} are no longer available.")
    return StreamingResponse(stream_results(batch, RESULTS, call.action(Spoil)), media_type="application/x-jsonl")


async def cancel(call: Call) -> Response:
    """Start to cancel a batch."""
    batch = call.batch("messages")
    batch.cancel(call.state.now)
    return JSONResponse(_batch_object(call, batch))


async def delete(call: Call) -> Response:
    """Delete an ended batch."""
    call.state.batches.delete(call.batch_id, call.state.now)
    return JSONResponse({"id": call.batch_id, "type": "message_batch_deleted"})


def _batch_object(call: Call, batch: Batch) -> dict[str, Any]:
    origin = call.state.settings.results_origin or str(call.request.base_url)
    return batch_object(batch, call.state.now, origin.rstrip("/"))


def _limit(text: str | None) -> int:
    if text is None:
        return DEFAULT_LIMIT
    if not text.isdecimal() or not 1 <= int(text) <= MAX_LIMIT:
        raise ApiError(400, f"limit: Input should be a valid integer from 1 to {MAX_LIMIT}")
    return int(text)


def _check_headers(request: Request) -> None:
    version = request.headers.get("anthropic-version")
    if version is None:
        raise ApiError(400, "anthropic-version: header is required")
    if version not in VERSIONS:
        raise ApiError(400, f'anthropic-version: "{version}" is not a valid version')
    betas_of(request)
