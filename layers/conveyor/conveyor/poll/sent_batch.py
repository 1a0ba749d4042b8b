"""What a batch that is at the provider needs next: to be waited for, cancelled, split, or given up."""

from datetime import datetime, timedelta
from typing import NamedTuple

from conveyor.context import RunContext
from conveyor.domain.plan import Batch
from conveyor.domain.refusal import RefusalKind
from conveyor.domain.schedule import Next
from conveyor.ledger.batch_facts import Cancel, Stuck, Submitted, Unread
from conveyor.ledger.run_facts import Refusal
from conveyor.ledger.state import BatchState, RunState
from conveyor.poll.deadlines import STUCK_AFTER, at_risk_since, cancel_at, ends_at, kept_until
from conveyor.poll.message import Risk, Undecided
from conveyor.poll.recover import cancel_duplicates, look_for_late
from conveyor.provider.protocol import Progress, Trouble, TroubleKind
from conveyor.split.split import last_unread, next_read_at, reread_at
from conveyor.submit.retries import describe_refusal, fail_attempt


class Decision(NamedTuple):
    """What one batch, or the run, needs; `until`: the moment before which it needs nothing."""

    next: Next
    until: datetime | None = None
    trouble: str | None = None
    """Why the provider cannot be asked."""
    undecided: Undecided | None = None
    """What a person could decide meanwhile."""
    is_answer: bool = False
    """True where the trouble is with something that a person has just told us."""
    risk: Risk | None = None
    """Of a batch that has not ended, by the provider's own word, and is not being cancelled."""
    ends: datetime | None = None
    """Where the provider does not know the batch, or the file with its results: when the batch is given up."""


def of_submitted(context: RunContext, batch: Batch, run_state: RunState, *, stop: bool) -> Decision:
    """Look at a batch and return what it needs. `stop`: whether a person stopped the run."""
    batch_state = run_state.batches[batch.number]
    if batch_state.parted and not (
        batch_state.absent or batch_state.duplicates
    ):  # nothing of it is read: a run may have thousands
        return Decision(Next.REPORT)
    submitted = context.ledger.read(Submitted, batch.number, batch_state.generation)
    if batch_state.absent:
        look_for_late(context, batch, batch_state, submitted)
    cancel_duplicates(context, batch_state)
    if batch_state.parted:
        return Decision(Next.REPORT)
    if not submitted.adopted:  # an adopted one was claimed before; whoever submitted this one may not have come to it
        context.claims.claim_own_batch(submitted.id, batch.number)
    progress = context.api.progress(submitted.id)
    if isinstance(progress, Trouble) and _may_wait(context, progress, submitted):
        ends = cancel_at(submitted.at, context.api.dialect.window, submitted.expires_at) + STUCK_AFTER
        risk = None if stop else risk_of(context, batch, batch_state, submitted)
        is_gone = progress.kind is TroubleKind.GONE
        return Decision(Next.WAIT, trouble=progress.reason, ends=ends if is_gone else None, risk=risk)
    if isinstance(progress, Trouble) or not progress.ended:
        return _running(context, batch, batch_state, submitted, progress, stop=stop)
    if progress.unrun and progress.unrun.kind is RefusalKind.LATER and not (run_state.refused or batch_state.cancelled):
        failed = fail_attempt(context, batch.number, batch_state, progress.unrun)
        return Decision(Next.WAIT, failed.retry_at, describe_refusal(failed.status, failed.type))
    return _of_ended(context, batch.number, batch_state, submitted, stop=stop)


def _may_wait(context: RunContext, trouble: Trouble, submitted: Submitted) -> bool:
    """Tell whether nothing is concluded yet from a look after which the provider is to be left alone.

    One that was asked and says so for ever must not keep a run from its end.
    """
    return trouble.kind is TroubleKind.UNASKED or (
        context.retry_after.is_active and context.now() < kept_until(submitted.at)
    )


def _of_ended(
    context: RunContext, batch: int, batch_state: BatchState, submitted: Submitted, *, stop: bool
) -> Decision:
    unread = last_unread(context, batch, batch_state)
    kept, gone_at = kept_until(submitted.at), None
    if (
        unread
        and not unread.ours
        and unread.at > kept
        and (unread.gone or _have_failed(context, batch, batch_state, kept))
    ):
        message = f"the results of {submitted.id} could not be read in 29 days, and the provider keeps them no longer"
        return give_up(context, batch, message)
    if stop and unread and unread.gone:
        gone_at = _first_gone(context, batch, batch_state, unread)
        if is_patience_over(context, gone_at, unread.at):
            message = (
                f"the run was stopped, and the provider does not know {submitted.id}, or the file with its results"
            )
            return give_up(context, batch, message)
    moments = (unread and next_read_at(unread, batch_state), reread_at(context, batch, batch_state))
    again = max((moment for moment in moments if moment), default=context.now())
    trouble, ends = (unread.reason if unread else None), (kept if unread and unread.gone else None)
    ends = gone_at + timedelta(seconds=context.run.settings.trouble_seconds) if gone_at else ends
    if again > context.now():
        return Decision(Next.WAIT, again, trouble, ends=ends)
    return Decision(Next.SPLIT, trouble=trouble, ends=ends)


def _have_failed(context: RunContext, batch: int, batch_state: BatchState, since: datetime) -> bool:
    """Tell whether reads have failed for hours since a moment: one that did may have met a provider that was busy."""
    reads = (context.ledger.read(Unread, batch, number) for number in sorted(batch_state.unreads))
    failed = [read.at for read in reads if read.at > since and not read.ours]
    return bool(failed) and is_patience_over(context, failed[0], failed[-1])


def _first_gone(context: RunContext, batch: int, batch_state: BatchState, last: Unread) -> datetime:
    """Return when a stopped run first heard that its results are gone, of the answers that all say so up to the last.

    The provider is known to say so of batches that exist: one such answer proves nothing.
    """
    first = last
    for number in sorted(batch_state.unreads, reverse=True)[1:]:
        before = context.ledger.read(Unread, batch, number)
        if not before.gone:
            break
        first = before
    return max(first.at, context.ledger.read(Refusal).at)


def is_patience_over(context: RunContext, since: datetime, asked: datetime) -> bool:
    """Tell whether a question was asked so long after a moment that what it did not bring need not be waited for."""
    return since + timedelta(seconds=context.run.settings.trouble_seconds) <= asked


def _running(  # noqa: PLR0913  # what is known of the batch, and what was answered
    context: RunContext,
    batch: Batch,
    batch_state: BatchState,
    submitted: Submitted,
    found: Progress | Trouble,
    *,
    stop: bool,
) -> Decision:
    """Return what a batch needs that has not ended, as far as is known."""
    due = context.now() if stop else cancel_at(submitted.at, context.api.dialect.window, submitted.expires_at)
    risk = None if stop else risk_of(context, batch, batch_state, submitted)
    if not isinstance(found, Trouble):
        return _unended(context, batch.number, batch_state, submitted, due, None)._replace(ends=None, risk=risk)
    if batch_state.cancelled and found.kind is TroubleKind.LATER and context.now() < kept_until(submitted.at):
        return Decision(Next.WAIT, trouble=_cancel(context, submitted) or found.reason)  # what it has may yet be read
    decision = _unended(context, batch.number, batch_state, submitted, due, found.reason)
    ends = decision.ends if found.kind is TroubleKind.GONE else None
    return decision._replace(trouble=decision.trouble or found.reason, ends=ends, risk=risk)


def risk_of(context: RunContext, batch: Batch, batch_state: BatchState, submitted: Submitted) -> Risk | None:
    """Return when the requests of a batch that has not ended, as far as is known, are at risk, and when they expire."""
    window = context.api.dialect.window
    if batch_state.cancelled or cancel_at(submitted.at, window, submitted.expires_at) <= context.now():
        return None
    expires = ends_at(submitted.at, window, submitted.expires_at)
    return Risk(submitted.id, batch.requests, at_risk_since(submitted.at, window), expires)


def _unended(  # noqa: PLR0913, PLR0917  # what is known of the batch, and what was answered
    context: RunContext, batch: int, batch_state: BatchState, submitted: Submitted, due: datetime, trouble: str | None
) -> Decision:
    """Cancel a batch that has not ended when it is due to, and give it up six hours after that."""
    if batch_state.cancelled:
        end = context.ledger.read(Cancel, batch).at + STUCK_AFTER
        if end <= context.now():
            told = f"does not show the batch ({trouble})" if trouble else "has not ended it"
            words = f"the cancel of {submitted.id} was requested hours ago, and the provider {told}"
            return give_up(context, batch, f"{words}: it may still run and be billed")
        return Decision(
            Next.WAIT, end, _cancel(context, submitted), ends=end
        )  # again: the first call may have been lost
    if due > context.now():
        return Decision(Next.WAIT, due, ends=due + STUCK_AFTER)
    context.ledger.write(Cancel(context.writer, context.now()), batch)
    return Decision(Next.WAIT, trouble=_cancel(context, submitted), ends=context.now() + STUCK_AFTER)


def _cancel(context: RunContext, submitted: Submitted) -> str | None:
    """Ask for a batch to end; return what was wrong in asking."""
    answer = context.api.cancel(submitted.id)
    return answer.reason if isinstance(answer, Trouble) else None


def give_up(context: RunContext, batch: int, message: str) -> Decision:
    """Write down that no results of a batch can be had; the others of the run go on."""
    context.ledger.write(Stuck(context.writer, context.now(), message), batch)
    return Decision(Next.SPLIT)
