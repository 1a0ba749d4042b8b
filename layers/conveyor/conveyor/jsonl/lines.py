"""Bytes to lines, split on the line feed only: JSON strings may hold U+2028 and the like, which are not line ends."""

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

LONGEST_LINE = 32_000_000
"""Bytes. The provider's limit for one request; a longer line is reported, never held in memory."""

BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_BLANK = b" \t\r"
_BEGINS_BLANK = _BLANK + b"\n" + BYTE_ORDER_MARK[:1]
STRETCH_BYTES = 1 << 18
"""So much is worth looking at at once, and still lies in the processor's cache; only one line may be longer."""
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
    """Its indent, and byte order marks: they count where a place in the line is told."""


class LineBlock(NamedTuple):
    """Some lines that follow each other, each with its line feed; the last one of a drop may have none."""

    data: bytes | None
    """What they are a part of, so as not to be copied; None for one line that is longer than the limit."""
    begin: int
    end: int
    """Their place in `data`; of a line that is too long the count of its bytes, without its line feed."""
    start: int
    """Offset of their first byte in the drop."""


def read_lines(
    chunks: Iterable[bytes], *, first: int = 1, start: int = 0, longest: int = LONGEST_LINE
) -> Iterator[Line]:
    """Yield the lines of a stream that begins with line `first` at byte `start`, leaving out blank ones.

    Holds one chunk plus the longest line.
    """
    for block in read_blocks(chunks, start=start, longest=longest):
        yield from split_block(block, first, longest)
        first += lines_in(block)


def read_blocks(chunks: Iterable[bytes], *, start: int = 0, longest: int = LONGEST_LINE) -> Iterator[LineBlock]:
    """Yield all bytes of a stream that begins at byte `start`, in whole lines."""
    held: list[bytes] = []  # the beginning of a line that goes on in the next chunk, unless it is too long
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
            held.clear()  # so that a long line is held once
            yield LineBlock(whole, 0, size, start) if whole else LineBlock(None, 0, size - 1, start)
            start += size
        last = chunk.rfind(b"\n") + 1
        while begin < last:
            end = chunk.rfind(b"\n", begin, begin + STRETCH_BYTES) + 1 or chunk.find(b"\n", begin) + 1
            yield LineBlock(chunk, begin, end, start)
            start += end - begin
            begin = end
        held = [chunk[begin:]]
        size = len(chunk) - begin
    if size:
        yield LineBlock(b"".join(held) if size <= longest else None, 0, size, start)


def lines_in(block: LineBlock) -> int:
    """Count the lines of a stretch, blank ones too."""
    data, begin, end, _ = block
    if data is None:
        return 1
    return data.count(b"\n", begin, end) + (data[end - 1 : end] != b"\n")


def is_blank(block: LineBlock) -> bool:
    """Tell whether all lines of a stretch are blank, in far less time than it takes to split it."""
    data, begin, end, _ = block
    if data is None or data[begin] not in _BEGINS_BLANK:
        return False
    some = data[begin:end].replace(BYTE_ORDER_MARK, b" ")
    return some.isspace() and b"\v" not in some and b"\f" not in some  # these two are no white space of JSON's


def split_block(block: LineBlock, number: int, longest: int = LONGEST_LINE) -> Iterator[Line]:
    """Yield the lines of a stretch that begins with line `number`, leaving out blank ones.

    However many of these follow each other, they take one step: a file may hold millions of them.
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
    """Return a line without its line end, white space and byte order marks: files are put together from others."""
    raw = line.strip(_BLANK)
    if raw.startswith(BYTE_ORDER_MARK) and (white := _WHITE.match(raw)):
        return raw[white.end() :]
    return raw


def _before(text: bytes | None, raw: bytes | None) -> bytes:
    """Return what stands before the content of a line."""
    return b"" if not text or not raw or text.startswith(raw) else text[: text.index(raw)]


def _after_blank(data: bytes, feed: int, stop: int) -> tuple[int, int]:
    """Return where the first line begins that is not blank, behind a line feed, and how many feeds lie before it."""
    white = _WHITE.match(data, feed, stop)
    behind = white.end() if white else feed
    if behind >= stop:
        return stop, 0
    begin = data.rindex(b"\n", feed, behind) + 1
    return begin, data.count(b"\n", feed, begin)
