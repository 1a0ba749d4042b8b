"""The lines of a drop that were checked, read again with little work: many of them at once."""

from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import repeat
from operator import attrgetter, itemgetter
from typing import Any, NamedTuple

import msgspec

from conveyor.jsonl.lines import Line, LineBlock, is_blank, lines_in, split_block


class Values(NamedTuple):
    """One value of each request in a stretch, as the JSON the user wrote, without white space around it."""

    block: LineBlock
    first: int
    """Number of the stretch's first line."""
    numbers: Sequence[int]
    """Of the lines with a value."""
    values: list[msgspec.Raw]
    skipped: list[int]
    """Numbers of the lines that were to be skipped."""

    def numbered(self) -> Iterable[tuple[int, msgspec.Raw | None]]:
        """Return each value with its line's number, in order; None for a line that was to be skipped."""
        pairs: Iterable[tuple[int, msgspec.Raw | None]] = zip(self.numbers, self.values, strict=True)
        return sorted([*pairs, *zip(self.skipped, repeat(None))], key=itemgetter(0)) if self.skipped else pairs

    def lines(self, numbers: set[int]) -> Iterator[Line]:
        """Yield some of the lines as they are."""
        if numbers:
            yield from (line for line in split_block(self.block, self.first) if line.number in numbers)


class Field:
    """A field that every request has."""

    def __init__(self, kind: type[msgspec.Struct], value: Callable[[Any], msgspec.Raw]) -> None:
        """Take a struct with this field, and what gives its value."""
        decoder: Any = msgspec.json.Decoder(kind)
        self._decode, self._decode_lines = decoder.decode, decoder.decode_lines
        self._value = value

    def read(self, blocks: Iterable[LineBlock], first: int, skipped: frozenset[int]) -> Iterator[Values]:
        """Yield the field's values on all lines, of which the first has number `first`; some lines are skipped."""
        all_skipped = sorted(skipped)
        for block in blocks:
            count = lines_in(block)
            left_out = all_skipped[bisect_left(all_skipped, first) : bisect_left(all_skipped, first + count)]
            if not is_blank(block):
                rows = None if left_out else self._at_once(block, count)
                if rows is None:
                    yield self._one_by_one(block, first, left_out)
                else:
                    yield Values(block, first, range(first, first + count), list(map(self._value, rows)), left_out)
            first += count

    def _at_once(self, block: LineBlock, count: int) -> Sequence[Any] | None:
        """Decode all lines of a stretch, None if one is blank or begins with a byte order mark.

        Each line that was checked is blank or one value: as many values as lines are one on each.
        """
        try:
            rows: Sequence[Any] = self._decode_lines(memoryview(block.data or b"")[block.begin : block.end])
        except msgspec.MsgspecError:
            return None
        return rows if len(rows) == count else None

    def _one_by_one(self, block: LineBlock, first: int, skipped: list[int]) -> Values:
        lines = [line for line in split_block(block, first) if line.number not in skipped]
        values = [self._value(self._decode(line.raw)) for line in lines]
        return Values(block, first, [line.number for line in lines], values, skipped)


class _CustomId(msgspec.Struct, gc=False):
    custom_id: msgspec.Raw


class _Params(msgspec.Struct, gc=False):
    params: msgspec.Raw


class _ParamsOrBody(msgspec.Struct, gc=False):
    params: msgspec.Raw = msgspec.Raw(b"")
    body: msgspec.Raw = msgspec.Raw(b"")


CUSTOM_ID = Field(_CustomId, attrgetter("custom_id"))
PARAMS = Field(_Params, attrgetter("params"))
PARAMS_OR_BODY = Field(_ParamsOrBody, lambda row: row.params or row.body)
"""Where lines of the provider's own form are taken, too."""
