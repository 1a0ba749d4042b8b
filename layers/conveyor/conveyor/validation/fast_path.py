"""The fast path: check many lines at once, if all of them are surely valid requests and written in the same usual way.

All lines of a block are decoded at once. Then the bytes around each line's `params` are compared with those of the
first line: if they are the same, the number of bytes to send follows from the length of the lines. Anything else is not
a fault; `rules` checks it line by line. The fast path may accept only what `rules` accepts (a test compares them).

Each row is one line, and its `params` are all bytes between the line's beginning and end, for these reasons:

- A line feed within a row would be followed by the beginning of a row, which no value in a row can contain.
- There are as many rows as lines, and each line begins with the id of its row.
- As many `params` are created as there are rows: none is a duplicate.

No field of `params` is a duplicate if all lines are the same up to the text of their first message, and from the end of
the text of their last message, for these reasons:

- The bytes before the first text and after the last one contain each field once.
- The bytes after it end an array of messages, or of blocks of a system prompt. No message and no block was dropped, and
  no system prompt is an array: so it is the array of messages that was begun.
"""

import re
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import msgspec

from conveyor.jsonl.frames import Frame, Shape
from conveyor.jsonl.lines import BLOCK_BYTES, LineBlock
from conveyor.money.bounds import Bound, Caching
from conveyor.validation.schema import DecodedRows, Row, decode_rows, may_give, may_repeat_a_field


def _spaced(*tokens: bytes) -> bytes:
    """Return a pattern of tokens, each followed by white space."""
    return rb"[ \t\r]*+".join((*tokens, b""))


_FIELD = _spaced(rb'"(?:model|max_tokens|system|temperature)"', b":", rb'(?:"(?:[^"\\]|\\.)*+"|[-+.0-9eE]++)')
_FIRST = _spaced(rb'"messages"', b":", rb"\[", rb"\{", rb'"role"', b":", rb'"\w+"', b",", rb'"content"', b":")
_BLOCK = _spaced(rb"\[", rb"\{", rb'"type"', b":", b'"text"', b",", b'"text"', b":")
_CACHED = _spaced(b",", b'"cache_control"', b":", rb"\{", b'"type"', b":", b'"ephemeral"', rb"\}")
_BEFORE = (
    rb'([ \t]*+\{[ \t]*+"custom_id"[ \t]*+:[ \t]*+"?+)(?:(?<=")[^"\\]*+|-?+[0-9]++)'
    rb'("?+[ \t]*+,[ \t]*+"params"[ \t]*+:[ \t]*+(?P<inside>\{'
)
_AFTER = rb"[ \t\r]*+\}[ \t\r]*+\n\Z"
_SHAPE = Shape(re.compile(_BEFORE + rb"))"), re.compile(rb"(?P<inside>\})" + _AFTER))
_SAME_FIELDS = Shape(
    re.compile(_BEFORE + rb"[ \t\r]*+(?:%b,[ \t\r]*+)*+%b(?:%b)?+" % (_FIELD, _FIRST, _BLOCK) + b'"))'),
    re.compile(
        rb'(?P<inside>"[ \t\r]*+(?:%b)?+%b(?:%b)?%b'
        % (_CACHED, _spaced(rb"\}"), _spaced(rb"\]", rb"\}"), _spaced(rb"\]"))
        + rb"(?:,[ \t\r]*+%b)*+\})" % _FIELD
        + _AFTER
    ),
)
"""Up to the text of the first message, and from the end of the text of the last message."""
_NAMES = tuple(f'"{name}"' for name in ("model", "max_tokens", "system", "temperature"))


class LinePlaces(NamedTuple):
    """Where the lines of a block end."""

    places: list[int]
    """Where the block begins, and where each line's last bytes begin."""
    after: int
    """The number of these bytes, with the line feed."""
    are_alike: bool = False
    """Whether all lines have the same fields with the same values, except for their messages."""

    def lengths(self) -> list[int]:
        """Return the bytes of each line, without the line feed."""
        found = [end - start - 1 for start, end in pairwise(self.places)]
        found[0] += self.after
        return found

    def bounds_of(self, line: int) -> tuple[int, int]:
        """Return where a line begins and ends, without the line feed. `line`: counted from 0."""
        begin = self.places[line] + (self.after if line else 0)
        return begin, self.places[line + 1] + self.after - 1


class _Match(NamedTuple):
    around: int
    """Bytes outside of the lines' `params`."""
    places: LinePlaces


def has_longer_line(block: LineBlock, limit: int | None) -> bool:
    """Return whether any line has more bytes than the limit. Looks only at the line feeds that matter."""
    data, begin, end, _ = block
    if limit is None or data is None:
        return False
    while end - begin > limit:
        feed = data.rfind(b"\n", begin, begin + limit + 1)
        if feed < 0:
            return True
        begin = feed + 1
    return False


class FastPathResult(NamedTuple):
    """Valid requests, one on each line of a block."""

    custom_ids: list[str]
    params_bytes: int
    """The total, as written in the drop."""
    max_tokens: int
    """The total of the lines that have it."""
    without_max_tokens: int
    model: str
    """The model of all of them; empty if it does not matter."""
    rows: Sequence[Row]
    places: LinePlaces
    bounds: Sequence[Bound] | None = None
    """The bound of each request; None if all are plain text."""
    caching: Sequence[Caching] | None = None
    """How long each request of plain text asks to be cached; None if none does."""

    def models(self) -> set[str]:
        """Return the models of all of them."""
        return {self.rows[0].params.model} if self.places.are_alike else {row.params.model for row in self.rows}

    def may_give(self, field: str) -> bool:
        """Return whether any of them may have a field in its `params`."""
        return may_give(self.rows, field)


class FastPath:
    """Reads many lines at once, and remembers how earlier ones were written."""

    def __init__(self, *, one_model: bool = False) -> None:
        """`one_model`: leave blocks with several models to the other check."""
        self._frames: dict[Shape, Frame] = {}
        self._one_model = one_model

    def read(self, block: LineBlock) -> FastPathResult | None:
        """Return the requests of a block, or None if its lines must be checked one by one."""
        data, begin, end, _ = block
        if data is None or end - begin > BLOCK_BYTES:  # one long line: nothing to gain
            return None
        try:
            decoded = decode_rows(memoryview(data)[begin:end])
            ids = [str(row.custom_id) for row in decoded.rows]
            match = self._match(decoded, data, begin, end, ids)
        except (msgspec.MsgspecError, ValueError, RecursionError):
            return None
        rows = decoded.rows
        models = {row.params.model for row in rows} if self._one_model else {""}
        if match is None or len(models) != 1:
            return None
        if match.places.are_alike:
            tokens = [rows[0].params.max_tokens] * len(rows)
        else:
            tokens = [row.params.max_tokens for row in rows]
        counts = (end - begin - match.around, sum(tokens), tokens.count(0))
        return FastPathResult(ids, *counts, models.pop(), rows, match.places, decoded.bounds, decoded.caching)

    def _match(self, decoded: DecodedRows, data: bytes, begin: int, end: int, ids: list[str]) -> _Match | None:
        """Return where the lines and their `params` are; None if the lines must be checked one by one."""
        if decoded.has_last_messages:
            match = self._match_of(_SAME_FIELDS, data, begin, end, ids)
            if match is not None:
                return match
        if not decoded.are_checked and may_repeat_a_field(decoded.rows, data, begin, end):
            return None
        return self._match_of(_SHAPE, data, begin, end, ids)

    def _match_of(self, shape: Shape, data: bytes, begin: int, end: int, ids: list[str]) -> _Match | None:
        """Return the same for lines with frames of one shape; None if they are written differently."""
        frame = self._frames.get(shape)
        match = frame and frame.pieces(data, begin, end, ids)
        if match is None and (frame := _frame(shape, data, begin)):
            self._frames[shape] = frame
            match = frame.pieces(data, begin, end, ids)
        if not frame or not match:
            return None
        around = sum(map(len, match[0])) - frame.inside * len(ids)
        return _Match(around, LinePlaces(match[1], len(frame.after), are_alike=shape is _SAME_FIELDS))


def _frame(shape: Shape, data: bytes, begin: int) -> Frame | None:
    """Read a frame from a line; None if it has, or seems to have, a duplicate field."""
    frame = Frame.of(shape, data, begin)
    text = frame and frame.between + frame.after.decode()
    return frame if text and all(text.count(name) < 2 for name in _NAMES) else None  # noqa: PLR2004
