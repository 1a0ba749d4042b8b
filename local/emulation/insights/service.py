"""The API of Logs Insights: StartQuery and GetQueryResults.

MiniStack ignores what it does not understand of a query, finds no fields in messages, and answers with results at once.
Here a query is run in full or refused with MalformedQueryException. Its results are there a moment after the start:
until then its status is Running, as a caller on AWS sees it.
"""
# ruff: noqa: SLF001 - a patch replaces private names

from __future__ import annotations

import time
from typing import Any
from uuid import uuid4

from ministack.core.responses import error_response_json, get_account_id, json_response
from ministack.services import cloudwatch_logs as logs

from local.emulation.insights import queries
from local.emulation.insights.events import Row, row
from local.emulation.insights.expressions import timestamp
from local.emulation.insights.values import Malformed

type Json = dict[str, Any]
type Answer = tuple[int, dict[str, str], bytes]

MAX_GROUPS = 50
SECONDS = 0.2
"""That a query runs at least."""

get_query_results = logs._get_query_results
ready: dict[str, float] = {}
"""When queries have results, by the monotonic clock."""


def patch() -> None:
    """Apply the patches."""
    logs._start_query = _start_query
    logs._get_query_results = _get_query_results


def groups(request: Json) -> list[str]:
    """Return the names of the log groups of a query. Raises ValueError."""
    given = [name for name in ("logGroupName", "logGroupNames", "logGroupIdentifiers") if request.get(name)]
    if len(given) != 1:
        raise ValueError("give exactly one of logGroupName, logGroupNames and logGroupIdentifiers")
    names = request[given[0]]
    names = [names] if isinstance(names, str) else names
    if len(names) > MAX_GROUPS:
        raise ValueError(f"at most {MAX_GROUPS} log groups can be queried")
    return [name.partition(":log-group:")[2].removesuffix(":*") if name.startswith("arn:") else name for name in names]


def _start_query(request: Json) -> Answer:
    try:
        success: Answer = json_response({"queryId": _run(request)})
    except Malformed as error:
        place = {"startCharOffset": error.start, "endCharOffset": error.end}
        detail = {"queryCompileError": {"location": place, "message": str(error)}}
        return _refused("MalformedQueryException", str(error), detail)
    except LookupError as error:
        return _refused("ResourceNotFoundException", f"Log group '{error.args[0]}' does not exist")
    except ValueError as error:
        return _refused("InvalidParameterException", str(error))
    return success


def _refused(code: str, message: str, extra: Json | None = None) -> Answer:
    answer: Answer = error_response_json(code, message, 400, extra)
    return answer


def _run(request: Json) -> str:
    """Run a query, and return its id. Raises Malformed, LookupError (no such group) or ValueError."""
    names, limit = groups(request), int(request.get("limit", queries.MAX_ROWS))
    if request.get("queryLanguage", "CWLI") != "CWLI":
        raise ValueError("only the language CWLI is known here")
    if not 1 <= limit <= queries.MAX_ROWS:
        raise ValueError(f"limit must be between 1 and {queries.MAX_ROWS}")
    if request["startTime"] > request["endTime"]:
        raise ValueError("startTime must not be after endTime")
    query = queries.parse(request["queryString"])
    events = sorted(
        (event for name in names for event in _events(name, request["startTime"], request["endTime"])),
        key=lambda event: event.time,
    )
    size = sum(len(str(event.values["@message"]).encode()) for event in events)
    results = query.run(events, limit)
    query_id = str(uuid4())
    logs._queries[query_id] = {
        **request, "queryId": query_id, "status": "Complete", "results": results,
        "statistics": {"recordsMatched": float(len(results)), "recordsScanned": float(len(events)),
                       "bytesScanned": float(size)},
    }  # fmt: skip
    ready[query_id] = time.monotonic() + SECONDS
    return query_id


def _events(group: str, start: int, end: int) -> list[Row]:
    """Return the events of a log group between two times, in seconds. Raises LookupError."""
    if group not in logs._log_groups:
        raise LookupError(group)
    streams = list(logs._log_groups[group]["streams"].items())
    found = [(name, number, event) for name, stream in streams for number, event in enumerate(list(stream["events"]))]
    return [
        row(
            {
                "@timestamp": timestamp(event["timestamp"]),
                "@message": event["message"],
                "@logStream": stream,
                "@log": f"{get_account_id()}:{group}",
                "@ptr": f"{group}:{stream}:{number}",
                "@ingestionTime": timestamp(event["ingestionTime"]),
            },
            event["timestamp"],
        )
        for stream, number, event in found
        if start * 1000 <= event["timestamp"] <= end * 1000
    ]


def _get_query_results(request: Json) -> Answer:
    if time.monotonic() < ready.get(request["queryId"], 0):
        zero = dict.fromkeys(("recordsMatched", "recordsScanned", "bytesScanned"), 0.0)
        running: Answer = json_response({"status": "Running", "results": [], "statistics": zero})
        return running
    answer: Answer = get_query_results(request)
    return answer
