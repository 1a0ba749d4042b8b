"""How several objects become one: the parts of a multipart upload. Pure.

S3's limits: https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html
"""

from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import NamedTuple

import msgspec

SMALLEST = 5 * 1024 * 1024
"""Bytes; only the last part of a multipart upload may be smaller."""
_LARGEST = 256 * 1024 * 1024
"""Bytes that one call copies, unless there would be too many: S3 responds only when all are copied."""
_MOST = 10_000
"""Parts of one upload."""


class Range(NamedTuple):
    """Bytes of an object."""

    key: str
    start: int
    end: int

    @property
    def bytes(self) -> int:
        """How many they are."""
        return self.end - self.start


class Piece(NamedTuple):
    """One part of the upload: ranges one after the other. A single one of `SMALLEST` or more is copied by S3 itself."""

    number: int
    """From 1."""
    ranges: tuple[Range, ...]

    @property
    def bytes(self) -> int:
        """How long it is."""
        return sum(each.bytes for each in self.ranges)

    @property
    def is_copied(self) -> bool:
        """Whether S3 copies it itself; else it has less than twice `SMALLEST`, and is read and written."""
        return len(self.ranges) == 1 and self.bytes >= SMALLEST


def pieces_of(objects: Mapping[str, int]) -> list[Piece]:
    """Return the parts that join objects in their order. The same objects always give the same parts.

    `objects`: keys, with the bytes that each has.
    """
    largest = _largest(objects)
    pieces, pending = list[tuple[Range, ...]](), list[Range]()
    for key, size in objects.items():
        start = 0
        if pending:
            start = min(size, SMALLEST - sum(each.bytes for each in pending))
            pending += [Range(key, 0, start)] if start else []
            if sum(each.bytes for each in pending) < SMALLEST:
                continue
            pieces.append(tuple(pending))
            pending.clear()
        while size - start >= SMALLEST:
            end = min(start + largest, size)
            pieces.append((Range(key, start, end),))
            start = end
        pending += [Range(key, start, size)] if start < size else []
    pieces += [tuple(pending)] if pending else []
    return [Piece(number, ranges) for number, ranges in enumerate(pieces, 1)]


def fingerprint(pieces: Sequence[Piece]) -> str:
    """Return the SHA-256 of the keys and ranges of all pieces, in hex: uploads with the same one can be mixed."""
    return sha256(msgspec.json.encode(pieces)).hexdigest()


def _largest(objects: Mapping[str, int]) -> int:
    """Return the longest copy: so long that there are not too many. Each object adds two parts at most."""
    left = max(_MOST - 2 * len(objects), 1)
    return max(_LARGEST, -(-sum(objects.values()) // left))
