"""What a batch needs next. These functions are pure: facts, the provider's answers and the clock in, a Decision out.

When a batch is over is decided by our own clock. The times that a provider gives are hints: a server may say that a
batch expires when it is created, or in a thousand years. `since` is the moment at which we wrote down that there is a
batch: it is never before the attempt. `says`: when the batch expires, as the provider says.
"""

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import NamedTuple

from conveyor.domain.plan import Batch
from conveyor.domain.refusal import AT_GATE, RefusalKind
from conveyor.domain.schedule import Next
from conveyor.ledger.batch_facts import AttemptRefused, Submitted, Unread
from conveyor.ledger.state import BatchState
from conveyor.poll.decisions.decision import CancelBatch, Decision, GiveUp, Risk
from conveyor.provider.protocol import NotRun, Progress, Trouble, TroubleKind
from conveyor.wording.trouble import describe_refusal

CANCEL_AFTER = timedelta(hours=1)
"""From when a batch should have ended by itself until it is cancelled."""
STUCK_AFTER = timedelta(hours=6)
"""From a cancel until a batch that has still not ended is given up."""
RETENTION = timedelta(days=29)
"""From a batch's creation: how long the provider keeps its results."""


class SentBatch(NamedTuple):
    """What is known about a batch at the provider, before the provider is asked."""

    batch: Batch
    batch_state: BatchState
    submitted: Submitted
    window: timedelta
    """The provider's completion window."""
    patience: timedelta
    """How long a request may fail before something follows from that."""
    is_stopped: bool
    """Whether a person stopped the run."""

    @property
    def cancel_at(self) -> datetime:
        """When it is cancelled if it has not ended."""
        return cancel_at(self.submitted.at, self.window, self.submitted.expires_at)

    @property
    def kept_until(self) -> datetime:
        """Until when the provider keeps its results."""
        return kept_until(self.submitted.at)


class ReadHistory(NamedTuple):
    """What is known about earlier reads of the results of a batch that has ended."""

    last_failure: Unread | None
    next_at: datetime | None
    """Before this moment another read is too early. None before the first read."""
    stopped_at: datetime | None
    """When a person stopped the run."""
    earlier_failures: Callable[[], Iterable[Unread]]
    """Reads the failures before the last one from the ledger, newest first: there may be hundreds, so only on need."""


def decide_step(decisions: Iterable[Decision]) -> Next:
    """Return the next step of a run: what one batch needs now comes before what all may wait for."""
    steps = {decision.next for decision in decisions}
    return next((step for step in (Next.SPLIT, Next.SUBMIT, Next.WAIT) if step in steps), Next.REPORT)


def decide_unsent(refused: AttemptRefused | None, now: datetime) -> Decision:
    """Decide about a batch that may be sent. `refused`: why the provider did not take, or not run, the last attempt."""
    if refused is None:
        return Decision(Next.SUBMIT)
    trouble = None if refused.type == AT_GATE else describe_refusal(refused.status, refused.type)
    if refused.retry_at > now:
        return Decision(Next.WAIT, refused.retry_at, trouble)
    return Decision(Next.SUBMIT, trouble=trouble)


def decide_split(due: datetime | None, now: datetime, trouble: str | None, ends: datetime | None = None) -> Decision:
    """Decide about a batch whose lines can be written once its next read is due. `trouble`: why the last one failed."""
    if due is not None and due > now:
        return Decision(Next.WAIT, due, trouble, ends=ends)
    return Decision(Next.SPLIT, trouble=trouble, ends=ends)


def decide_paused(decision: Decision, reason: str, *, reads_results: bool) -> Decision:
    """Replace a step that calls the provider while its Retry-After lasts; a stop must still be seen meanwhile."""
    if decision.next is Next.SUBMIT or (decision.next is Next.SPLIT and reads_results):
        return Decision(Next.WAIT, trouble=decision.trouble or reason)
    return decision


def is_inconclusive(sent: SentBatch, trouble: Trouble, now: datetime, *, is_paused: bool) -> bool:
    """Tell whether nothing follows yet from a request that failed. `is_paused`: the provider's Retry-After lasts.

    A provider that answers every request with Retry-After must not keep a run from its end.
    """
    return not trouble.was_asked or (is_paused and now < sent.kept_until)


def decide_inconclusive(sent: SentBatch, trouble: Trouble, now: datetime) -> Decision:
    """Decide about a batch from whose failed request nothing follows yet."""
    ends = sent.cancel_at + STUCK_AFTER if trouble.kind is TroubleKind.GONE else None
    risk = risk_of(sent, now)
    failed = (trouble.reason,) if trouble.was_asked else ()
    return Decision(Next.WAIT, trouble=trouble.reason, ends=ends, risk=risk, failed=failed)


def decide_unended(
    sent: SentBatch, answer: Progress | Trouble, now: datetime, cancelled_at: datetime | None
) -> Decision:
    """Decide about a batch that has not ended, as far as is known. `cancelled_at`: when its cancel was requested."""
    risk = risk_of(sent, now)
    if not isinstance(answer, Trouble):
        return _wait_or_cancel(sent, now, cancelled_at, None)._replace(ends=None, risk=risk)
    if cancelled_at and answer.kind is TroubleKind.LATER and now < sent.kept_until:  # its results may yet be read
        again = CancelBatch(sent.submitted.id, is_first=False)
        return Decision(Next.WAIT, trouble=answer.reason, action=again, failed=(answer.reason,))
    decision = _wait_or_cancel(sent, now, cancelled_at, answer.reason)
    if isinstance(decision.action, GiveUp):
        return decision  # the provider is not asked about it any more
    ends = decision.ends if answer.kind is TroubleKind.GONE else None
    return decision._replace(trouble=answer.reason, ends=ends, risk=risk, failed=(answer.reason,))


def _wait_or_cancel(sent: SentBatch, now: datetime, cancelled_at: datetime | None, trouble: str | None) -> Decision:
    """Cancel a batch when it should have ended, or the run is stopped; give it up six hours after that."""
    if cancelled_at is None:
        due = now if sent.is_stopped else sent.cancel_at
        if due > now:
            return Decision(Next.WAIT, due, ends=due + STUCK_AFTER)
        cancel = CancelBatch(sent.submitted.id, is_first=True)
        return Decision(Next.WAIT, ends=now + STUCK_AFTER, action=cancel)
    end = cancelled_at + STUCK_AFTER
    if end > now:  # the cancel is requested again, since the first request may have been lost
        return Decision(Next.WAIT, end, ends=end, action=CancelBatch(sent.submitted.id, is_first=False))
    state = f"does not show the batch ({trouble})" if trouble else "has not ended it"
    message = f"the cancel of {sent.submitted.id} was requested hours ago, and the provider {state}"
    return give_up(f"{message}: it may still run and be billed")


def risk_of(sent: SentBatch, now: datetime) -> Risk | None:
    """Return from when the requests of a batch that has not ended, as far as is known, are at risk, if they are."""
    if sent.is_stopped or sent.batch_state.cancelled or sent.cancel_at <= now:
        return None
    since = at_risk_since(sent.submitted.at, sent.window)
    expires = ends_at(sent.submitted.at, sent.window, sent.submitted.expires_at)
    return Risk(sent.submitted.id, sent.batch.requests, since, expires)


def is_unrun_for_now(not_run: NotRun | None, batch_state: BatchState, *, is_refused: bool) -> bool:
    """Tell whether a batch ended without being run, and can be sent again. `is_refused`: nothing more is sent."""
    return not_run is not None and not_run.kind is RefusalKind.LATER and not (is_refused or batch_state.cancelled)


def decide_ended(sent: SentBatch, history: ReadHistory, now: datetime) -> Decision:
    """Decide about a batch that has ended: read its results, or give them up after reads that failed for too long."""
    last, batch_id, kept = history.last_failure, sent.submitted.id, sent.kept_until
    if last is None:
        return decide_split(history.next_at, now, None)
    is_late = last.at > kept and not last.ours
    if is_late and (last.gone or _have_failed_for_long(sent, last, history)):
        return give_up(f"the results of {batch_id} could not be read in 29 days, and the provider keeps them no longer")
    if not last.gone:
        return decide_split(history.next_at, now, last.reason)
    if history.stopped_at is None:
        return decide_split(history.next_at, now, last.reason, kept)
    gone_at = _gone_since(last, history, history.stopped_at)
    if is_patience_over(sent.patience, gone_at, last.at):
        return give_up(f"the run was stopped, and the provider does not know {batch_id}, or the file with its results")
    return decide_split(history.next_at, now, last.reason, gone_at + sent.patience)


def _have_failed_for_long(sent: SentBatch, last: Unread, history: ReadHistory) -> bool:
    """Tell whether reads after the retention have failed for hours: a single one may have met a busy provider."""
    failures = [last, *history.earlier_failures()]
    counted = [failure.at for failure in failures if failure.at > sent.kept_until and not failure.ours]
    return is_patience_over(sent.patience, counted[-1], counted[0])


def _gone_since(last: Unread, history: ReadHistory, stopped_at: datetime) -> datetime:
    """Return since when a stopped run has heard only that its results are gone.

    Providers are known to answer so for batches that exist: one such answer proves nothing.
    """
    first = last
    for failure in history.earlier_failures():
        if not failure.gone:
            break
        first = failure
    return max(first.at, stopped_at)


def is_patience_over(patience: timedelta, since: datetime, asked: datetime) -> bool:
    """Tell whether a request was made so long after a moment that its failure is not waited out any further."""
    return since + patience <= asked


def give_up(message: str) -> Decision:
    """Give up the results of a batch: its lines are written as failures. `message`: why."""
    return Decision(Next.SPLIT, action=GiveUp(message))


def ends_at(since: datetime, window: timedelta, says: datetime) -> datetime:
    """Return when a batch should have ended: after its completion window, or later if the provider says so.

    A provider is believed up to the end of the retention, so that every run ends.
    """
    return max(since + window, min(says, since + RETENTION))


def cancel_at(since: datetime, window: timedelta, says: datetime) -> datetime:
    """Return when a batch that has not ended is cancelled."""
    return ends_at(since, window, says) + CANCEL_AFTER


def at_risk_since(since: datetime, window: timedelta) -> datetime:
    """Return from when on a batch that has not ended may expire: three quarters of its window have passed."""
    return since + window * 3 / 4


def kept_until(since: datetime) -> datetime:
    """Return until when the provider keeps results, and so failed reads of them are repeated."""
    return since + RETENTION
