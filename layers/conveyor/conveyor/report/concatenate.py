"""Concatenate the parts that several batches have written into one file. S3 copies ranges of 5 MiB and more itself."""

from collections.abc import Mapping

from conveyor.domain.output_file import OutputFile
from conveyor.s3.bucket import Bucket
from conveyor.s3.multipart import MultipartUpload

_SMALLEST = 5 * 1024 * 1024
"""Bytes; only the last part of a multipart upload may be smaller."""
_LARGEST = 1024 * 1024 * 1024
"""Bytes copied by one call. S3 allows five times as many, but responds only when all are copied."""


def concatenate(bucket: Bucket, key: str, parts: list[OutputFile], metadata: Mapping[str, str]) -> None:
    """Write an object that consists of others, one after the other. Holds 5 MiB in memory."""
    total = sum(part.bytes for part in parts)
    if total < _SMALLEST:
        whole = b"".join(bucket.get(part.key) for part in parts)
        _check(key, len(whole), total)
        bucket.put(key, whole, metadata)
        return
    pending = b""
    with bucket.upload(key, metadata) as upload:
        for part in parts:
            pending = _append(bucket, upload, part, pending)
        if pending:
            upload.add(pending)
        _check(key, upload.bytes, total)


def _check(key: str, found: int, expected: int) -> None:
    if found != expected:
        raise RuntimeError(f"{key}: parts total {found} bytes, expected {expected}")


def _append(bucket: Bucket, upload: MultipartUpload, part: OutputFile, pending: bytes) -> bytes:
    """Add an object after bytes that are too few for a part; return its last bytes if they are too few for a part."""
    start = min(part.bytes, _SMALLEST - len(pending)) if pending else 0
    if pending:
        pending += bucket.range(part.key, 0, start) if start else b""
        if len(pending) < _SMALLEST:
            return pending
        upload.add(pending)
    while part.bytes - start >= _SMALLEST:
        end = min(start + _LARGEST, part.bytes)
        upload.copy(part.key, start, end)
        start = end
    return bucket.range(part.key, start, part.bytes) if start < part.bytes else b""
