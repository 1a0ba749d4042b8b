"""The results of one batch on disk, found by line."""

from array import array
from collections.abc import Iterator
from hashlib import sha256
from os import pread
from tempfile import TemporaryFile
from typing import NamedTuple, Self

from msgspec.structs import replace

from conveyor.domain.drop import line_of
from conveyor.domain.outcome import Outcome, Result, failure_form, is_retryable
from conveyor.domain.plan import Batch
from conveyor.split.tally import Tally

_SUCCEEDED = 1
_RETRYABLE = 2
_KEPT = 4
_SIZE = 3
_PLACE = 30
"""Bits from which on size (up to 128 MB) and place (up to 16 GB) of a result stand in the number that is kept of it."""
_LINES = 32
"""One block of 0.4 KB: most lines of a batch lie close together, but any number of blank ones may be between two."""
_LARGEST = (1 << _PLACE - _SIZE) - 1
_BUFFER = 1 << 16


class Stored(NamedTuple):
    """One request's output, as far as it is known without its id."""

    form: bytes
    succeeded: bool
    retryable: bool

    @classmethod
    def of(cls, result: Result, line: int | None, *, resendable: bool = True) -> Self:
        """Make it from what became of a line; `resendable`: whether the line is there to be sent again."""
        if result.outcome is Outcome.SUCCEEDED:
            return cls(result.response, succeeded=True, retryable=False)
        retryable = resendable and is_retryable(result.outcome, result.error)
        return cls(failure_form(result, line, resendable=resendable), succeeded=False, retryable=retryable)


def remains_of(broken: Result) -> Result:
    """Return what is kept in memory of a result that cannot be read: a checksum instead of the line."""
    return replace(broken, raw=sha256(broken.raw).digest()[:8])


class SpoolFull(Exception):
    """The results need more disk than there is."""


class Aside:
    """Result lines that could not be delivered as they came, in a temporary file.

    They answer no request of the batch, or one that had its result; or they had to be repaired, or cannot be read.
    """

    def __init__(self) -> None:
        """Start with none."""
        self.bytes = 0
        self._file = TemporaryFile(buffering=_BUFFER)  # noqa: SIM115  # closed by our own __exit__

    def __enter__(self) -> Self:
        """Use it."""
        return self

    def __exit__(self, *_: object) -> None:
        """Give the disk space back."""
        self._file.close()

    def add(self, raw: bytes) -> None:
        """Keep a line as the provider wrote it."""
        self.bytes += self._file.write(raw + b"\n")

    def clear(self) -> None:
        """Forget all lines."""
        self.bytes = 0
        self._file.seek(0)
        self._file.truncate()

    def lines(self) -> Iterator[bytes]:
        """Yield what was kept."""
        self._file.seek(0)
        yield from self._file


class Spool:
    """Results in a temporary file that vanishes with the process.

    Holds 14 bytes of memory per request, and 420 where it lies far from all others.
    """

    def __init__(  # noqa: PLR0913  # the last one is for a drop that is gone
        self, batch: Batch, mark: str, tally: Tally, aside: Aside, limit: int, *, resendable: bool = True
    ) -> None:
        """Take the batch whose results are kept, the nonce of its wire ids, and what counts and keeps the others.

        `limit`: bytes of disk that may be used. `resendable`: whether the lines are there to be sent again.
        """
        self._resendable = resendable
        self._aside = aside
        self._limit = limit
        self._file = TemporaryFile(buffering=_BUFFER)  # noqa: SIM115  # closed by our own __exit__
        self._batch = batch
        self._mark = mark
        self._tally = tally
        self._fd = self._file.fileno()
        self._broken = dict[int, Result]()
        """By line: what is left of results that are no JSON. A later line or read may bring them whole."""
        self._blocks: dict[int, array[int]] = {}
        """Of each line where its result begins, how many bytes it has, and its flags, in one number; 0: it has none."""
        self._count = 0
        self._end = 0

    def __enter__(self) -> Self:
        """Use it."""
        return self

    def __exit__(self, *_: object) -> None:
        """Give the disk space back."""
        self._file.close()

    def __len__(self) -> int:
        """Return the number of requests that have a result."""
        return self._count

    def __iter__(self) -> Iterator[int]:
        """Yield the lines that have a result, in no order."""
        for number, block in self._blocks.items():
            yield from (line for line, kept in enumerate(block, number * _LINES) if kept)

    def __contains__(self, line: int) -> bool:
        """Tell whether a line has a result."""
        return self._of(line) != 0

    def add(self, result: Result) -> None:
        """Keep a result: the first one of each line, and none that answers no request of the batch.

        Raises SpoolFull.
        """
        if self._end + self._aside.bytes > self._limit:
            raise SpoolFull
        line = line_of(result.wire_id, self._mark)
        if line is None or not self._batch.first_line <= line <= self._batch.last_line:
            self._tally.add_foreign(result)
            self._aside.add(result.raw)
        elif line in self or (result.is_broken and line in self._broken):
            self._tally.repeated += 1
            self._aside.add(result.raw)
        elif result.is_broken:
            self._broken[line] = remains_of(result)
            self._aside.add(result.raw)
        else:
            self._tally.repeated += self._broken.pop(line, None) is not None
            self._settle(line, result)
            if result.must_be_kept:
                self._aside.add(result.raw)

    @property
    def broken(self) -> list[tuple[int, bytes]]:
        """The lines of whose results nothing can be read, and that have no other, with a checksum of what came."""
        return sorted((line, result.raw) for line, result in self._broken.items())

    def _settle(self, line: int, result: Result) -> None:
        stored = Stored.of(result, line, resendable=self._resendable)
        self._keep(line, stored)
        self._tally.add(result, retryable=stored.retryable)

    def _keep(self, line: int, stored: Stored) -> None:
        form, succeeded, retryable = stored
        size = self._file.write(form)
        flags = _KEPT | _SUCCEEDED * succeeded | _RETRYABLE * retryable
        number, place = divmod(line, _LINES)
        if number not in self._blocks:
            self._blocks[number] = array("Q", bytes(8 * _LINES))
        self._blocks[number][place] = self._end << _PLACE | size << _SIZE | flags
        self._count += 1
        self._end += size

    def finish(self) -> None:
        """Make what was kept readable; nothing is added afterwards.

        Results of which nothing can be read are what came, since reading again would not help.
        """
        for line, result in self._broken.items():
            self._settle(line, result)
        self._file.flush()

    def find(self, line: int) -> Stored | None:
        """Return the output of a line, None where it has no result. Reads just its bytes: they lie in no order."""
        kept = self._of(line)
        if not kept:
            return None
        form = pread(self._fd, kept >> _SIZE & _LARGEST, kept >> _PLACE)
        return Stored(form, kept & _SUCCEEDED != 0, kept & _RETRYABLE != 0)

    def _of(self, line: int) -> int:
        number, place = divmod(line, _LINES)
        block = self._blocks.get(number)
        return block[place] if block else 0
