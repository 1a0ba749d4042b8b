"""One glance at many lines: whether all of them are requests beyond any doubt, written in the same usual way.

All lines of a stretch are decoded at once. Then the bytes around each line's `params` are held against what they must
be if it is written like the first one; so the length of what will be sent follows from the length of the lines.
Whatever is not so is no fault, but for `line` to look at, a line at a time. A glance may only take what `line` would
take (a test holds them against each other).

That each row is one line, and each line's `params` all that lies between its beginning and its end, follows from this:

- A line feed within a row would be followed by what begins a row, and no value in a row may hold that.
- There are as many rows as lines, and each line begins with the id of its row.
- `params` are made as often as there are rows: none is given twice.
"""

import re
from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from conveyor.frame import Frame, Shape
from conveyor.lines import Stretch
from conveyor.rows import Row, decode_rows, may_give

_SHAPE = Shape(
    re.compile(rb'([ \t]*\{[ \t]*"custom_id"[ \t]*:[ \t]*")[^"\\]*("[ \t]*,[ \t]*"params"[ \t]*:[ \t]*\{)'),
    re.compile(rb"\}[ \t\r]*\}[ \t\r]*\n\Z"),
)


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
        self._frame: Frame | None = None
        self._one_model = one_model

    def glance(self, stretch: Stretch) -> Glance | None:
        """Return the requests of a stretch, or None if it deserves a closer look."""
        data, begin, end, _ = stretch
        if data is None:
            return None
        try:
            rows = decode_rows(memoryview(data)[begin:end])
            ids = [row.custom_id for row in rows]
            found = self._frame and self._frame.pieces(data, begin, end, ids)
            if found is None:
                self._frame = Frame.of(_SHAPE, data, begin)
                found = self._frame and self._frame.pieces(data, begin, end, ids)
        except (msgspec.MsgspecError, ValueError, RecursionError):
            return None
        models = {row.params.model for row in rows} if self._one_model else {""}
        if found is None or len(models) != 1:
            return None
        pieces, _ = found
        braces = 2 * len(ids)
        around = sum(map(len, pieces)) - braces
        tokens = [row.params.max_tokens for row in rows]
        return Glance(ids, end - begin - around, sum(tokens), tokens.count(0), models.pop(), rows)
