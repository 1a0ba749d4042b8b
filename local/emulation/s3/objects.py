"""S3: ranges of a version, events that name the version, the ETag of a copy, and the minimum size of a part.

MiniStack ignores `Range` if a version is named, and leaves the version out of its events. It gives a copy the ETag of
its source; on AWS it is the MD5 of the bytes, also if the source was uploaded in parts. And it accepts parts of an
upload that are smaller than 5 MiB before the last one.
"""
# ruff: noqa: SLF001 - a patch replaces private names

from __future__ import annotations

import json
import re
from contextvars import ContextVar
from hashlib import md5
from http import HTTPStatus
from typing import Any

from ministack.services import eventbridge, s3

type Json = dict[str, Any]
type Answer = tuple[int, dict[str, str], bytes]

MIN_PART_BYTES = 5 * 1024**2

get_object = s3._get_object
fire_s3_event = s3._fire_s3_event
dispatch_event = eventbridge._dispatch_event
copy_object = s3._copy_object
record_object_version = s3._record_object_version
complete_multipart_upload = s3._complete_multipart_upload

event_version: ContextVar[str | None] = ContextVar("event_version", default=None)
copied_etags: ContextVar[dict[str, str] | None] = ContextVar("copied_etags", default=None)
"""While an object is copied: the ETag of the source -> that of the copy."""


def patch() -> None:
    """Apply the patches."""
    s3._get_object = get_range
    s3._fire_s3_event = _fire_s3_event
    s3._copy_object = copy
    s3._record_object_version = _record_object_version
    s3._complete_multipart_upload = _complete_multipart_upload
    eventbridge._dispatch_event = _dispatch_event


def get_range(bucket: str, key: str, headers: dict[str, str], query: Json | None = None) -> Answer:
    """Answer a range of a version with 206 and its bytes, without checksums of the whole object."""
    status, answer_headers, body = get_object(bucket, key, headers, query)
    requested = headers.get("range", "")
    limits = s3._parse_range(requested, len(body)) if requested and status == HTTPStatus.OK else None
    if limits is None:
        return status, answer_headers, body
    start, end = limits
    kept = {name: value for name, value in answer_headers.items() if not name.lower().startswith("x-amz-checksum")}
    kept |= {"Content-Range": f"bytes {start}-{end}/{len(body)}", "Content-Length": str(end - start + 1)}
    return HTTPStatus.PARTIAL_CONTENT.value, kept, body[start : end + 1]


def copy(bucket: str, key: str, headers: dict[str, str]) -> Answer:
    """Copy an object, and answer with the ETag of the copy."""
    etags = dict[str, str]()
    token = copied_etags.set(etags)
    try:
        status, answer_headers, body = copy_object(bucket, key, headers)
    finally:
        copied_etags.reset(token)
    for source, copy in etags.items():
        body = body.replace(source.strip('"').encode(), copy.strip('"').encode())
    return status, answer_headers, body


def _record_object_version(bucket: str, key: str, prior: Json | None, stored: Json, data: bytes) -> str | None:
    """Give a copy its own ETag before it is stored."""
    etags = copied_etags.get()
    if etags is not None:
        source, stored["etag"] = stored["etag"], f'"{md5(data, usedforsecurity=False).hexdigest()}"'
        etags[source] = stored["etag"]
    version_id: str | None = record_object_version(bucket, key, prior, stored, data)
    return version_id


def _fire_s3_event(*args: object, version_id: str | None = None, **kwargs: object) -> None:
    """Keep the version while the event is built, which happens in a thread and context of its own."""
    event_version.set(version_id)
    etags = copied_etags.get() or {}
    fire_s3_event(*[etags.get(str(arg), arg) for arg in args], version_id=version_id, **kwargs)


def _dispatch_event(event: Json, *args: object) -> None:
    if event["Source"] == "aws.s3" and event_version.get():
        detail = json.loads(event["Detail"])
        detail["object"]["version-id"] = event_version.get()
        event = event | {"Detail": json.dumps(detail)}
    dispatch_event(event, *args)


def _complete_multipart_upload(bucket: str, key: str, body: bytes, query: Json, *args: object) -> Answer:
    upload = s3._multipart_uploads.get(s3._qp(query, "uploadId"), {"parts": {}})
    numbers = sorted(map(int, re.findall(rb"<PartNumber>(\d+)</PartNumber>", body)))
    parts = [upload["parts"].get(number) for number in numbers[:-1]]
    if any(part and len(part["body"]) < MIN_PART_BYTES for part in parts):
        message = "Your proposed upload is smaller than the minimum allowed size"
        refusal: Answer = s3._error("EntityTooSmall", message, 400, f"/{bucket}/{key}")
        return refusal
    answer: Answer = complete_multipart_upload(bucket, key, body, query, *args)
    return answer
