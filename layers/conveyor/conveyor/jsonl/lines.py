"""Split bytes into lines at line feeds only: JSON strings may contain U+2028 and the like, which are not line ends."""

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

LONGEST_LINE = 32_000_000
"""Bytes. The provider's limit for one request; a longer line is reported, never held in memory."""

BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_BLANK = b" \t\r"
_BEGINS_BLANK = _BLANK + b"\n" + BYTE_ORDER_MARK[:1]
BLOCK_BYTES = 1 << 18
"""Lines are read in blocks of this size, which fit the processor's cache. A block is longer only for one long line."""
_WHITE = re.compile(rb"[ \t\r\n]*+(?:\xef\xbb\xbf[ \t\r\n]*+)*+")


class Line(NamedTuple):
    """One line of a drop that is not blank."""

    number: int
    """Counted from 1 over all lines, blank ones included."""
    start: int
    """Offset of its first byte in the drop."""
    end: int
    """Offset after its last byte; the line feed is not counted."""
    raw: bytes | None
    """Its bytes without line end and byte order marks; None when it is longer than the limit."""
    before: bytes = b""
    """Its indentation and byte order marks: they count when a message names a place in the line."""


class LineBlock(NamedTuple):
    """Consecutive lines, each with its line feed; the last line of a drop may have none."""

    data: bytes | None
    """The bytes that contain them, which are not copied; None for one line that is longer than the limit."""
    begin: int
    end: int
    """Their place in `data`. If a line is too long, `end` is its number of bytes, without its line feed."""
    start: int
    """Offset of their first byte in the drop."""


def read_lines(
    chunks: Iterable[bytes], *, first: int = 1, start: int = 0, longest: int = LONGEST_LINE
) -> Iterator[Line]:
    """Yield the lines of a stream that begins with line `first` at byte `start`, except blank ones.

    Holds one chunk and the longest line in memory.
    """
    for block in read_blocks(chunks, start=start, longest=longest):
        yield from split_block(block, first, longest)
        first += lines_in(block)


def read_blocks(chunks: Iterable[bytes], *, start: int = 0, longest: int = LONGEST_LINE) -> Iterator[LineBlock]:
    """Yield all bytes of a stream that begins at byte `start`, in whole lines."""
    held: list[bytes] = []  # the beginning of a line that continues in the next chunk, unless it is too long
    size = 0
    for chunk in chunks:
        begin = 0
        if size:
            begin = chunk.find(b"\n") + 1
            held.append(chunk[:begin] if begin else chunk)
            size += begin or len(chunk)
            if size - bool(begin) > longest:
                held.clear()
            if not begin:
                continue
            whole = b"".join(held) if held else None
            held.clear()  # so that a long line is in memory once
            yield LineBlock(whole, 0, size, start) if whole else LineBlock(None, 0, size - 1, start)
            start += size
        last = chunk.rfind(b"\n") + 1
        while begin < last:
            end = chunk.rfind(b"\n", begin, begin + BLOCK_BYTES) + 1 or chunk.find(b"\n", begin) + 1
            yield LineBlock(chunk, begin, end, start)
            start += end - begin
            begin = end
        held = [chunk[begin:]]
        size = len(chunk) - begin
    if size:
        yield LineBlock(b"".join(held) if size <= longest else None, 0, size, start)


def lines_in(block: LineBlock) -> int:
    """Count the lines of a block, including blank ones."""
    data, begin, end, _ = block
    if data is None:
        return 1
    return data.count(b"\n", begin, end) + (data[end - 1 : end] != b"\n")


def is_blank(block: LineBlock) -> bool:
    """Return whether all lines of a block are blank, much faster than by splitting it."""
    data, begin, end, _ = block
    if data is None or data[begin] not in _BEGINS_BLANK:
        return False
    text = data[begin:end].replace(BYTE_ORDER_MARK, b" ")
    return text.isspace() and b"\v" not in text and b"\f" not in text  # these two are not JSON white space


def split_block(block: LineBlock, number: int, longest: int = LONGEST_LINE) -> Iterator[Line]:
    """Yield the lines of a block that begins with line `number`, except blank ones.

    Any number of consecutive blank lines takes one step: a file may have millions.
    """
    data, begin, stop, start = block
    if data is None:
        yield Line(number, start, start + stop, None)
        return
    shift = start - begin
    while begin < stop:
        end = data.find(b"\n", begin, stop)
        end = stop if end < 0 else end
        text = data[begin:end] if end - begin <= longest else None
        raw = text if text is None else _content(text)
        if raw == b"":
            begin, passed = _after_blank(data, end, stop)
            number += passed
            continue
        yield Line(number, begin + shift, end + shift, raw, _before(text, raw))
        number += 1
        begin = end + 1


def _content(line: bytes) -> bytes:
    """Strip line end, white space and byte order marks from a line: concatenated files have marks anywhere."""
    raw = line.strip(_BLANK)
    if raw.startswith(BYTE_ORDER_MARK) and (white := _WHITE.match(raw)):
        return raw[white.end() :]
    return raw


def _before(text: bytes | None, raw: bytes | None) -> bytes:
    """Return the bytes before the content of a line."""
    return b"" if not text or not raw or text.startswith(raw) else text[: text.index(raw)]


def _after_blank(data: bytes, feed: int, stop: int) -> tuple[int, int]:
    """Return where the first line after a line feed begins that is not blank, and how many feeds precede it."""
    white = _WHITE.match(data, feed, stop)
    visible = white.end() if white else feed
    if visible >= stop:
        return stop, 0
    begin = data.rindex(b"\n", feed, visible) + 1
    return begin, data.count(b"\n", feed, begin)
