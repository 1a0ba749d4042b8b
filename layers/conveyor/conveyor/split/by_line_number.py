"""The user's files of a batch whose lines can no longer be read: what was paid for is written under line numbers.

The ids stood in the drop only. Line numbers are known from the wire ids; where the batch has blank lines, those of
requests without a result are not. Nothing here grows with the number of blank lines.
"""

from typing import NamedTuple

from conveyor.domain.outcome import Result
from conveyor.domain.output_file import Written
from conveyor.domain.plan import Batch
from conveyor.split.in_input_order import MOST_NAMED, Job, Outputs, left_out, outputs_of
from conveyor.split.spool import Spool, Stored

NO_ID = b"null"


class Lacking(NamedTuple):
    """Requests of a batch that have no result."""

    requests: int
    told_by: list[int]
    """Their lines; where nobody knows these, the lines that have a result, which tell two reads apart as well."""


def all_lines(batch: Batch) -> list[int]:
    """Return the lines of all requests of a batch. Raises ValueError where it has blank lines: then nobody knows."""
    if has_blank_lines(batch):
        raise ValueError(f"batch {batch.number} has blank lines: which lines are requests is not known")
    skipped = batch.skipped_lines
    return [line for line in range(batch.first_line, batch.last_line + 1) if line not in skipped]


def has_blank_lines(batch: Batch) -> bool:
    """Tell whether a batch has lines that are neither requests nor left out."""
    return batch.last_line - batch.first_line + 1 - len(batch.skipped) != batch.requests


def write_by_line(job: Job, spool: Spool, lacking: Result) -> Written:
    """Write all outcomes in the order of line numbers; `lacking` is what became of requests without a result."""
    faults = {fault.line: fault for fault in job.batch.skipped}
    spool.finish()
    answered = [line for line in sorted(spool) if line not in faults]
    numbers = answered if has_blank_lines(job.batch) else all_lines(job.batch)
    with outputs_of(job) as outputs:
        for number in sorted({*numbers, *faults}):
            if number in faults:
                outputs.add(*left_out(faults[number], job.tally))
            elif (stored := spool.find(number)) is None:
                _write_lacking(job, outputs, lacking, number)
            else:
                outputs.add(NO_ID, stored, number)
        for _ in range(job.batch.requests - len(numbers)):
            _write_lacking(job, outputs, lacking, None)
    strange = [] if len(answered) == len(spool) else sorted(line for line in spool if line in faults)
    return Written(outputs.files, ordered=True, unaccounted=strange[:MOST_NAMED])


def _write_lacking(job: Job, outputs: Outputs, lacking: Result, line: int | None) -> None:
    job.tally.add(lacking, retryable=False)
    outputs.add(NO_ID, Stored.of(lacking, line, resendable=False), line)
