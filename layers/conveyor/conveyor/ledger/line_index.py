"""Where the output of each line of a leg is: the ranges of the drop that its lines belong to take it from there.

16 bytes for each line, in the order in which the lines were written.
"""

import sys
from array import array
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from conveyor.domain import keys
from conveyor.jsonl.lines import Line
from conveyor.s3.bucket import Bucket

_SUCCEEDED, _RETRYABLE, _FLAGS = 1, 2, 2
_WINDOW = 1 << 20
"""Bytes of outputs that are read at once."""


class Place(NamedTuple):
    """Where the output of a line is."""

    line: int
    """Of the drop."""
    file: str
    """`keys.RESULTS` or `keys.FAILURES`."""
    start: int
    end: int
    retryable: bool
    again: bool = False
    """Whether a round sends it again."""


class LineIndex:
    """Notes each line as it is written."""

    def __init__(self) -> None:
        """Note nothing yet."""
        self._entries = array("Q")

    def add(self, line: int, size: int, *, succeeded: bool, retryable: bool) -> None:
        """Note a line of the drop, and the bytes of its output."""
        self._entries.extend((line, size << _FLAGS | _RETRYABLE * retryable | _SUCCEEDED * succeeded))

    def encode(self) -> bytes:
        """Return the index as it is stored."""
        return _little_endian(self._entries).tobytes()


def decode_index(data: bytes) -> Iterator[Place]:
    """Yield the place of each line of an index."""
    entries = array("Q", data)
    ends = {keys.RESULTS: 0, keys.FAILURES: 0}
    for line, entry in zip(*[iter(_little_endian(entries))] * 2, strict=True):
        file = keys.RESULTS if entry & _SUCCEEDED else keys.FAILURES
        start = ends[file]
        ends[file] = start + (entry >> _FLAGS)
        yield Place(line, file, start, ends[file], bool(entry & _RETRYABLE))


def _little_endian(entries: "array[int]") -> "array[int]":
    if sys.byteorder == "big":
        entries.byteswap()
    return entries


class LegOutputs:
    """The outputs of some lines of the drop, from the parts of a leg. Holds one window of each part in memory."""

    def __init__(self, bucket: Bucket, content: str, batches: Iterable[int], lines: Iterable[int]) -> None:
        """Read the index of each batch. `content`: the prefix of the leg's content. `lines`: those to find."""
        wanted = frozenset(lines)
        self._bucket = bucket
        self._places: dict[int, tuple[str, Place]] = {}
        self._windows: dict[str, tuple[int, bytes]] = {}
        self._ends: dict[str, int] = {}
        self._retries: dict[str, list[int]] = {}
        """By key of a leg's part of `retry.jsonl`: the numbers of its lines."""
        for batch in batches if wanted else ():
            retries = self._retries[keys.output_part(content, batch, keys.RETRY)] = []
            for place in decode_index(bucket.get(keys.line_index(content, batch))):
                key = keys.output_part(content, batch, place.file)
                self._ends[key] = place.end
                if place.retryable:
                    retries.append(place.line)
                if place.line in wanted:
                    self._places[place.line] = (key, place)

    def find(self, line: int) -> tuple[Place, bytes]:
        """Return where the output of a line is, and the whole line of output. Raises KeyError if it is in no part."""
        key, place = self._places[line]
        begin, window = self._windows.get(key, (0, b""))
        if not begin <= place.start <= place.end <= begin + len(window):
            begin = place.start
            window = self._bucket.range(key, begin, min(max(place.end, begin + _WINDOW), self._ends[key]))
            self._windows[key] = (begin, window)
        return place, window[place.start - begin : place.end - begin]

    def retries(self) -> Iterator[Line]:
        """Yield those of the lines that are worth sending again, in their order, as the leg has copied them."""
        for key, numbers in self._retries.items():
            if any(number in self._places for number in numbers):
                written = self._bucket.get(key).split(b"\n")
                for number, raw in zip(sorted(numbers), written, strict=False):
                    if number in self._places:
                        yield Line(number, 0, len(raw), raw)
