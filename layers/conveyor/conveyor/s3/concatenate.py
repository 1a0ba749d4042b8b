"""Concatenate objects into one, such as the parts of several batches: several pieces at a time.

S3 copies ranges of 5 MiB and more itself.
"""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from conveyor.s3.bucket import Bucket
from conveyor.s3.multipart import NumberedUpload
from conveyor.s3.pieces import SMALLEST, Piece, pieces_of

_AT_ONCE = 8
"""Parts that are written at the same time. S3 copies each at some 100 MB/s; at most 10 MiB of each are in memory."""


def is_small(objects: Mapping[str, int]) -> bool:
    """Tell whether objects are joined by one write. `objects`: keys, with the bytes that each has."""
    return sum(objects.values()) < SMALLEST


def concatenate(bucket: Bucket, key: str, objects: Mapping[str, int], metadata: Mapping[str, str]) -> None:
    """Write an object that consists of others, one after the other; nothing is left if that fails."""
    if is_small(objects):
        whole = b"".join(map(bucket.get, objects))
        _check(key, len(whole), sum(objects.values()))
        bucket.put(key, whole, metadata)
        return
    upload = bucket.begin_upload(key, metadata)
    try:
        write_pieces(bucket, upload, pieces_of(objects))
        upload.complete()
    except BaseException:
        upload.abort()
        raise


def write_pieces(bucket: Bucket, upload: NumberedUpload, pieces: Sequence[Piece]) -> int:
    """Write the parts that an upload lacks; return how many. What was written stays if a part fails."""
    missing = [piece for piece in pieces if piece.number not in upload.written]
    with ThreadPoolExecutor(_AT_ONCE) as writers:
        try:
            list(writers.map(partial(_write, bucket, upload), missing))
        except BaseException:
            writers.shutdown(wait=True, cancel_futures=True)
            raise
    return len(missing)


def _write(bucket: Bucket, upload: NumberedUpload, piece: Piece) -> None:
    if piece.is_copied:
        upload.copy(piece.number, *piece.ranges[0])
        return
    data = b"".join(bucket.range(*each) for each in piece.ranges)
    _check(upload.key, len(data), piece.bytes)
    upload.put(piece.number, data)


def _check(key: str, found: int, expected: int) -> None:
    if found != expected:
        raise RuntimeError(f"{key}: parts total {found} bytes, expected {expected}")
