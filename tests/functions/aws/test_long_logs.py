"""The local AWS returns long logs in pages, as AWS does, since system tests search logs of over 10,000 events."""

from __future__ import annotations

from itertools import batched
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from local.stack.local_aws import Aws

GROUP = "/long"
EVENTS = [f"event {number}" for number in range(20_100)]


def test_a_long_log_is_read_to_its_end(aws: Aws) -> None:
    """Each event comes once and in order, even if a page ends between events of one time; a filter finds the last."""
    logs = aws.client("logs")
    logs.create_log_group(logGroupName=GROUP)
    logs.create_log_stream(logGroupName=GROUP, logStreamName="one")
    for page, texts in enumerate(batched(EVENTS, 3_000, strict=False)):
        events = [{"timestamp": 1_000 + page, "message": message} for message in texts]
        logs.put_log_events(logGroupName=GROUP, logStreamName="one", logEvents=events)

    def read(**more: object) -> list[str]:
        pages = logs.get_paginator("filter_log_events").paginate(logGroupName=GROUP, **more)
        return [event["message"] for page in pages for event in page["events"]]

    assert read() == EVENTS
    assert read(limit=7_000, startTime=1_001) == EVENTS[3_000:]
    assert read(filterPattern=f'"{EVENTS[-1]}"') == EVENTS[-1:]
    assert logs.filter_log_events(logGroupName=GROUP, limit=2)["events"][1]["message"] == EVENTS[1]
