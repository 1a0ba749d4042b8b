"""The user's files of one batch, written in step with the lines of the drop."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

import orjson

from conveyor.context import RunContext
from conveyor.domain import keys
from conveyor.domain.outcome import Error, Outcome, Result, failure, output_line
from conveyor.domain.output_file import OutputFile, Written
from conveyor.domain.plan import Batch, Skipped
from conveyor.jsonl.lines import Line
from conveyor.jsonl.validated_lines import CUSTOM_ID, Values
from conveyor.s3.multipart import Writer
from conveyor.split.spool import Aside, Spool, Stored
from conveyor.split.tally import Tally

MOST_NAMED = 1000


class Job(NamedTuple):
    """One batch to be written, and what counts it."""

    context: RunContext
    batch: Batch
    alone: bool
    """True for the only batch of a run: it writes the user's files, others parts of them."""
    first: bool
    """False where another split may have left files when it was broken off."""
    tally: Tally
    aside: Aside
    gone: str | None = None
    """Why the lines of the drop cannot be read any more, if so: nothing is known of them but their numbers."""

    def key(self, file: str) -> str:
        """Return where one of the files goes."""
        run = self.context.run
        if self.alone:
            return keys.output(run.name, run.run, file)
        return keys.output_part(run.run, self.batch.number, file)

    def custom_ids(self) -> Iterator[Values]:
        """Read the users' ids of the batch's requests."""
        blocks = self.context.blocks(self.batch)
        return CUSTOM_ID.read(blocks, self.batch.first_line, self.batch.skipped_lines)


class Outputs:
    """Results, failures, lines to send again, and the provider's lines that could not be delivered as they came."""

    def __init__(self, writers: dict[str, Writer], *, keep_empty: bool) -> None:
        """Use `outputs_of`. `keep_empty`: the last two files exist even if there are no such lines."""
        self._writers = writers
        self._keep_empty = keep_empty

    def add(self, custom_id: bytes, stored: Stored, line: int | None = None) -> None:
        """Write a request's outcome; `line`: where it has no other name."""
        file = keys.RESULTS if stored.succeeded else keys.FAILURES
        self._writers[file].write(output_line(custom_id, stored.form, succeeded=stored.succeeded, line=line))

    def again(self, lines: Iterable[Line]) -> None:
        """Write requests' own lines, since sending them again may help."""
        for line in lines:
            self._writers[keys.RETRY].write((line.raw or b"") + b"\n")

    def set_aside(self, lines: Iterable[bytes]) -> None:
        """Write the provider's lines as they came."""
        for line in lines:
            self._writers[keys.ASIDE].write(line)

    @property
    def files(self) -> list[OutputFile]:
        """The accounts of the files, once they exist."""
        accounts = [writer.account() for writer in self._writers.values()]
        optional = (f"/{keys.RETRY}", f"/{keys.ASIDE}")
        return [each for each in accounts if each.lines or self._keep_empty or not each.key.endswith(optional)]


@contextmanager
def outputs_of(job: Job) -> Iterator[Outputs]:
    """Give the outputs of a batch; the files appear whole when the block ends, and not at all when it raises.

    Lines to send again, or set aside, that a broken-off split has written do not stay: results may have come since.
    """
    bucket, keep_empty = job.context.bucket, not job.first
    own = job.context.run.settings.per_drop()  # copied along when the file is copied into inbox/
    with (
        bucket.writer(job.key(keys.RESULTS)) as results,
        bucket.writer(job.key(keys.FAILURES)) as failures,
        bucket.writer(job.key(keys.RETRY), own, keep_empty=keep_empty) as retry,
        bucket.writer(job.key(keys.ASIDE), keep_empty=keep_empty) as aside,
    ):
        writers = {keys.RESULTS: results, keys.FAILURES: failures, keys.RETRY: retry, keys.ASIDE: aside}
        outputs = Outputs(writers, keep_empty=keep_empty)
        yield outputs
        outputs.set_aside(job.aside.lines())


def write_in_order(job: Job, spool: Spool, lacking: Result) -> Written:
    """Write all outcomes, and count those that no result told of: `lacking` is what became of them."""
    faults = {fault.line: fault for fault in job.batch.skipped}
    found = 0
    spool.finish()
    with outputs_of(job) as outputs:
        for some in job.custom_ids():
            again = set[int]()
            for number, custom_id in some.numbered():
                if custom_id is None:
                    outputs.add(*left_out(faults[number], job.tally))
                    continue
                stored = spool.find(number)
                if stored is None:
                    stored = Stored.of(lacking, number)
                    job.tally.add(lacking, retryable=stored.retryable)
                else:
                    found += 1
                outputs.add(custom_id, stored)
                if stored.retryable:
                    again.add(number)
            outputs.again(some.lines(again))
    return Written(outputs.files, ordered=True, unaccounted=[] if found == len(spool) else _unmet(job, spool))


def left_out(fault: Skipped, tally: Tally) -> tuple[bytes, Stored]:
    """Count a line that was left out; return its id, as far as it is to be trusted, and its output."""
    result = failure(Outcome.INVALID, Error(fault.code, fault.message))
    tally.add(result, retryable=False)
    return orjson.dumps(fault.custom_id), Stored.of(result, fault.line)


def _unmet(job: Job, spool: Spool) -> list[int]:
    met = {line.number for line in job.context.lines(job.batch)}
    return sorted(line for line in spool if line not in met)[:MOST_NAMED]
