"""Merging a run's files with those of its retries: each request once, in the order of the drop."""

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import BinaryIO, NamedTuple

import msgspec

from conveyor_cli.files.checking import Check
from conveyor_cli.merging.outcomes import Later, OutcomeLine, Outcomes
from conveyor_cli.merging.places import Places

_ERROR, _NUMBER = b'"error":', b',"line":'


class Pair(NamedTuple):
    """Results and failures of a run, on this machine. They end with a line feed."""

    results: Path
    failures: Path


class Written(NamedTuple):
    """A file that was written."""

    path: Path
    lines: int
    bytes: int
    sha256: str


class MergedFiles(NamedTuple):
    """What came of it."""

    results: Written
    failures: Written
    mended: int
    """Failures of the run itself that a retry has answered."""
    failed_again: int
    """Failures that are those of a retry."""
    strange: int
    twice: int


def merge(run: Pair, retries: Sequence[Pair], to: Pair, blank: Sequence[int] | None, scratch: Path) -> MergedFiles:
    """Write results and failures of a run with what its retries have changed.

    A failure that was answered becomes a result at its place in the drop. One that failed again is the last failure,
    under its line of the drop. `retries`: each after the run whose lines it has. `blank`: the numbers of the drop's
    blank lines; None if the order of the results does not say where a line belongs: then new results are at the end.
    `scratch`: a file for a table. Holds one line in memory. Raises OSError, sqlite3.Error.
    """
    with Outcomes.open(scratch) as outcomes, ExitStack() as files:
        outcomes.expect(run.failures)
        for number, retry in enumerate(retries):
            outcomes.add(number, *retry)
        results, failures = (files.enter_context(path.open("rb")) for path in run)
        later: list[list[BinaryIO]] = [[files.enter_context(path.open("rb")) for path in retry] for retry in retries]
        answered, failed = (_Out(path, files.enter_context(path.open("wb"))) for path in to)
        merging = _Merging(results, answered, failed, later, Places(blank or ()))
        for line in failures:
            failure = msgspec.json.decode(line, type=OutcomeLine)
            if blank is not None and failure.line is not None:
                merging.copy_before(failure.line)
            merging.add(line, failure, outcomes.of(failure), at_end=blank is None)
        merging.copy_rest()
        if blank is None:
            failures.seek(0)
            for line in failures:
                merging.add_answer(outcomes.of(msgspec.json.decode(line, type=OutcomeLine)))
        counts = (merging.mended, merging.failed_again, outcomes.strange, outcomes.twice)
        return MergedFiles(answered.written, failed.written, *counts)


class _Out:
    """A file that is written, and its account."""

    def __init__(self, path: Path, file: BinaryIO) -> None:
        self._path = path
        self._file = file
        self._check = Check(None)

    def write(self, line: bytes) -> None:
        self._file.write(line)
        self._check.feed(line)

    @property
    def written(self) -> Written:
        self._file.flush()
        return Written(self._path, self._check.lines, self._check.bytes, self._check.sha256)


class _Merging:
    """Where a merge is."""

    def __init__(self, results: BinaryIO, out: _Out, failed: _Out, later: list[list[BinaryIO]], places: Places) -> None:
        self._results, self._out, self._failed, self._later, self._places = results, out, failed, later, places
        self.mended = self.failed_again = 0

    def copy_before(self, line: int) -> None:
        """Copy the results of the lines before a failure."""
        for _ in range(self._places.results_before(line)):
            self._out.write(self._results.readline())

    def add(self, line: bytes, failure: OutcomeLine, later: Later | None, *, at_end: bool) -> None:
        """Write what became of a failure."""
        if later is None:
            self._failed.write(line)
        elif not later.answered:
            self.failed_again += 1
            self._failed.write(_with_number(self._read(later), failure.line))
        else:
            self.mended += 1
            if not at_end:
                self.add_answer(later)

    def add_answer(self, later: Later | None) -> None:
        """Write the result that a failure has become, if it has."""
        if later and later.answered:
            self._out.write(self._read(later))

    def copy_rest(self) -> None:
        """Copy the results that are left."""
        for line in self._results:
            self._out.write(line)

    def _read(self, later: Later) -> bytes:
        file = self._later[later.source][0 if later.answered else 1]
        file.seek(later.start)
        return file.readline()


class _Failure(msgspec.Struct):
    error: msgspec.Raw


def _with_number(line: bytes, number: int | None) -> bytes:
    """Return a line of `failures.jsonl` with another line number. No other byte is changed.

    The number follows after the error. Keys of the user's own may have any name and value, but they are last.
    """
    error = bytes(msgspec.json.decode(line, type=_Failure).error)
    start = line.index(_NUMBER, line.index(_ERROR) + len(_ERROR) + len(error)) + len(_NUMBER)
    end = line.index(b",", start)
    return b"%b%b%b" % (line[:start], msgspec.json.encode(number), line[end:])
