"""S3: a missing object is 403 for a caller who may not list the bucket.

MiniStack answers 404 in any case. On AWS only a caller with `s3:ListBucket` learns that an object does not exist. A
request for an object has no prefix, so a permission with a condition on `s3:prefix`, as roles and people have here,
does not count.
"""
# ruff: noqa: SLF001 - a patch replaces private names

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from ministack.services import s3

from local.emulation.iam import denial_of_caller
from local.emulation.s3.encryption import get

type Json = dict[str, Any]
type Answer = tuple[int, dict[str, str], bytes]

head_object = s3._head_object


def patch() -> None:
    """Apply the patches, after those of `encryption`."""
    s3._get_object, s3._head_object = _get_object, _head_object


def _get_object(bucket: str, key: str, headers: Json, query: Json | None = None) -> Answer:
    return _hidden(bucket, key, headers, query, get(bucket, key, headers, query))


def _head_object(bucket: str, key: str, headers: Json | None = None, query: Json | None = None) -> Answer:
    return _hidden(bucket, key, headers or {}, query, head_object(bucket, key, headers, query))


def _hidden(bucket: str, key: str, headers: Json, query: Json | None, answer: Answer) -> Answer:
    """Return an answer as a caller sees it. MiniStack drops the body of one to HEAD."""
    if answer[0] != HTTPStatus.NOT_FOUND or bucket not in s3._buckets:
        return answer
    action = "s3:ListBucketVersions" if (query or {}).get("versionId") else "s3:ListBucket"
    reason = denial_of_caller(headers, action, f"arn:aws:s3:::{bucket}")
    if reason is None:
        return answer
    denied: Answer = s3._error("AccessDenied", reason, HTTPStatus.FORBIDDEN.value, f"/{bucket}/{key}")
    return denied
