"""The parts that several batches made become one file. S3 copies what it can: stretches of 5 MiB and more."""

from collections.abc import Mapping

from conveyor.domain.output_file import OutputFile
from conveyor.s3.bucket import Bucket
from conveyor.s3.multipart import MultipartUpload

_SMALLEST = 5 * 1024 * 1024
"""Bytes; only the last part of a multipart upload may be smaller."""
_LARGEST = 1024 * 1024 * 1024
"""Bytes copied by one call; S3 would take five times as many, and answers when it has them."""


def join(bucket: Bucket, key: str, parts: list[OutputFile], metadata: Mapping[str, str]) -> None:
    """Write an object that holds some others one after the other. Holds 5 MiB."""
    total = sum(part.bytes for part in parts)
    if total < _SMALLEST:
        whole = b"".join(bucket.get(part.key) for part in parts)
        _check(key, len(whole), total)
        bucket.put(key, whole, metadata)
        return
    held = b""
    with bucket.upload(key, metadata) as upload:
        for part in parts:
            held = _append(bucket, upload, part, held)
        if held:
            upload.add(held)
        _check(key, upload.bytes, total)


def _check(key: str, found: int, expected: int) -> None:
    if found != expected:
        raise RuntimeError(f"{key}: its parts hold {found} bytes, and not the {expected} of their accounts")


def _append(bucket: Bucket, upload: MultipartUpload, part: OutputFile, held: bytes) -> bytes:
    """Add an object after some bytes that are too few for a part; return those that are too few now."""
    start = min(part.bytes, _SMALLEST - len(held)) if held else 0
    if held:
        held += bucket.range(part.key, 0, start) if start else b""
        if len(held) < _SMALLEST:
            return held
        upload.add(held)
    while part.bytes - start >= _SMALLEST:
        end = min(start + _LARGEST, part.bytes)
        upload.copy(part.key, start, end)
        start = end
    return bucket.range(part.key, start, part.bytes) if start < part.bytes else b""
