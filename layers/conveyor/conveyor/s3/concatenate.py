"""Concatenate objects into one, such as the parts of several batches. S3 copies ranges of 5 MiB and more itself."""

from collections.abc import Mapping

from conveyor.s3.bucket import Bucket
from conveyor.s3.multipart import MultipartUpload

_SMALLEST = 5 * 1024 * 1024
"""Bytes; only the last part of a multipart upload may be smaller."""
_LARGEST = 1024 * 1024 * 1024
"""Bytes copied by one call. S3 allows five times as many, but responds only when all are copied."""


def concatenate(bucket: Bucket, key: str, parts: Mapping[str, int], metadata: Mapping[str, str]) -> None:
    """Write an object that consists of others, one after the other. Holds 5 MiB in memory.

    `parts`: their keys, with the bytes that each has.
    """
    total = sum(parts.values())
    if total < _SMALLEST:
        whole = b"".join(map(bucket.get, parts))
        _check(key, len(whole), total)
        bucket.put(key, whole, metadata)
        return
    pending = b""
    with bucket.upload(key, metadata) as upload:
        for part, size in parts.items():
            pending = _append(bucket, upload, part, size, pending)
        if pending:
            upload.add(pending)
        _check(key, upload.bytes, total)


def _check(key: str, found: int, expected: int) -> None:
    if found != expected:
        raise RuntimeError(f"{key}: parts total {found} bytes, expected {expected}")


def _append(bucket: Bucket, upload: MultipartUpload, part: str, size: int, pending: bytes) -> bytes:
    """Add an object after bytes that are too few for a part; return its last bytes if they are too few for a part."""
    start = min(size, _SMALLEST - len(pending)) if pending else 0
    if pending:
        pending += bucket.range(part, 0, start) if start else b""
        if len(pending) < _SMALLEST:
            return pending
        upload.add(pending)
    while size - start >= _SMALLEST:
        end = min(start + _LARGEST, size)
        upload.copy(part, start, end)
        start = end
    return bucket.range(part, start, size) if start < size else b""
