"""S3: who reads or writes an object that a KMS key encrypts needs that key.

MiniStack encrypts nothing and asks nobody. On AWS the caller needs `kms:GenerateDataKey` to write and `kms:Decrypt` to
read, also for the bucket's default encryption, and the key must be enabled. HEAD needs no key. AWS takes `aws:kms`
without a key: that of S3 (`aws/s3`), which everybody in the account may use through S3. And MiniStack's CloudFormation
ignores `BucketEncryption`.
"""
# ruff: noqa: SLF001 - a patch replaces private names

from __future__ import annotations

import json
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qs, unquote

from ministack.core.responses import get_region
from ministack.services import kms, s3
from ministack.services.cloudformation import provisioners

from local.emulation.iam import denial_of_caller
from local.emulation.s3.objects import copy, get_range

type Json = dict[str, Any]
type Answer = tuple[int, dict[str, str], bytes]

SSE = "x-amz-server-side-encryption"
KEY = f"{SSE}-aws-kms-key-id"
MANAGED = "alias/aws/s3"
"""Stands for the key of S3. Nobody can change its policy or disable it."""

BUCKET = provisioners._RESOURCE_HANDLERS["AWS::S3::Bucket"]

create_bucket, update_bucket = BUCKET["create"], BUCKET["update"]
resolve_sse_write_headers = s3._resolve_sse_write_headers
upload_part = s3._upload_part
upload_part_copy = s3._upload_part_copy


def patch() -> None:
    """Apply the patches, after those of `objects`."""
    BUCKET["create"], BUCKET["update"] = _create_bucket, _update_bucket
    s3._resolve_sse_write_headers = _resolve_sse_write_headers
    s3._get_object, s3._copy_object = get, _copy_object
    s3._upload_part, s3._upload_part_copy = _upload_part, _upload_part_copy


def _create_bucket(logical_id: str, properties: Json, stack: str) -> Any:  # noqa: ANN401 - MiniStack's own
    created = create_bucket(logical_id, properties, stack)
    _encrypt(created[0], properties)
    return created


def _update_bucket(physical_id: str, old: Json, new: Json, *more: Any) -> Any:  # noqa: ANN401 - MiniStack's own
    updated = update_bucket(physical_id, old, new, *more)
    _encrypt(updated[0], new)
    return updated


def _encrypt(bucket: str, properties: Json) -> None:
    """Write the default encryption that a template has for a bucket."""
    rules = properties.get("BucketEncryption", {}).get("ServerSideEncryptionConfiguration", [])
    if not rules:
        s3._delete_bucket_encryption(bucket)
        return
    (rule,) = rules
    fields = "".join(f"<{name}>{value}</{name}>" for name, value in rule["ServerSideEncryptionByDefault"].items())
    by_default = f"<ApplyServerSideEncryptionByDefault>{fields}</ApplyServerSideEncryptionByDefault>"
    has_key = f"<BucketKeyEnabled>{str(rule.get('BucketKeyEnabled', False)).lower()}</BucketKeyEnabled>"
    body = f"<ServerSideEncryptionConfiguration><Rule>{by_default}{has_key}</Rule></ServerSideEncryptionConfiguration>"
    s3._put_bucket_encryption(bucket, body.encode())


def _resolve_sse_write_headers(headers: Json, bucket: str) -> tuple[Json | None, Answer | None]:
    """Return what is kept of the encryption of a new object, or an error."""
    if headers.get(SSE) == "aws:kms" and not headers.get(KEY):
        headers = {**headers, KEY: MANAGED}
    kept, error = resolve_sse_write_headers(headers, bucket)
    refused = error or _refused(headers, "kms:GenerateDataKey", (kept or {}).get(KEY))
    return (None, refused) if refused else (kept, None)


def get(bucket: str, key: str, headers: Json, query: Json | None = None) -> Answer:
    """Answer a GET, unless the caller may not use the key of the object."""
    answer = get_range(bucket, key, headers, query)
    is_read = answer[0] in {HTTPStatus.OK, HTTPStatus.PARTIAL_CONTENT}
    return (_refused(headers, "kms:Decrypt", answer[1].get(KEY)) if is_read else None) or answer


def _copy_object(bucket: str, key: str, headers: Json) -> Answer:
    return _source_refused(headers) or copy(bucket, key, headers)


def _upload_part(bucket: str, key: str, body: bytes, query: Json, headers: Json) -> Answer:
    answer: Answer = _upload_refused(headers, query) or upload_part(bucket, key, body, query, headers)
    return answer


def _upload_part_copy(bucket: str, key: str, query: Json, headers: Json) -> Answer:
    refused = _source_refused(headers) or _upload_refused(headers, query)
    answer: Answer = refused or upload_part_copy(bucket, key, query, headers)
    return answer


def _source_refused(headers: Json) -> Answer | None:
    """Return the error if the caller cannot read what is copied."""
    path, _, query = headers.get("x-amz-copy-source", "").lstrip("/").partition("?")
    bucket, _, key = unquote(path).partition("/")
    _, about, _ = s3._head_object(bucket, key, {}, parse_qs(query))
    return _refused(headers, "kms:Decrypt", about.get(KEY))


def _upload_refused(headers: Json, query: Json) -> Answer | None:
    """Return the error if the caller cannot go on with an upload: each part is encrypted with its data key."""
    upload = s3._multipart_uploads.get(s3._qp(query, "uploadId"), {})
    return _refused(headers, "kms:Decrypt", upload.get("preserved_headers", {}).get(KEY))


def _refused(headers: Json, action: str, key: str | None) -> Answer | None:
    if key is None or key == MANAGED:
        return None
    known = kms._resolve_key(key)
    if known is None:
        return _error("KMS.NotFoundException", f"Key '{key}' does not exist")
    reason = denial_of_caller(headers, action, known["Arn"], {"kms:viaservice": f"s3.{get_region()}.amazonaws.com"})
    if reason:
        return _error("AccessDenied", reason, HTTPStatus.FORBIDDEN)
    if unusable := kms._check_key_state(known):
        said = json.loads(unusable[2])
        return _error(f"KMS.{said['__type']}", said["message"])
    return None


def _error(code: str, message: str, status: HTTPStatus = HTTPStatus.BAD_REQUEST) -> Answer:
    answer: Answer = s3._error(code, message, status.value)
    return answer
