"""Results too large for the disk are written as they come: in no order, but all of them, and as surely counted."""

from collections.abc import Callable, Sequence

from conveyor.domain.drop import line_of, nonce
from conveyor.domain.outcome import Result, missing_beside
from conveyor.domain.output_file import Written
from conveyor.split.by_line_number import NO_ID, Lacking, all_lines, has_blank_lines
from conveyor.split.in_input_order import Job, Outputs, left_out, outputs_of
from conveyor.split.spool import Stored, remains_of

type Settled = Callable[[Lacking, list[tuple[int, bytes]]], bool]
"""Takes the requests without a result, and the unreadable ones among them; returns whether no more will come."""


class _LinesLackError(Exception):
    """Some requests have no result yet: what was written is thrown away."""


def write_as_they_come(job: Job, batch_id: str, is_settled: Settled) -> Written | None:
    """Read all results once more and write each at once; None where lines lack that may still come.

    Holds the ids of a batch's requests, and the numbers of those worth sending again. Raises ResultsUnreadable.
    """
    arrival = _Arrival(job)
    try:
        with outputs_of(job) as outputs:
            with job.context.api.results(batch_id) as results:
                for result in results:
                    arrival.take(result, outputs)
            arrival.finish(outputs, is_settled)
    except _LinesLackError:
        return None
    return Written(outputs.files, ordered=False, unaccounted=[])


class _Arrival:
    """Which requests still wait for their result, and which are worth sending again."""

    def __init__(self, job: Job) -> None:
        self._job = job
        self._mark = nonce(job.context.run.run)
        self._is_blind = job.gone is not None and has_blank_lines(job.batch)
        """Whether nobody knows any more which lines are requests."""
        self._skipped = job.batch.skipped_lines
        self._ids = dict[int, bytes]()
        if not job.gone:
            for some in job.custom_ids():
                self._ids.update(zip(some.numbers, map(bytes, some.values), strict=True))
        elif not self._is_blind:
            self._ids.update(dict.fromkeys(all_lines(job.batch), NO_ID))
        self._done = set[int]()
        self._broken = dict[int, Result]()
        self._again = set[int]()

    def take(self, result: Result, outputs: Outputs) -> None:
        """Write a result, or keep it aside."""
        line = line_of(result.wire_id, self._mark)
        if line is not None and self._waits_for(line):
            self._take(line, result, outputs)
            return
        if line in self._done:
            self._job.tally.repeated += 1
        else:
            self._job.tally.add_foreign(result)
        outputs.set_aside([result.raw + b"\n"])

    def _waits_for(self, line: int) -> bool:
        if not self._is_blind:
            return line in self._ids
        batch = self._job.batch
        return batch.first_line <= line <= batch.last_line and line not in self._done and line not in self._skipped

    def _take(self, line: int, result: Result, outputs: Outputs) -> None:
        if not result.is_broken:
            self._job.tally.repeated += self._broken.pop(line, None) is not None
            self._done.add(line)
            self._write(outputs, line, result)
        elif line in self._broken:
            self._job.tally.repeated += 1
        else:
            self._broken[line] = remains_of(result)
        if result.must_be_kept:
            outputs.set_aside([result.raw + b"\n"])

    def finish(self, outputs: Outputs, is_settled: Settled) -> None:
        """Write what had no result, and the lines to send again."""
        lacking = self._lacking()
        broken = sorted((line, result.raw) for line, result in self._broken.items())
        told_by = sorted(self._done) if self._is_blind else list(self._ids)
        if lacking and not is_settled(Lacking(len(lacking), told_by), broken):
            raise _LinesLackError
        for line in lacking:
            self._write(outputs, line, self._broken.get(line or 0) or missing_beside(self._job.tally.nameless))
        for fault in self._job.batch.skipped:
            outputs.add(*left_out(fault, self._job.tally))
        if self._again:
            outputs.again(line for line in self._job.context.lines(self._job.batch) if line.number in self._again)

    def _lacking(self) -> Sequence[int | None]:
        """Return the lines without a result; None for each where nobody knows which they are."""
        batch = self._job.batch
        if self._is_blind:
            return [*sorted(self._broken), *[None] * (batch.requests - len(self._done) - len(self._broken))]
        return list(self._ids)

    def _write(self, outputs: Outputs, line: int | None, result: Result) -> None:
        is_gone = self._job.gone is not None
        stored = Stored.of(result, line, resendable=not is_gone)
        self._job.tally.add(result, retryable=stored.retryable)
        custom_id = NO_ID if line is None else self._ids.pop(line, NO_ID)
        outputs.add(custom_id, stored, line if is_gone else None)
        if stored.retryable and line is not None:
            self._again.add(line)
