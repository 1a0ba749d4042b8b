"""Reads the rule for uploads, and tries it: with an object that starts no run."""

from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic, sleep, time
from typing import Any
from uuid import uuid4

from conveyor.domain import keys
from conveyor_cli.aws.errors import answer
from conveyor_cli.doctor.checks import uploads
from conveyor_cli.doctor.finding import Finding
from conveyor_cli.doctor.reading.desk import Desk

_GONE = "ResourceNotFoundException"
_PAUSE = 1.0
_AGAIN = 60.0
"""Seconds after which another test upload is made: what comes before a new rule delivers is lost."""
_EARLIER = 300
"""Seconds by which the clock of this machine may be fast."""


def rule(desk: Desk) -> Finding:
    """Read the rule, its target, and whether it may call submit."""
    events, name, function = desk.client("events"), desk.id("SubmitUpload"), desk.id("Submit")
    answers = {
        "DescribeRule": answer(lambda: events.describe_rule(Name=name), _GONE),
        "ListTargetsByRule": answer(lambda: events.list_targets_by_rule(Rule=name), _GONE),
        "GetPolicy": answer(lambda: desk.client("lambda").get_policy(FunctionName=function), _GONE),
    }
    expected = desk.template.properties("SubmitUpload")
    return uploads.rule(desk.region, name, expected, expected["Targets"][0]["Arn"], answers)


def delivery(desk: Desk, seconds: float) -> Finding:
    """Upload the marker of a folder, which `submit` ignores, and wait until its log names it.

    `seconds`: the longest wait.
    """
    token, log = f"doctor-{uuid4().hex[:12]}", desk.id("SubmitLog")
    _is_logged(desk, log, token)  # before there is something to remove
    began = monotonic()
    with _markers(desk, f"{keys.INBOX}{token}/") as put:
        sent = -_AGAIN
        while (elapsed := monotonic() - began) < seconds:
            if elapsed - sent >= _AGAIN:
                put()
                sent = elapsed
            if _is_logged(desk, log, token):
                return uploads.delivery(desk.region, log, seconds, monotonic() - began)
            sleep(min(_PAUSE, seconds))
    return uploads.delivery(desk.region, log, seconds, None)


@contextmanager
def _markers(desk: Desk, key: str) -> Iterator[Any]:
    """Yield what uploads a marker; all of them are removed at the end, in all versions."""
    s3, of = desk.client("s3"), {"Bucket": desk.bucket, "Key": key}
    versions = list[str | None]()
    try:
        yield lambda: versions.append(s3.put_object(**of, Body=b"").get("VersionId"))
    finally:
        for version in versions:
            s3.delete_object(**of, **({"VersionId": version} if version else {}))


def _is_logged(desk: Desk, log: str, token: str) -> bool:
    """Return whether a log has a line with a text, of the last minutes."""
    pages = desk.client("logs").get_paginator("filter_log_events")
    start = int((time() - _EARLIER) * 1000)
    found = pages.paginate(logGroupName=log, filterPattern=f'"{token}"', startTime=start)
    return any(page["events"] for page in found)
