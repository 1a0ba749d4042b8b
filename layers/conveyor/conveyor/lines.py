"""Bytes to lines, split on the line feed only: JSON strings may hold U+2028 and the like, which are not line ends."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

LONGEST_LINE = 32_000_000
"""Bytes. The provider's limit for one request; a longer line is reported, never held in memory."""

BYTE_ORDER_MARK = b"\xef\xbb\xbf"


class Line(NamedTuple):
    """One line of a drop that is not blank."""

    number: int
    """Counted from 1 over all lines, blank ones included."""
    start: int
    """Offset of its first byte in the drop."""
    end: int
    """Offset after its last byte; the line feed is not counted."""
    raw: bytes | None
    """Its bytes without line end and byte order mark; None when it is longer than the limit."""


def read_lines(
    chunks: Iterable[bytes], *, first: int = 1, start: int = 0, longest: int = LONGEST_LINE
) -> Iterator[Line]:
    """Yield the lines of a stream that begins with line `first` at byte `start`, leaving out blank ones.

    Holds one chunk plus the longest line.
    """
    for number, (begin, end, piece) in enumerate(_pieces(chunks, start, longest), first):
        raw = piece and piece.removeprefix(b"" if begin else BYTE_ORDER_MARK).strip(b" \t\r")
        if raw != b"":
            yield Line(number, begin, end, raw)


def _pieces(chunks: Iterable[bytes], start: int, longest: int) -> Iterator[tuple[int, int, bytes | None]]:
    """Yield (start, end, bytes) of each piece between line feeds; None for bytes longer than allowed."""
    held: list[bytes] = []
    size = 0
    for chunk in chunks:
        *complete, rest = chunk.split(b"\n")
        for last in complete:
            size += len(last)
            piece = b"".join((*held, last)) if held else last
            held.clear()
            yield start, start + size, piece if size <= longest else None
            start += size + 1
            size = 0
        size += len(rest)
        if size > longest:
            held = [b""]
        elif rest:
            held.append(rest)
    if size:
        yield start, start + size, b"".join(held) if size <= longest else None
