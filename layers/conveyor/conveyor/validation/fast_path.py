"""One glance at many lines: whether all of them are requests beyond any doubt, written in the same usual way.

All lines of a stretch are decoded at once. Then the bytes around each line's `params` are held against what they must
be if it is written like the first one; so the length of what will be sent follows from the length of the lines.
Whatever is not so is no fault, but for `line` to look at, a line at a time. A glance may only take what `line` would
take (a test holds them against each other).

That each row is one line, and each line's `params` all that lies between its beginning and its end, follows from this:

- A line feed within a row would be followed by what begins a row, and no value in a row may hold that.
- There are as many rows as lines, and each line begins with the id of its row.
- `params` are made as often as there are rows: none is given twice.

And that no field of `params` is given twice, where all lines are alike up to the text of their first message, and from
the end of their last one on:

- What is before the text, and what is behind it, gives each field once.
- What is behind it ends an array of messages, or of blocks of a system prompt. No message and no block is lost, and no
  system prompt is made of blocks: so it is the array of messages that was begun.
"""

import re
from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from conveyor.jsonl.lines import STRETCH_BYTES, LineBlock
from conveyor.jsonl.template import Frame, Shape
from conveyor.validation.schema import Row, Rows, decode_rows, may_give, repeats_a_field


def _spaced(*tokens: bytes) -> bytes:
    """Return a pattern of tokens with white space after each."""
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
_ALIKE = Shape(
    re.compile(_BEFORE + rb"[ \t\r]*+(?:%b,[ \t\r]*+)*+%b(?:%b)?+" % (_FIELD, _FIRST, _BLOCK) + b'"))'),
    re.compile(
        rb'(?P<inside>"[ \t\r]*+(?:%b)?+%b(?:%b)?%b'
        % (_CACHED, _spaced(rb"\}"), _spaced(rb"\]", rb"\}"), _spaced(rb"\]"))
        + rb"(?:,[ \t\r]*+%b)*+\})" % _FIELD
        + _AFTER
    ),
)
"""Up to the text of the first message, and from the end of the text of the last one on."""
_NAMES = tuple(f'"{name}"' for name in ("model", "max_tokens", "system", "temperature"))


class Glance(NamedTuple):
    """Requests that may be sent, one on each line of a stretch."""

    custom_ids: list[str]
    params_bytes: int
    """Of all of them together, as written in the drop."""
    max_tokens: int
    """The sum of those that are given."""
    without_max_tokens: int
    model: str
    """The one that all of them name; empty where nobody asked for it."""
    rows: Sequence[Row]

    def may_give(self, field: str) -> bool:
        """Tell whether some of them have a field in their `params`, or may have it."""
        return may_give(self.rows, field)


class Glancer:
    """Takes one glance at many lines, and remembers how they were written."""

    def __init__(self, *, one_model: bool = False) -> None:
        """Know nothing yet. `one_model`: requests that name several models deserve a closer look."""
        self._frames: dict[Shape, Frame] = {}
        self._one_model = one_model

    def glance(self, block: LineBlock) -> Glance | None:
        """Return the requests of a stretch, or None if it deserves a closer look."""
        data, begin, end, _ = block
        if data is None or end - begin > STRETCH_BYTES:  # one long line: there is nothing to gain
            return None
        try:
            decoded = decode_rows(memoryview(data)[begin:end])
            ids = [str(row.custom_id) for row in decoded.rows]
            around = self._around(decoded, data, begin, end, ids)
        except (msgspec.MsgspecError, ValueError, RecursionError):
            return None
        rows = decoded.rows
        models = {row.params.model for row in rows} if self._one_model else {""}
        if around is None or len(models) != 1:
            return None
        tokens = [row.params.max_tokens for row in rows]
        return Glance(ids, end - begin - around, sum(tokens), tokens.count(0), models.pop(), rows)

    def _around(self, decoded: Rows, data: bytes, begin: int, end: int, ids: list[str]) -> int | None:
        """Return how many bytes of some lines are around their `params`; None where one deserves a closer look."""
        if decoded.has_last_messages:
            around = self._around_of(_ALIKE, data, begin, end, ids)
            if around is not None:
                return around
        if not decoded.are_checked and repeats_a_field(decoded.rows, data, begin, end):
            return None
        return self._around_of(_SHAPE, data, begin, end, ids)

    def _around_of(self, shape: Shape, data: bytes, begin: int, end: int, ids: list[str]) -> int | None:
        """Return that of lines whose frames are of some shape; None if they are written otherwise."""
        frame = self._frames.get(shape)
        found = frame and frame.pieces(data, begin, end, ids)
        if found is None and (frame := _frame(shape, data, begin)):
            self._frames[shape] = frame
            found = frame.pieces(data, begin, end, ids)
        return sum(map(len, found[0])) - frame.inside * len(ids) if frame and found else None


def _frame(shape: Shape, data: bytes, begin: int) -> Frame | None:
    """Read a frame from a line; None where it gives a field twice, or a text that looks like it."""
    frame = Frame.of(shape, data, begin)
    written = frame and frame.between + frame.after.decode()
    return frame if written and all(written.count(name) < 2 for name in _NAMES) else None  # noqa: PLR2004
