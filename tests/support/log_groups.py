"""Log groups of the local AWS with lines in them, and queries of them."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mypy_boto3_logs import CloudWatchLogsClient

type Json = dict[str, Any]

SECONDS = 60.0


def write(logs: CloudWatchLogsClient, group: str, *lines: Json, seconds_apart: int = 1) -> None:
    """Create a log group with these lines, the last of them now."""
    logs.create_log_group(logGroupName=group)
    logs.create_log_stream(logGroupName=group, logStreamName="s")
    start = int(time.time() * 1000) - 1000 * seconds_apart * (len(lines) - 1)
    events = [
        {"timestamp": start + 1000 * seconds_apart * number, "message": json.dumps(line)}
        for number, line in enumerate(lines)
    ]
    logs.put_log_events(logGroupName=group, logStreamName="s", logEvents=events)  # type: ignore[arg-type]


def ask(logs: CloudWatchLogsClient, query: str, *groups: str, **more: Any) -> list[dict[str, str]]:
    """Run a query of the last hour, and return its rows."""
    now = int(time.time())
    started = logs.start_query(
        logGroupNames=list(groups), startTime=now - 3600, endTime=now + 60, queryString=query, **more
    )  # fmt: skip
    deadline = time.monotonic() + SECONDS
    while (answer := logs.get_query_results(queryId=started["queryId"]))["status"] == "Running":
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert answer["status"] == "Complete"
    return [{field["field"]: field["value"] for field in row} for row in answer["results"]]
