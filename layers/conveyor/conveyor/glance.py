"""One glance at many lines: whether all of them are requests beyond any doubt, written in the same usual form.

One typed decode reads all of a stretch of lines. Nothing is skipped in it: a field that it does not know, or a value of
another kind than it expects, ends it, so that nothing can hide there. Then the bytes around each line's `params` are
held against what they must be if it is written like the first one of the stretch; so the length of what will be sent
follows from the length of the lines. Whatever is not so is no fault, but for `line` to look at, a line at a time; a
glance may only take what `line` would take (a test holds them against each other).

That each row is one line, and each line's `params` all that lies between its beginning and its end, follows from this:

- A line feed within a row would be followed by the beginning of a row, and no value known here has one in it.
- There are as many rows as lines, and each line begins with the id of its row.
- `params` are made as often as there are rows: none is given twice, the first for nothing.
"""

import re
from collections.abc import Callable, Sequence
from itertools import count
from typing import Annotated, Literal, NamedTuple, Self, cast

import msgspec

from conveyor.line import LARGEST_MAX_TOKENS, LONGEST_CUSTOM_ID
from conveyor.lines import Stretch

_Text = Annotated[str, msgspec.Meta(min_length=1)]
_Whole = Annotated[int, msgspec.Meta(ge=0, le=LARGEST_MAX_TOKENS)]


class Glance(NamedTuple):
    """Requests that may be sent, one on each line of a stretch."""

    custom_ids: list[str]
    params_bytes: int
    """Of all of them together, as written in the drop."""
    max_tokens: int
    """The sum of those that are given."""
    without_max_tokens: int


class _CacheControl(msgspec.Struct, gc=False, forbid_unknown_fields=True):
    type: str
    ttl: str = ""


class _Block(msgspec.Struct, gc=False, forbid_unknown_fields=True):
    type: Literal["text"]
    text: str
    cache_control: _CacheControl | None = None


class _Message(msgspec.Struct, gc=False, forbid_unknown_fields=True):
    role: str
    content: str | list[_Block]


class _Made:
    """A number of a kind that has no form in JSON, so that no line can give it."""


_made = count()


class _Params(msgspec.Struct, gc=False, forbid_unknown_fields=True):
    model: _Text
    messages: Annotated[list[_Message], msgspec.Meta(min_length=1)]
    max_tokens: Annotated[int, msgspec.Meta(ge=1, le=LARGEST_MAX_TOKENS)] = 0
    """0 where a line gives none."""
    system: str | list[_Block] = ""
    temperature: float | None = None
    made: _Made = msgspec.field(default_factory=cast("type[_Made]", _made.__next__))
    """Counts: a line whose `params` are given twice makes two."""


class _Thinking(msgspec.Struct, gc=False, forbid_unknown_fields=True):
    type: str
    budget_tokens: _Whole = 0


class _MoreParams(_Params, gc=False, forbid_unknown_fields=True):
    top_p: float | None = None
    top_k: _Whole | None = None
    stop_sequences: list[str] | None = None
    metadata: dict[str, str | None] | None = None
    service_tier: str | None = None
    thinking: _Thinking | None = None


class _Row(msgspec.Struct, gc=False, forbid_unknown_fields=True):
    custom_id: Annotated[str, msgspec.Meta(min_length=1, max_length=LONGEST_CUSTOM_ID)]
    params: _Params


class _RowOfMore(_Row, gc=False, forbid_unknown_fields=True):
    params: _MoreParams


_decode_rows = msgspec.json.Decoder(_Row).decode_lines
_decode_rows_of_more = msgspec.json.Decoder(_RowOfMore).decode_lines
_beginning = re.compile(
    rb'([ \t]*\{[ \t]*"custom_id"[ \t]*:[ \t]*")[^"\\]*("[ \t]*,[ \t]*"params"[ \t]*:[ \t]*\{)'
).match
_end = re.compile(rb"\}[ \t\r]*\}[ \t\r]*\n\Z").search
_LONGEST_END = 32


class Style(NamedTuple):
    """How the lines of a drop are written around id and `params`, whose first and last byte are counted in here."""

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
        return len(wanted) - (len(ids) - 1) + length - 2 * len(ids)


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
            rows = _decode(memoryview(data)[begin:end])
            ids = [row.custom_id for row in rows]
            around = self._style and self._style.around(data, begin, end, ids)
            if around is None:
                self._style = Style.of(data, begin)
                around = self._style and self._style.around(data, begin, end, ids)
        except (msgspec.MsgspecError, ValueError, RecursionError):  # ValueError: not UTF-8, or not one row a line
            return None
        if around is None:
            return None
        tokens = [row.params.max_tokens for row in rows]
        return Glance(ids, end - begin - around, sum(tokens), tokens.count(0))


def _decode(lines: memoryview) -> Sequence[_Row]:
    try:
        return _counted(_decode_rows, lines)
    except msgspec.ValidationError:
        return _counted(_decode_rows_of_more, lines)


def _counted[Row: _Row](decode: Callable[[memoryview], list[Row]], lines: memoryview) -> list[Row]:
    before = next(_made)
    rows = decode(lines)
    if next(_made) - before != len(rows) + 1:
        raise ValueError("params are given twice")
    return rows
