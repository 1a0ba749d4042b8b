"""The results of one batch on disk, found by line."""

from array import array
from collections.abc import Iterator
from os import pread
from tempfile import TemporaryFile
from typing import Self

from conveyor.domain.outcome import OutputKind
from conveyor.domain.plan import Batch
from conveyor.split.outputs import Output

_HAS_RESULT = 1
_KIND = 1
_SIZE = 3
_OFFSET = 30
"""First bits of kind, size (up to 128 MB) and offset (up to 16 GB) in the number that is kept of each result."""
_LINES = 32
"""Lines of one block of 0.4 KB. Most lines of a batch are close together; any number of blank ones may be between."""
_KINDS = tuple(OutputKind)
_LARGEST = (1 << _OFFSET - _SIZE) - 1
_BUFFER = 1 << 16


class SpoolFull(Exception):
    """The results need more disk than there is."""


class Spool:
    """Results, and lines set aside, in temporary files that vanish with the process. Receives from a collector.

    Holds 14 bytes of memory per request, and 420 for one whose line is far from all others.
    """

    def __init__(self, batch: Batch, limit: int) -> None:
        """Start empty. `limit`: bytes of disk beyond which `check_room` raises SpoolFull."""
        self._batch = batch
        self._limit = limit
        self._results = TemporaryFile(buffering=_BUFFER)  # noqa: SIM115  # closed by our own __exit__
        self._aside = TemporaryFile(buffering=_BUFFER)  # noqa: SIM115  # likewise
        self._fd = self._results.fileno()
        self._blocks: dict[int, array[int]] = {}
        """By block, one number for each line: flags, size and offset of its result; 0 without a result."""
        self.has_again = False
        """Whether a round sends any of these requests again."""
        self._count = 0
        self._end = 0
        self._aside_bytes = 0

    def __enter__(self) -> Self:
        """Use it."""
        return self

    def __exit__(self, *_: object) -> None:
        """Free the disk space."""
        self._results.close()
        self._aside.close()

    def __len__(self) -> int:
        """Return the number of lines that have a result."""
        return self._count

    def __iter__(self) -> Iterator[int]:
        """Yield the lines that have a result, in no order."""
        for number, block in self._blocks.items():
            yield from (line for line, entry in enumerate(block, number * _LINES) if entry)

    def is_request(self, line: int) -> bool:
        """Tell whether a line lies within the batch; whether it is a request is only known from the drop."""
        return self._batch.first_line <= line <= self._batch.last_line

    def has_result(self, line: int) -> bool:
        """Tell whether a line has a result."""
        block = self._blocks.get(line // _LINES)
        return block is not None and block[line % _LINES] != 0

    def check_room(self) -> None:
        """Raise SpoolFull if there is no room for another result line; what follows the last one is small."""
        if self._end + self._aside_bytes > self._limit:
            raise SpoolFull

    def add(self, line: int, output: Output) -> None:
        """Keep the output of a line that has none."""
        body, kind = output
        size = self._results.write(body)
        number = line // _LINES
        if number not in self._blocks:
            self._blocks[number] = array("Q", bytes(8 * _LINES))
        self._blocks[number][line % _LINES] = self._end << _OFFSET | size << _SIZE | kind << _KIND | _HAS_RESULT
        self.has_again |= kind is OutputKind.AGAIN
        self._count += 1
        self._end += size

    def set_aside(self, raw: bytes) -> None:
        """Keep a line of the provider unchanged."""
        self._aside_bytes += self._aside.write(raw + b"\n")

    def flush(self) -> None:
        """Make all outputs readable; nothing is added afterwards."""
        self._results.flush()

    def find(self, line: int) -> Output | None:
        """Return the output of a line; None if it has no result."""
        block = self._blocks.get(line // _LINES)
        entry = block[line % _LINES] if block else 0
        if not entry:
            return None
        body = pread(self._fd, entry >> _SIZE & _LARGEST, entry >> _OFFSET)
        return Output(body, _KINDS[entry >> _KIND & len(_KINDS) - 1])

    def lines_aside(self) -> Iterator[bytes]:
        """Yield the lines that were set aside, with their line feeds."""
        self._aside.seek(0)
        yield from self._aside
