"""What a batch that is at the provider needs next: to be waited for, cancelled, split, or given up."""

from datetime import datetime, timedelta
from typing import NamedTuple

from conveyor.context import Turn
from conveyor.domain.plan import Batch
from conveyor.domain.refusal import RefusalKind
from conveyor.domain.schedule import Next
from conveyor.ledger.records import Cancel, Stuck, Submitted, Unread
from conveyor.ledger.state import BatchFacts, Facts
from conveyor.poll.deadlines import STUCK_AFTER, at_risk_since, cancel_at, ends_at, kept_until
from conveyor.poll.message import Risk, Undecided
from conveyor.poll.recover import cancel_duplicates, look_for_late
from conveyor.provider.protocol import Progress, Trouble, TroubleKind
from conveyor.split.split import last_unread, reread_at, rests_until
from conveyor.submit.send import fail_attempt, told_of


class Verdict(NamedTuple):
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


def of_submitted(turn: Turn, batch: Batch, facts: Facts, *, stop: bool) -> Verdict:
    """Look at a batch and return what it needs. `stop`: whether a person stopped the run."""
    about = facts.batches[batch.number]
    if about.parted and not (about.absent or about.duplicates):  # nothing of it is read: a run may have thousands
        return Verdict(Next.REPORT)
    submitted = turn.ledger.submitted(batch.number, about.take)
    if about.absent:
        look_for_late(turn, batch, about, submitted)
    cancel_duplicates(turn, about)
    if about.parted:
        return Verdict(Next.REPORT)
    if not submitted.adopted:  # an adopted one was claimed before; whoever submitted this one may not have come to it
        turn.ledger.write_claim(submitted.id, batch.number)
    progress = turn.api.progress(submitted.id)
    if isinstance(progress, Trouble) and _may_wait(turn, progress, submitted):
        ends = cancel_at(submitted.at, turn.api.dialect.window, submitted.expires_at) + STUCK_AFTER
        risk = None if stop else risk_of(turn, batch, about, submitted)
        is_gone = progress.kind is TroubleKind.GONE
        return Verdict(Next.WAIT, trouble=progress.reason, ends=ends if is_gone else None, risk=risk)
    if isinstance(progress, Trouble) or not progress.ended:
        return _running(turn, batch, about, submitted, progress, stop=stop)
    if progress.unrun and progress.unrun.kind is RefusalKind.LATER and not (facts.refused or about.cancelled):
        failed = fail_attempt(turn, batch.number, about, progress.unrun)
        return Verdict(Next.WAIT, failed.retry_at, told_of(failed.status, failed.type))
    return _of_ended(turn, batch.number, about, submitted, stop=stop)


def _may_wait(turn: Turn, trouble: Trouble, submitted: Submitted) -> bool:
    """Tell whether nothing is concluded yet from a look after which the provider is to be left alone.

    One that was asked and says so for ever must not keep a run from its end.
    """
    return trouble.kind is TroubleKind.UNASKED or (turn.rest.is_on and turn.now() < kept_until(submitted.at))


def _of_ended(turn: Turn, batch: int, about: BatchFacts, submitted: Submitted, *, stop: bool) -> Verdict:
    unread = last_unread(turn, batch, about)
    kept, gone_at = kept_until(submitted.at), None
    if unread and not unread.ours and unread.at > kept and (unread.gone or _have_failed(turn, batch, about, kept)):
        message = f"the results of {submitted.id} could not be read in 29 days, and the provider keeps them no longer"
        return give_up(turn, batch, message)
    if stop and unread and unread.gone:
        gone_at = _first_gone(turn, batch, about, unread)
        if is_patience_over(turn, gone_at, unread.at):
            message = (
                f"the run was stopped, and the provider does not know {submitted.id}, or the file with its results"
            )
            return give_up(turn, batch, message)
    moments = (unread and rests_until(unread, about), reread_at(turn, batch, about))
    again = max((moment for moment in moments if moment), default=turn.now())
    trouble, ends = (unread.reason if unread else None), (kept if unread and unread.gone else None)
    ends = gone_at + timedelta(seconds=turn.run.settings.trouble_seconds) if gone_at else ends
    if again > turn.now():
        return Verdict(Next.WAIT, again, trouble, ends=ends)
    return Verdict(Next.SPLIT, trouble=trouble, ends=ends)


def _have_failed(turn: Turn, batch: int, about: BatchFacts, since: datetime) -> bool:
    """Tell whether reads have failed for hours since a moment: one that did may have met a provider that was busy."""
    reads = (turn.ledger.unread(batch, number) for number in sorted(about.unreads))
    failed = [read.at for read in reads if read.at > since and not read.ours]
    return bool(failed) and is_patience_over(turn, failed[0], failed[-1])


def _first_gone(turn: Turn, batch: int, about: BatchFacts, last: Unread) -> datetime:
    """Return when a stopped run first heard that its results are gone, of the answers that all say so up to the last.

    The provider is known to say so of batches that exist: one such answer proves nothing.
    """
    first = last
    for number in sorted(about.unreads, reverse=True)[1:]:
        before = turn.ledger.unread(batch, number)
        if not before.gone:
            break
        first = before
    return max(first.at, turn.ledger.refusal().at)


def is_patience_over(turn: Turn, since: datetime, asked: datetime) -> bool:
    """Tell whether a question was asked so long after a moment that what it did not bring need not be waited for."""
    return since + timedelta(seconds=turn.run.settings.trouble_seconds) <= asked


def _running(  # noqa: PLR0913  # what is known of the batch, and what was answered
    turn: Turn, batch: Batch, about: BatchFacts, submitted: Submitted, found: Progress | Trouble, *, stop: bool
) -> Verdict:
    """Return what a batch needs that has not ended, as far as is known."""
    due = turn.now() if stop else cancel_at(submitted.at, turn.api.dialect.window, submitted.expires_at)
    risk = None if stop else risk_of(turn, batch, about, submitted)
    if not isinstance(found, Trouble):
        return _unended(turn, batch.number, about, submitted, due, None)._replace(ends=None, risk=risk)
    if about.cancelled and found.kind is TroubleKind.LATER and turn.now() < kept_until(submitted.at):
        return Verdict(Next.WAIT, trouble=_cancel(turn, submitted) or found.reason)  # what it has may yet be read
    verdict = _unended(turn, batch.number, about, submitted, due, found.reason)
    ends = verdict.ends if found.kind is TroubleKind.GONE else None
    return verdict._replace(trouble=verdict.trouble or found.reason, ends=ends, risk=risk)


def risk_of(turn: Turn, batch: Batch, about: BatchFacts, submitted: Submitted) -> Risk | None:
    """Return when the requests of a batch that has not ended, as far as is known, are at risk, and when they expire."""
    window = turn.api.dialect.window
    if about.cancelled or cancel_at(submitted.at, window, submitted.expires_at) <= turn.now():
        return None
    expires = ends_at(submitted.at, window, submitted.expires_at)
    return Risk(submitted.id, batch.requests, at_risk_since(submitted.at, window), expires)


def _unended(  # noqa: PLR0913, PLR0917  # what is known of the batch, and what was answered
    turn: Turn, batch: int, about: BatchFacts, submitted: Submitted, due: datetime, trouble: str | None
) -> Verdict:
    """Cancel a batch that has not ended when it is due to, and give it up six hours after that."""
    if about.cancelled:
        end = turn.ledger.cancel(batch).at + STUCK_AFTER
        if end <= turn.now():
            told = f"does not show the batch ({trouble})" if trouble else "has not ended it"
            words = f"the cancel of {submitted.id} was requested hours ago, and the provider {told}"
            return give_up(turn, batch, f"{words}: it may still run and be billed")
        return Verdict(Next.WAIT, end, _cancel(turn, submitted), ends=end)  # again: the first call may have been lost
    if due > turn.now():
        return Verdict(Next.WAIT, due, ends=due + STUCK_AFTER)
    turn.ledger.write_cancel(batch, Cancel(turn.invocation.writer, turn.now()))
    return Verdict(Next.WAIT, trouble=_cancel(turn, submitted), ends=turn.now() + STUCK_AFTER)


def _cancel(turn: Turn, submitted: Submitted) -> str | None:
    """Ask for a batch to end; return what was wrong in asking."""
    answer = turn.api.cancel(submitted.id)
    return answer.reason if isinstance(answer, Trouble) else None


def give_up(turn: Turn, batch: int, message: str) -> Verdict:
    """Write down that no results of a batch can be had; the others of the run go on."""
    turn.ledger.write_stuck(batch, Stuck(turn.invocation.writer, turn.now(), message))
    return Verdict(Next.SPLIT)
