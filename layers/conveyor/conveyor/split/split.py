"""Results come in the provider's order under our ids; they leave in the user's order under the user's."""

from datetime import datetime, timedelta
from hashlib import sha256
from itertools import chain
from typing import Any, NamedTuple

from msgspec.structs import replace

from conveyor.clients import Clients
from conveyor.context import RunContext
from conveyor.domain.drop import nonce, wire_id
from conveyor.domain.invocation import Invocation
from conveyor.domain.outcome import Error, Outcome, Result, failure, missing_beside
from conveyor.domain.output_file import Written
from conveyor.domain.plan import Batch
from conveyor.domain.refusal import RefusalKind
from conveyor.ledger.batch_facts import Read, Splitting, Stuck, Submitted, Unread
from conveyor.ledger.run_facts import Refusal
from conveyor.ledger.state import BatchState
from conveyor.provider.protocol import NotRun, Progress, ResultsUnreadable, Trouble, TroubleKind
from conveyor.s3.read_errors import DropUnreadable
from conveyor.split.as_received import write_as_they_come
from conveyor.split.by_line_number import Lacking, all_lines, has_blank_lines, write_by_line
from conveyor.split.in_input_order import Job, write_in_order
from conveyor.split.spool import Aside, Spool, SpoolFull
from conveyor.split.tally import Tally

ENOUGH_READS = 3
"""Complete, equal reads after which a line without result is `missing`."""
READS_PATIENCE = timedelta(hours=24)
"""After the first read that lacked lines: then what a read holds is what there is."""
_SHORTEST_PAUSE, _LONGEST_PAUSE = 30, 3600
"""Seconds between reads that break off."""
DROP_PATIENCE = timedelta(hours=24)
"""So long results wait for a drop that somebody may make readable again; then they are written without the ids."""


class AnotherSplits(Exception):
    """Another invocation splits this batch, or did when it was broken off; two would mix their outputs."""


def split(event: dict[str, Any], clients: Clients, invocation: Invocation) -> dict[str, Any]:
    """Split the results of one ended batch into the user's files, unless that has been done.

    A batch that is never sent, or given up, has no results: its lines are failures. Of several batches each makes parts
    of the files. Where the lines of the drop are gone, outcomes are written under line numbers.

    Returns {"batch": number, "status": "split", or "reread" where lines lack that may still come, or "unread" where the
    results, or the drop, could not be read to their end, or "unasked" where the provider may not be asked yet}. Raises
    AnotherSplits, so that the machine tries again later.
    """
    number: int = event["batch"]
    context = clients.context(event["run"], invocation)
    run_state = context.run_state()
    batch_state = run_state.batches.get(number, BatchState())
    if not (batch_state.submitted or batch_state.stuck) and (batch_state.unsettled_attempt or not run_state.refused):
        raise ValueError(f"batch {number} may yet be sent")
    if batch_state.parted:
        return {"batch": number, "status": "split"}
    again = reread_at(context, number, batch_state)
    if again and again > context.now() and not batch_state.stuck:
        return {"batch": number, "status": "reread"}
    if context.retry_after.is_active and batch_state.submitted and not batch_state.stuck:
        return {"batch": number, "status": "unasked"}
    plan = context.ledger.plan()
    mine = _begin(context, number, batch_state)
    try:
        with Aside() as aside:
            batch = plan.batch(number)
            gone = _gone(context, batch, batch_state)
            job = Job(context, batch, len(plan.batches) == 1, mine == 1, Tally(), aside, gone)
            status = _split(_Work(job, batch_state, mine, clients.environment.spool_bytes))
    except ResultsUnreadable as error:
        return {"batch": number, "status": _unread(context, number, mine, error)}
    except DropUnreadable as error:
        context.ledger.write(Unread(invocation.writer, context.now(), str(error), ours=True), number, mine)
        return {"batch": number, "status": "unread"}
    except Exception as error:
        failed = Unread(invocation.writer, context.now(), type(error).__name__, ours=True)
        context.ledger.write(failed, number, mine)
        raise  # and the next one may begin at once
    return {"batch": number, "status": status}


def _unread(context: RunContext, batch: int, mine: int, error: ResultsUnreadable) -> str:
    """Write down that a split came to nothing, and return its status: who was not asked said nothing of results."""
    is_asked = error.kind is not TroubleKind.UNASKED
    gone = error.kind is TroubleKind.GONE
    unread = Unread(context.writer, context.now(), str(error), ours=not is_asked, gone=gone)
    context.ledger.write(unread, batch, mine)
    return "unread" if is_asked else "unasked"


def _begin(context: RunContext, batch: int, batch_state: BatchState) -> int:
    """Write down the intent to split, and return its number. Raises AnotherSplits."""
    last = batch_state.splits
    if last and last not in batch_state.reads | batch_state.unreads:
        before = context.ledger.read(Splitting, batch, last)
        if before.not_after > context.now():
            raise AnotherSplits(f"batch {batch} is being split, until {before.not_after:%H:%M:%S} at the latest")
    mine = Splitting(context.writer, context.now(), context.invocation.not_after)
    if context.ledger.write(mine, batch, last + 1).writer != mine.writer:
        raise AnotherSplits(f"batch {batch} is being split by another invocation since this moment")
    return last + 1


def _gone(context: RunContext, batch: Batch, batch_state: BatchState) -> str | None:
    """Return why the lines of a batch cannot be read any more, None if they can.

    Raises DropUnreadable as long as a person may mend it: a key that was disabled can be enabled.
    """
    try:
        context.bucket.touch(context.source_of(batch), batch.first_byte)
    except DropUnreadable as error:
        if error.is_gone or _is_patience_over(context, batch.number, batch_state, str(error)):
            return str(error)
        raise
    return None


def _is_patience_over(context: RunContext, batch: int, batch_state: BatchState, reason: str) -> bool:
    before = (context.ledger.read(Unread, batch, number) for number in sorted(batch_state.unreads))
    first = next((unread.at for unread in before if unread.reason == reason), context.now())
    return first + DROP_PATIENCE <= context.now()


class _Work(NamedTuple):
    """One split of one batch."""

    job: Job
    batch_state: BatchState
    number: int
    """Of the split, counted from 1."""
    spool_bytes: int

    def spool(self) -> Spool:
        """Return room for results."""
        job = self.job
        mark = nonce(job.context.run.run)
        return Spool(job.batch, mark, job.tally, job.aside, self.spool_bytes, resendable=not job.gone)


def _split(work: _Work) -> str:
    job, ended_at = work.job, None
    context, batch = job.context, job.batch
    if work.batch_state.submitted and not work.batch_state.stuck:
        progress = context.api.progress(context.ledger.read(Submitted, batch.number, work.batch_state.generation).id)
        if isinstance(progress, Trouble):
            raise ResultsUnreadable(progress.reason, progress.kind)
        written = _sent(work, progress)
        if written is None:
            return "reread"
        ended_at = progress.ended_at
    else:
        with work.spool() as empty:
            written = _write(job, empty, _without_results(work))
    part = job.tally.part(context.writer, context.now(), written, ended_at)
    context.ledger.write(replace(part, gone=job.gone), batch.number)
    return "split"


def _write(job: Job, spool: Spool, lacking: Result) -> Written:
    """Write all outcomes; `lacking` is what became of requests without a result."""
    return write_by_line(job, spool, lacking) if job.gone else write_in_order(job, spool, lacking)


def _without_results(work: _Work) -> Result:
    """Return what became of all lines of a batch that has no results."""
    ledger = work.job.context.ledger
    if work.batch_state.stuck:
        return failure(Outcome.STUCK, Error(Outcome.STUCK.value, ledger.read(Stuck, work.job.batch.number).message))
    return failure(Outcome.CANCELED, Error("never_sent", ledger.read(Refusal).message))


def _sent(work: _Work, progress: Progress) -> Written | None:
    """Read all results and write them; None where lines lack that may still come."""
    job, batch_id = work.job, progress.id
    try:
        with work.spool() as spool:
            with job.context.api.results(batch_id) as results:
                for result in results:
                    spool.add(result)
            not_run = progress.not_run
            if not_run and not_run.kind is not RefusalKind.STOP:
                return _not_run(job, spool, not_run)
            missing = _missing(job, spool)
            if missing.requests and not _is_settled(work, missing, spool.broken):
                return None
            lacking = failure(Outcome.CANCELED, not_run.error) if not_run else missing_beside(job.tally.nameless)
            return _write(job, spool, lacking)
    except SpoolFull:
        job.tally.clear()
        job.aside.clear()
        return write_as_they_come(job, batch_id, lambda missing, broken: _is_settled(work, missing, broken))


def _not_run(job: Job, spool: Spool, not_run: NotRun) -> Written:
    """Write that no request was run: those at fault as errors, all others as worth sending again without them.

    Where no line is to blame, the same batch would be refused again, unless a person puts something in order first. If
    the drop is gone and had blank lines, nobody can tell which line is to blame.
    """
    errors = {each.position: each.error for each in not_run.refused_requests if each.position <= job.batch.requests}
    if errors and not (job.gone and has_blank_lines(job.batch)):
        ids = chain.from_iterable(some.numbers for some in job.custom_ids()) if not job.gone else all_lines(job.batch)
        for place, line in enumerate(ids, 1):
            if place in errors and line not in spool:
                wire = wire_id(nonce(job.context.run.run), line)
                spool.add(Result(wire, Outcome.ERRORED, error=errors[place]))
    if not_run.cause:
        job.tally.causes[not_run.cause] += job.batch.requests - len(spool)
    comes_again = not_run.kind is RefusalKind.DEFECT and not errors and not not_run.cause
    return _write(job, spool, failure(Outcome.ERRORED if comes_again else Outcome.CANCELED, not_run.error))


def _missing(job: Job, spool: Spool) -> Lacking:
    """Return which requests were sent and have no result."""
    batch, skipped = job.batch, job.batch.skipped_lines
    if len(spool) == batch.requests:
        return Lacking(0, [])
    if job.gone and has_blank_lines(batch):
        answered = sorted(line for line in spool if line not in skipped)
        return Lacking(max(0, batch.requests - len(answered)), answered)
    numbers = all_lines(batch) if job.gone else (line.number for line in job.context.lines(batch))
    missing = [number for number in numbers if number not in skipped and number not in spool]
    return Lacking(len(missing), missing)


def _is_settled(work: _Work, missing: Lacking, broken: list[tuple[int, bytes]]) -> bool:
    """Tell whether enough reads agree on what lacks, this one included; if not, write this one down.

    Reads that do not agree for a day are enough, too: the last one counts. `broken`: those of the missing of which
    there is a line that is no JSON, which may have been cut off on its way.
    """
    context, batch, batch_state = work.job.context, work.job.batch.number, work.batch_state
    digest = sha256(repr((missing.told_by, broken) if broken else missing.told_by).encode()).hexdigest()
    reads = [context.ledger.read(Read, batch, number) for number in sorted(batch_state.reads)]
    before = [read.digest for read in reads[1 - ENOUGH_READS :]]
    if before == [digest] * (ENOUGH_READS - 1) or (reads and reads[0].at + READS_PATIENCE <= context.now()):
        return True
    context.ledger.write(Read(context.writer, context.now(), missing.requests, digest), batch, work.number)
    return False


def reread_at(context: RunContext, batch: int, batch_state: BatchState) -> datetime | None:
    """Return from when on another read of results that lacked lines counts; None before the first."""
    if not batch_state.reads:
        return None
    return context.ledger.read(Read, batch, max(batch_state.reads)).at + timedelta(
        seconds=context.run.settings.reread_seconds
    )


def last_unread(context: RunContext, batch: int, batch_state: BatchState) -> Unread | None:
    """Return why the last split came to nothing; None if none did."""
    return context.ledger.read(Unread, batch, max(batch_state.unreads)) if batch_state.unreads else None


def next_read_at(last: Unread, batch_state: BatchState) -> datetime:
    """Return until when results rest after splits that came to nothing: ever longer."""
    pause = min(_SHORTEST_PAUSE << min(len(batch_state.unreads) - 1, 10), _LONGEST_PAUSE)
    return last.at + timedelta(seconds=pause)
