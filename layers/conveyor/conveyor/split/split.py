"""Turn the results of one ended batch into the user's files: in the user's order, under the user's ids."""

from datetime import datetime
from typing import Any

from conveyor.clients import Clients
from conveyor.context import RunContext
from conveyor.domain import keys
from conveyor.domain.drop import wire_id
from conveyor.domain.invocation import Invocation
from conveyor.domain.outcome import Error, Outcome, Result, failure, missing_beside
from conveyor.domain.plan import Batch
from conveyor.domain.refusal import RefusalKind
from conveyor.domain.schedule import MERGE, BatchName
from conveyor.ledger.batch_facts import Splitting, Stuck, Submitted, Unread
from conveyor.ledger.failure_counts import ErrorKind, encode_words
from conveyor.ledger.part import Part
from conveyor.ledger.round_facts import AccountRefused, Again
from conveyor.ledger.run_facts import Refusal
from conveyor.ledger.state import BatchState, RunState
from conveyor.money.prices import PRICES
from conveyor.provider.protocol import NotRun, Progress, ResultsUnreadable, Trouble, TroubleKind
from conveyor.s3.read_errors import DropUnreadable
from conveyor.split.as_received import write_as_received
from conveyor.split.by_line_number import write_by_line_number
from conveyor.split.collector import Collector
from conveyor.split.in_input_order import write_in_input_order
from conveyor.split.job import SplitJob, lines_of_leg
from conveyor.split.merge import merge
from conveyor.split.outputs import Written
from conveyor.split.pauses import MissingResults, is_drop_given_up, is_settled, reread_at
from conveyor.split.spool import Spool, SpoolFull


class AnotherSplits(Exception):
    """Another invocation splits this batch, or did when it was broken off; two would mix their outputs."""


def split(event: dict[str, Any], clients: Clients, invocation: Invocation) -> dict[str, Any]:
    """Split the results of one ended batch into the user's files, unless that has been done.

    A batch that is never sent, or given up, has no results: its lines are failures. Each of several batches writes
    parts of the files. If the drop cannot be read any more, outcomes are written under line numbers. For a range whose
    lines rounds have answered (`MERGE`), its parts are written once more, and the status is "merged".

    Returns {"batch": number, "status": "split", or "reread" if results are missing that may still arrive, or "unread"
    if results or drop could not be read to their end, or "unasked" if the provider may not be called yet}. Raises
    AnotherSplits, so that the state machine tries again later.
    """
    leg, number = BatchName.from_event(event["batch"])
    if leg == MERGE:
        return {"batch": event["batch"], "status": merge(clients.context(event["run"], invocation), number)}
    context = clients.context(event["run"], invocation).of_leg(leg)
    run_state = context.run_state()
    batch_state = run_state.batch(number)
    if not (batch_state.submitted or batch_state.stuck) and (
        batch_state.unsettled_attempt
        or keys.round_number(leg)  # its lines stay as they were
        or not (run_state.refused or _has_no_requests(context, number))
    ):
        raise ValueError(f"{BatchName(leg, number)} was not sent, or may still be")
    status = _status_without_split(context, number, batch_state)
    if status is None:
        status = _begin_and_split(context, run_state, number, clients.environment.spool_bytes)
    return {"batch": event["batch"], "status": status}


def _has_no_requests(context: RunContext, number: int) -> bool:
    """Return whether all lines of a batch are in the probe, so that it is not sent."""
    return not context.leg and not context.ledger.plan().batch(number).requests


def _status_without_split(context: RunContext, number: int, batch_state: BatchState) -> str | None:
    """Return the status of a batch that is split already, or may not be split now; None if it is to be split."""
    if batch_state.parted:
        return "split"
    again = reread_at(context, number, batch_state)
    if again and again > context.now() and not batch_state.stuck:
        return "reread"
    if context.retry_after.is_active and batch_state.submitted and not batch_state.stuck:
        return "unasked"
    return None


def _begin_and_split(context: RunContext, run_state: RunState, number: int, spool_bytes: int) -> str:
    """Write down that a split begins, split, and if that fails write down why; return the status."""
    batch_state, plan = run_state.batch(number), context.ledger.plan(run_state if context.leg else None)
    attempt = _begin(context, number, batch_state)

    def note(reason: str, *, ours: bool, gone: bool = False) -> None:
        context.ledger.write(Unread(context.writer, context.now(), reason, ours=ours, gone=gone), number, attempt)

    try:
        batch = plan.of_leg(context.leg).batch(number)
        return _split(
            SplitJob(
                context,
                batch,
                batch_state,
                attempt,
                is_whole=plan.is_whole and not context.leg,
                spool_bytes=spool_bytes,
                prices=plan.drop.prices or PRICES,
                probe=plan.drop.probe,
                drop_unreadable=_drop_unreadable(context, batch, batch_state),
                numbers=lines_of_leg(context, plan, batch),
                has_kept_keys=plan.drop.has_kept_keys,
            )
        )
    except ResultsUnreadable as error:
        is_asked = error.kind is not TroubleKind.UNASKED  # else the provider said nothing about results
        note(str(error), ours=not is_asked, gone=error.kind is TroubleKind.GONE)
        return "unread" if is_asked else "unasked"
    except DropUnreadable as error:
        note(str(error), ours=True)
        return "unread"
    except Exception as error:
        note(type(error).__name__, ours=True)
        raise  # and the next split may begin at once


def _begin(context: RunContext, batch: int, batch_state: BatchState) -> int:
    """Write down the intent to split, and return its number. Raises AnotherSplits."""
    last = batch_state.splits
    if last and last not in batch_state.reads | batch_state.unreads:
        before = context.ledger.read(Splitting, batch, last)
        if before.not_after > context.now():
            raise AnotherSplits(f"batch {batch} is being split, until {before.not_after:%H:%M:%S} at the latest")
    splitting = Splitting(context.writer, context.now(), context.invocation.not_after)
    if context.ledger.write(splitting, batch, last + 1).writer != splitting.writer:
        raise AnotherSplits(f"another invocation has just begun to split batch {batch}")
    return last + 1


def _drop_unreadable(context: RunContext, batch: Batch, batch_state: BatchState) -> str | None:
    """Return why the lines of a batch cannot be read any more; None if they can.

    Raises DropUnreadable while a person may still fix it: a key that was disabled can be enabled.
    """
    try:
        context.bucket.touch(context.source_of(batch), batch.first_byte)
    except DropUnreadable as error:
        if error.is_gone or is_drop_given_up(context, batch.number, batch_state, str(error)):
            return str(error)
        raise
    return None


def _split(job: SplitJob) -> str:
    was_run = False
    if job.batch_state.submitted and not job.batch_state.stuck:
        progress = job.context.api.progress(job.read(Submitted, job.batch_state.generation).id)
        if isinstance(progress, Trouble):
            raise ResultsUnreadable(progress.reason, progress.kind)
        written, ended_at, was_run = _write_results(job, progress), progress.ended_at, progress.not_run is None
    else:
        written, ended_at = _write_without_results(job), None
    if written is None:
        return "reread"
    errors = written.tally.failures.counts
    if errors:
        key = keys.error_words(job.context.content_prefix, job.batch.number)
        job.context.bucket.put(key, encode_words(written.tally.failures.texts))
    if written.again:
        job.write(Again(job.context.writer, job.context.now(), written.again))
    if was_run and written.tally.causes:  # of a batch that was not run, the provider's answer says what to do
        job.write(AccountRefused(job.context.writer, job.context.now(), dict(written.tally.causes)))
    job.write(_part(job, written, ended_at, errors))
    return "split"


def _part(job: SplitJob, written: Written, ended_at: datetime | None, errors: dict[str, ErrorKind]) -> Part:
    """Return the account of a batch."""
    tally = written.tally
    return Part(
        writer=job.context.writer,
        at=job.context.now(),
        outcomes=tally.outcomes,
        retryable=tally.retryable,
        foreign=tally.foreign,
        repeated=tally.repeated,
        tokens=tally.tokens,
        files=written.files,
        ended_at=ended_at,
        unaccounted=written.unaccounted,
        ordered=written.ordered,
        repaired=tally.repaired,
        unreadable=tally.unreadable,
        causes=dict(tally.causes),
        gone=job.drop_unreadable,
        stop_reasons=tally.stops,
        answers=written.answers,
        lengths=tally.lengths,
        errors=errors,
    )


def _write_without_results(job: SplitJob) -> Written:
    """Write the lines of a batch that was given up, or was never sent, as failures."""
    if not job.batch.requests:
        default = missing_beside(0)
    elif job.batch_state.stuck:
        default = failure(Outcome.STUCK, Error(Outcome.STUCK.value, job.read(Stuck).message))
    else:
        default = failure(Outcome.CANCELED, Error("never_sent", job.context.ledger.read(Refusal).message))
    with Spool(job.batch, job.spool_bytes) as spool:
        return _write(job, _collector(job, spool), spool, default)


def _write_results(job: SplitJob, progress: Progress) -> Written | None:
    """Read all results and write them; None if results are missing that may still arrive."""
    try:
        with Spool(job.batch, job.spool_bytes) as spool:
            collector = _collector(job, spool)
            with job.context.api.results(progress.id) as results:
                for result in results:
                    spool.check_room()
                    collector.add(result)
            return _write_spooled(job, collector, spool, progress.not_run)
    except SpoolFull:
        return write_as_received(job, progress.id)


def _collector(job: SplitJob, spool: Spool) -> Collector:
    return Collector.of(job, spool)


def _write_spooled(job: SplitJob, collector: Collector, spool: Spool, not_run: NotRun | None) -> Written | None:
    if not_run and not_run.kind is not RefusalKind.STOP:
        return _write_not_run(job, collector, spool, not_run)
    missing = _missing_results(job, spool)
    if missing.requests and not is_settled(job, missing, collector.broken):
        return None
    if not_run:
        default = failure(Outcome.EXPIRED if not_run.is_expired else Outcome.CANCELED, not_run.error)
    else:
        default = missing_beside(collector.tally.nameless)
    return _write(job, collector, spool, default)


def _write(job: SplitJob, collector: Collector, spool: Spool, default: Result) -> Written:
    """Write all outcomes. `default`: the outcome of requests without a result."""
    collector.finish()
    spool.flush()
    write = write_by_line_number if job.drop_unreadable else write_in_input_order
    return write(job, collector, spool, default)


def _write_not_run(job: SplitJob, collector: Collector, spool: Spool, not_run: NotRun) -> Written:
    """Write that no request was run: those to blame as errors, all others as worth sending again without them.

    If no line is to blame, the same batch would be refused again, unless a person fixes the cause first. If the drop is
    unreadable and had blank lines, it is unknown which line is to blame.
    """
    refused = (request for request in not_run.refused_requests if request.position <= job.batch.requests)
    errors = {request.position: request.error for request in refused}
    if errors and not job.has_unknown_lines:
        for position, line in enumerate(job.request_lines(), 1):
            if position in errors and not spool.has_result(line):
                collector.add(Result(wire_id(job.nonce, line), Outcome.ERRORED, error=errors[position]))
    if not_run.cause:
        collector.tally.causes[not_run.cause] += job.batch.requests - len(spool)
    would_recur = not_run.kind is RefusalKind.DEFECT and not errors and not not_run.cause
    return _write(job, collector, spool, failure(Outcome.ERRORED if would_recur else Outcome.CANCELED, not_run.error))


def _missing_results(job: SplitJob, spool: Spool) -> MissingResults:
    """Return which requests were sent and have no result."""
    if len(spool) == job.batch.requests:
        return MissingResults(0, [])
    if job.has_unknown_lines:
        unsent = job.batch.unsent_lines
        answered = sorted(line for line in spool if line not in unsent)
        return MissingResults(max(0, job.batch.requests - len(answered)), answered)
    missing = [line for line in job.request_lines() if not spool.has_result(line)]
    return MissingResults(len(missing), missing)
