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
from typing import NamedTuple, Self

import msgspec

from conveyor.lines import Stretch
from conveyor.rows import decode_rows

_beginning = re.compile(
    rb'([ \t]*\{[ \t]*"custom_id"[ \t]*:[ \t]*")[^"\\]*("[ \t]*,[ \t]*"params"[ \t]*:[ \t]*\{)'
).match
_end = re.compile(rb"\}[ \t\r]*\}[ \t\r]*\n\Z").search
_LONGEST_END = 32


class Glance(NamedTuple):
    """Requests that may be sent, one on each line of a stretch."""

    custom_ids: list[str]
    params_bytes: int
    """Of all of them together, as written in the drop."""
    max_tokens: int
    """The sum of those that are given."""
    without_max_tokens: int


class Style(NamedTuple):
    """How lines are written around id and `params`, the first and the last byte of these included."""

    before: str
    between: str
    after: bytes

    @classmethod
    def of(cls, data: bytes, begin: int) -> Self | None:
        """Read it from a line."""
        feed = data.index(b"\n", begin)
        beginning, end = _beginning(data, begin), _end(data[max(begin, feed - _LONGEST_END) : feed + 1])
        return cls(beginning[1].decode(), beginning[2].decode(), end[0]) if beginning and end else None

    def around(self, data: bytes, begin: int, end: int, ids: list[str]) -> int | None:
        """Return how many bytes stand around the params of lines with these ids; None if one is written otherwise.

        Raises ValueError where there are fewer lines than ids.
        """
        find, length = data.index, len(self.after)
        place, to_end = begin - length, length - 1
        places = [begin, *[place := find(b"\n", place + length) - to_end for _ in ids]]
        if place + length != end:
            return None
        # From one line's params to the next one's is one piece: what ends the one, and what begins the other.
        between_ids = f"{self.between}\0{self.after.decode()}{self.before}"
        wanted = f"{self.before}{between_ids.join(ids)}{self.between}".encode()
        pieces = [*wanted.split(b"\0"), self.after]
        if len(pieces) != len(places) or not all(map(data.startswith, pieces, places)):
            return None
        braces = 2 * len(ids)
        return len(wanted) - (len(ids) - 1) + length - braces


class Glancer:
    """Takes one glance at many lines, and remembers how they were written."""

    def __init__(self) -> None:
        """Know nothing yet."""
        self._style: Style | None = None

    def glance(self, stretch: Stretch) -> Glance | None:
        """Return the requests of a stretch, or None if it deserves a closer look."""
        data, begin, end, _ = stretch
        if data is None:
            return None
        try:
            rows = decode_rows(memoryview(data)[begin:end])
            ids = [row.custom_id for row in rows]
            around = self._style and self._style.around(data, begin, end, ids)
            if around is None:
                self._style = Style.of(data, begin)
                around = self._style and self._style.around(data, begin, end, ids)
        except (msgspec.MsgspecError, ValueError, RecursionError):
            return None
        if around is None:
            return None
        tokens = [row.params.max_tokens for row in rows]
        return Glance(ids, end - begin - around, sum(tokens), tokens.count(0))
