"""S3: every part of an upload but the last one has at least 5 MiB, as on AWS; MiniStack takes smaller ones."""
# ruff: noqa: SLF001 - a mend reaches inside

from __future__ import annotations

import re
from typing import Any

from ministack.services import s3

type Json = dict[str, Any]
type Answer = tuple[int, dict[str, str], bytes]

SMALLEST_PART = 5 * 1024**2

complete_multipart_upload = s3._complete_multipart_upload


def mend() -> None:
    """Put the mend in place."""
    s3._complete_multipart_upload = _complete_multipart_upload


def _complete_multipart_upload(bucket: str, key: str, body: bytes, query: Json, *more: object) -> Answer:
    upload = s3._multipart_uploads.get(s3._qp(query, "uploadId"), {"parts": {}})
    numbers = sorted(map(int, re.findall(rb"<PartNumber>(\d+)</PartNumber>", body)))
    parts = [upload["parts"].get(number) for number in numbers[:-1]]
    if any(part and len(part["body"]) < SMALLEST_PART for part in parts):
        words = "Your proposed upload is smaller than the minimum allowed size"
        refusal: Answer = s3._error("EntityTooSmall", words, 400, f"/{bucket}/{key}")
        return refusal
    answer: Answer = complete_multipart_upload(bucket, key, body, query, *more)
    return answer
