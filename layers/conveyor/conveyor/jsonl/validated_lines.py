"""Read the validated lines of a drop again, quickly: many of them at once."""

from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from itertools import repeat
from operator import attrgetter, itemgetter
from types import MappingProxyType
from typing import Any, NamedTuple

import msgspec

from conveyor.jsonl.lines import Line, LineBlock, is_blank, lines_in, split_block
from conveyor.jsonl.members import kept_members


class FieldValues(NamedTuple):
    """One value of each request in a block, as the JSON the user wrote, without surrounding white space."""

    block: LineBlock
    first: int
    """Number of the block's first line."""
    numbers: Sequence[int]
    """Numbers of the lines with a value."""
    values: list[msgspec.Raw]
    skipped: list[int]
    """Numbers of the skipped lines."""
    kept: Mapping[int, bytes] = MappingProxyType({})
    """Of lines with kept keys, by number: see `kept_members`."""

    def numbered(self) -> Iterable[tuple[int, msgspec.Raw | None]]:
        """Return each value with its line's number, in order; None for a skipped line."""
        pairs: Iterable[tuple[int, msgspec.Raw | None]] = zip(self.numbers, self.values, strict=True)
        return sorted([*pairs, *zip(self.skipped, repeat(None))], key=itemgetter(0)) if self.skipped else pairs

    def lines(self, numbers: set[int]) -> Iterator[Line]:
        """Yield the lines with these numbers unchanged."""
        if numbers:
            yield from (line for line in split_block(self.block, self.first) if line.number in numbers)


class Field:
    """A field that every request has."""

    def __init__(
        self,
        form: Any,  # noqa: ANN401 - msgspec takes any type
        value: Callable[[Any], msgspec.Raw],
        kept: Callable[[Any], bytes] | None = None,
    ) -> None:
        """Take a type of lines with this field, and functions that return its value, and the kept keys."""
        decoder: Any = msgspec.json.Decoder(form)
        self._decode, self._decode_lines = decoder.decode, decoder.decode_lines
        self._value = value
        self._kept = kept

    def read(self, blocks: Iterable[LineBlock], first: int, skipped: frozenset[int]) -> Iterator[FieldValues]:
        """Yield the field's values on all lines except skipped ones. The first line has the number `first`."""
        all_skipped = sorted(skipped)
        for block in blocks:
            count = lines_in(block)
            left_out = all_skipped[bisect_left(all_skipped, first) : bisect_left(all_skipped, first + count)]
            if not is_blank(block):
                rows = self._decode_block(block, count)
                if rows is None:
                    yield self._decode_each(block, first, left_out)
                else:
                    numbers: Sequence[int] = range(first, first + count)
                    if left_out:
                        numbers = sorted({*numbers}.difference(left_out))
                        rows = [rows[number - first] for number in numbers]
                    yield self._values(block, first, numbers, rows, left_out)
            first += count

    def _decode_block(self, block: LineBlock, count: int) -> Sequence[Any] | None:
        """Decode all lines of a block; None if one is blank or begins with a byte order mark.

        Each validated line is blank or one value: as many values as lines means one value on each line.
        """
        try:
            rows: Sequence[Any] = self._decode_lines(memoryview(block.data or b"")[block.begin : block.end])
        except (msgspec.MsgspecError, ValueError, RecursionError):  # a line that was left out may be anything
            return None
        return rows if len(rows) == count else None

    def _decode_each(self, block: LineBlock, first: int, skipped: list[int]) -> FieldValues:
        lines = [line for line in split_block(block, first) if line.number not in skipped]
        rows = [self._decode(line.raw) for line in lines]
        return self._values(block, first, [line.number for line in lines], rows, skipped)

    def _values(
        self, block: LineBlock, first: int, numbers: Sequence[int], rows: Sequence[Any], skipped: list[int]
    ) -> FieldValues:
        values = FieldValues(block, first, numbers, list(map(self._value, rows)), skipped)
        if self._kept is None:
            return values
        kept = {number: members for number, row in zip(numbers, rows, strict=True) if (members := self._kept(row))}
        return values._replace(kept=kept)


class _CustomId(msgspec.Struct, gc=False):
    custom_id: msgspec.Raw


class _Params(msgspec.Struct, gc=False):
    params: msgspec.Raw


class _ParamsOrBody(msgspec.Struct, gc=False):
    params: msgspec.Raw = msgspec.Raw(b"")
    body: msgspec.Raw = msgspec.Raw(b"")


type _AnyKeys = dict[str, msgspec.Raw]


def _with_kept_keys(*, names_call: bool) -> Field:
    return Field(_AnyKeys, itemgetter("custom_id"), partial(kept_members, names_call=names_call))


CUSTOM_ID = Field(_CustomId, attrgetter("custom_id"))
CUSTOM_ID_AND_KEPT_KEYS = {each: _with_kept_keys(names_call=each) for each in (False, True)}
"""By whether lines may be in the provider's own form. Slower than the id alone."""
PARAMS = Field(_Params, attrgetter("params"))
PARAMS_OR_BODY = Field(_ParamsOrBody, lambda row: row.params or row.body)
"""Also for lines of the provider's own form."""
