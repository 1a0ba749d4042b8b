"""S3: ranges of a version, events that name the version, and the ETag of a copy.

MiniStack ignores `Range` where a version is named and answers with the whole object, and its event of an upload does
not say which version it was. AWS cuts and says both. MiniStack also gives a copy the ETag of its source; on AWS a
CopyObject makes an ETag of its own, the MD5 of the bytes, also where the source was uploaded in parts.
"""
# ruff: noqa: SLF001 - a mend reaches inside

from __future__ import annotations

import json
from contextvars import ContextVar
from hashlib import md5
from http import HTTPStatus
from typing import Any

from ministack.services import eventbridge, s3

type Json = dict[str, Any]
type Answer = tuple[int, dict[str, str], bytes]

get_object = s3._get_object
fire_s3_event = s3._fire_s3_event
dispatch_event = eventbridge._dispatch_event
copy_object = s3._copy_object
record_object_version = s3._record_object_version

version: ContextVar[str | None] = ContextVar("version", default=None)
copied: ContextVar[dict[str, str] | None] = ContextVar("copied", default=None)
"""While an object is copied: the ETag of the source, and that of the copy."""


def mend() -> None:
    """Put the mends in place."""
    s3._get_object = _get_object
    s3._fire_s3_event = _fire_s3_event
    s3._copy_object = _copy_object
    s3._record_object_version = _record_object_version
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


def _copy_object(bucket: str, key: str, headers: dict[str, str]) -> Answer:
    """Copy an object, and name the copy's own ETag."""
    etags = dict[str, str]()
    token = copied.set(etags)
    try:
        status, about, body = copy_object(bucket, key, headers)
    finally:
        copied.reset(token)
    for source, copy in etags.items():
        body = body.replace(source.strip('"').encode(), copy.strip('"').encode())
    return status, about, body


def _record_object_version(bucket: str, key: str, prior: Json | None, stored: Json, data: bytes) -> str | None:
    """Give a copy its own ETag before it is written down."""
    etags = copied.get()
    if etags is not None:
        source, stored["etag"] = stored["etag"], f'"{md5(data, usedforsecurity=False).hexdigest()}"'
        etags[source] = stored["etag"]
    version_id: str | None = record_object_version(bucket, key, prior, stored, data)
    return version_id


def _fire_s3_event(*what: object, version_id: str | None = None, **more: object) -> None:
    """Note the version while the event is made, which is in a thread and context of its own."""
    version.set(version_id)
    etags = copied.get() or {}
    fire_s3_event(*[etags.get(str(each), each) for each in what], version_id=version_id, **more)


def _dispatch_event(event: Json, *more: object) -> None:
    if event["Source"] == "aws.s3" and version.get():
        detail = json.loads(event["Detail"])
        detail["object"]["version-id"] = version.get()
        event = event | {"Detail": json.dumps(detail)}
    dispatch_event(event, *more)
