"""`aws logs tail`, as AWS CLI v2 does it: the events of a log group, the oldest first."""

from __future__ import annotations

import re
import time
from datetime import UTC, datetime
from typing import Any

from tests.support.shell.words import Misuse, options

_SECONDS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 604_800}
_OPTIONS = {"since", "filter-pattern", "region"}


def tail(client: Any, words: list[str], needed: set[tuple[str, str]]) -> bytes:
    """Print the events of a log group since some time; `needed`: gets the permission that it takes. Raises Misuse."""
    given, rest = options(words)
    since = re.fullmatch(r"(\d+)([smhdw])", given.get("since", "10m"))
    if len(rest) != 1 or given.keys() - _OPTIONS or since is None:
        raise Misuse(f"logs tail: {words}")
    (group,) = rest
    needed.add(("logs:FilterLogEvents", group))
    start = int((time.time() - int(since[1]) * _SECONDS[since[2]]) * 1_000)
    pattern = {"filterPattern": given["filter-pattern"]} if "filter-pattern" in given else {}
    pages = client.get_paginator("filter_log_events").paginate(logGroupName=group, startTime=start, **pattern)
    lines = (
        f"{datetime.fromtimestamp(event['timestamp'] / 1_000, UTC):%Y-%m-%dT%H:%M:%S.%f+00:00} "
        f"{event['logStreamName']} {event['message'].rstrip()}\n"
        for page in pages
        for event in page["events"]
    )
    return "".join(lines).encode()
