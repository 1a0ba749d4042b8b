"""S3: ranges of a version, and events that name the version.

MiniStack ignores `Range` where a version is named and answers with the whole object, and its event of an upload does
not say which version it was. AWS cuts and says both.
"""
# ruff: noqa: SLF001 - a mend reaches inside

from __future__ import annotations

import json
from contextvars import ContextVar
from http import HTTPStatus
from typing import Any

from ministack.services import eventbridge, s3

type Json = dict[str, Any]
type Answer = tuple[int, dict[str, str], bytes]

get_object = s3._get_object
fire_s3_event = s3._fire_s3_event
dispatch_event = eventbridge._dispatch_event

version: ContextVar[str | None] = ContextVar("version", default=None)


def mend() -> None:
    """Put the mends in place."""
    s3._get_object = _get_object
    s3._fire_s3_event = _fire_s3_event
    eventbridge._dispatch_event = _dispatch_event


def _get_object(bucket: str, key: str, headers: dict[str, str], query: Json | None = None) -> Answer:
    """Answer a range of a version as one of the current version is: 206, cut, without whole-object checksums."""
    status, about, body = get_object(bucket, key, headers, query)
    asked = headers.get("range", "")
    cut = s3._parse_range(asked, len(body)) if asked and status == HTTPStatus.OK else None
    if cut is None:
        return status, about, body
    start, end = cut
    about = {name: value for name, value in about.items() if not name.lower().startswith("x-amz-checksum")}
    about |= {"Content-Range": f"bytes {start}-{end}/{len(body)}", "Content-Length": str(end - start + 1)}
    return HTTPStatus.PARTIAL_CONTENT.value, about, body[start : end + 1]


def _fire_s3_event(*what: object, version_id: str | None = None, **more: object) -> None:
    """Note the version while the event is made, which is in a thread and context of its own."""
    version.set(version_id)
    fire_s3_event(*what, version_id=version_id, **more)


def _dispatch_event(event: Json, *more: object) -> None:
    if event["Source"] == "aws.s3" and version.get():
        detail = json.loads(event["Detail"])
        detail["object"]["version-id"] = version.get()
        event = event | {"Detail": json.dumps(detail)}
    dispatch_event(event, *more)
