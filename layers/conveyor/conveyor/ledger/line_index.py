"""Where the output of each line of a batch is in the parts that it has written.

The ranges of the drop take from there what a leg has answered, and rounds replace what has failed. 16 bytes for each
line, in the order in which the lines were written.
"""

import sys
from array import array
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from conveyor.domain import keys
from conveyor.domain.outcome import OutputKind
from conveyor.domain.plan import Batch
from conveyor.jsonl.lines import Line
from conveyor.s3.bucket import Bucket

_KINDS = tuple(OutputKind)
_KIND_BITS = 2
_NUMBER_BYTES = 8
_WINDOW = 1 << 20
"""Bytes of outputs that are read at once."""
_MOST_WINDOWS = 16


class Place(NamedTuple):
    """Where the output of a line is."""

    line: int
    """Of the drop."""
    file: str
    """`keys.RESULTS` or `keys.FAILURES`."""
    start: int
    end: int
    kind: OutputKind

    @property
    def again(self) -> bool:
        """Whether a round sends it again."""
        return self.kind is OutputKind.AGAIN


class LineIndex:
    """Notes each line as it is written."""

    def __init__(self) -> None:
        """Note nothing yet."""
        self._entries = array("Q")

    def add(self, line: int, size: int, kind: OutputKind) -> None:
        """Note a line of the drop, and the bytes of its output."""
        self._entries.extend((line, size << _KIND_BITS | kind))

    def encode(self) -> bytes:
        """Return the index as it is stored."""
        return _little_endian(self._entries).tobytes()


def decode_index(data: bytes) -> Iterator[Place]:
    """Yield the place of each line of an index."""
    entries = array("Q", data)
    ends = {keys.RESULTS: 0, keys.FAILURES: 0}
    for line, entry in zip(*[iter(_little_endian(entries))] * 2, strict=True):
        kind = _KINDS[entry & (1 << _KIND_BITS) - 1]
        file = keys.RESULTS if kind is OutputKind.SUCCEEDED else keys.FAILURES
        start = ends[file]
        ends[file] = start + (entry >> _KIND_BITS)
        yield Place(line, file, start, ends[file], kind)


def read_numbers(bucket: Bucket, key: str, batch: Batch) -> Sequence[int]:
    """Return the numbers that the lines of a round's batch have in the drop (`key`: see `keys.leg_numbers`)."""
    data = bucket.range(key, (batch.first_line - 1) * _NUMBER_BYTES, batch.last_line * _NUMBER_BYTES)
    return _little_endian(array("Q", data))


def _little_endian(entries: "array[int]") -> "array[int]":
    if sys.byteorder == "big":
        entries.byteswap()
    return entries


class LegOutputs:
    """The outputs of some lines of the drop, from the parts of a leg. Holds one window each of a few parts in memory.

    Lines that are asked for in the order of the parts are read many at once, and others one by one.
    """

    def __init__(self, bucket: Bucket, content: str, batches: Iterable[int], lines: Iterable[int]) -> None:
        """Read the index of each batch. `content`: the prefix of the leg's content. `lines`: those to find."""
        wanted = frozenset(lines)
        self._bucket = bucket
        self._places: dict[int, tuple[int, str, Place]] = {}
        """By line: the batch, the key of its part, and the place in that."""
        self._windows: dict[str, tuple[int, bytes]] = {}
        self._ends: dict[str, int] = {}
        self._retries: dict[str, list[int]] = {}
        """By key of a leg's part of `retry.jsonl`: the numbers of its lines."""
        for batch in batches if wanted else ():
            retries = self._retries[keys.output_part(content, batch, keys.RETRY)] = []
            for place in decode_index(bucket.get(keys.line_index(content, batch))):
                key = keys.output_part(content, batch, place.file)
                self._ends[key] = place.end
                if place.kind.is_retryable:
                    retries.append(place.line)
                if place.line in wanted:
                    self._places[place.line] = (batch, key, place)

    def __contains__(self, line: int) -> bool:
        """Tell whether the output of a line is in a part."""
        return line in self._places

    @property
    def has_again(self) -> bool:
        """Whether a round sends any of the lines again."""
        return any(place.again for _, _, place in self._places.values())

    def position(self, line: int) -> tuple[str, int]:
        """Return what sorts lines by their place in the parts. Raises KeyError if the line is in none."""
        _, key, place = self._places[line]
        return key, place.start

    def batch_of(self, line: int) -> int:
        """Return the batch that has a line. Raises KeyError if none has."""
        return self._places[line][0]

    def find(self, line: int) -> tuple[Place, bytes]:
        """Return where the output of a line is, and the whole line of output. Raises KeyError if it is in no part."""
        _, key, place = self._places[line]
        begin, window = self._windows.pop(key, (0, b""))
        if not begin <= place.start <= place.end <= begin + len(window):
            ahead = begin <= place.start < begin + len(window) + _WINDOW
            end = min(max(place.end, place.start + _WINDOW), self._ends[key]) if ahead else place.end
            begin, window = place.start, self._bucket.range(key, place.start, end)
        self._windows[key] = (begin, window)
        if len(self._windows) > _MOST_WINDOWS:
            del self._windows[next(iter(self._windows))]
        return place, window[place.start - begin : place.end - begin]

    def retries(self) -> Iterator[Line]:
        """Yield those of the lines that are worth sending again, in their order, as the leg has copied them."""
        for key, numbers in self._retries.items():
            if any(number in self._places for number in numbers):
                written = self._bucket.get(key).split(b"\n")
                for number, raw in zip(sorted(numbers), written, strict=False):
                    if number in self._places:
                        yield Line(number, 0, len(raw), raw)
