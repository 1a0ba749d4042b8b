"""A check of a batch that is at the provider: ask how far it is, decide, and apply the decision."""

from collections.abc import Iterator
from datetime import timedelta
from functools import partial

from conveyor.context import RunContext
from conveyor.domain.plan import Batch
from conveyor.domain.schedule import Next
from conveyor.ledger.batch_facts import Cancel, Submitted, Unread
from conveyor.ledger.run_facts import Refusal
from conveyor.ledger.state import BatchState, RunState
from conveyor.poll.apply import apply
from conveyor.poll.decisions.decide import (
    ReadHistory,
    SentBatch,
    decide_ended,
    decide_inconclusive,
    decide_unended,
    is_inconclusive,
    is_unrun_for_now,
)
from conveyor.poll.decisions.decision import Decision, FailAttempt
from conveyor.poll.recover import cancel_duplicates, note_late_duplicate
from conveyor.provider.protocol import Progress, Trouble
from conveyor.split.pauses import last_unread, next_read_at, reread_at


def check_sent_batch(context: RunContext, batch: Batch, run_state: RunState, *, is_stopped: bool) -> Decision:
    """Ask the provider about a batch, write and request what follows, and return what the batch needs next.

    `is_stopped`: whether a person stopped the run.
    """
    batch_state = run_state.batches[batch.number]
    if batch_state.parted and not (batch_state.absent or batch_state.duplicates):
        return Decision(Next.REPORT)  # without reading any of its facts: a run may have thousands of batches
    sent = sent_batch(context, batch, batch_state, is_stopped=is_stopped)
    if batch_state.absent:
        note_late_duplicate(context, batch, batch_state, sent.submitted)
    cancel_duplicates(context, batch_state)
    if batch_state.parted:
        return Decision(Next.REPORT)
    if not sent.submitted.adopted:  # an adopted batch was claimed before; a crash may have prevented this claim
        context.claims.claim_own_batch(sent.submitted.id, batch.number)
    answer = context.api.progress(sent.submitted.id)
    return apply(context, batch.number, batch_state, _decide(context, sent, answer, run_state))


def sent_batch(context: RunContext, batch: Batch, batch_state: BatchState, *, is_stopped: bool) -> SentBatch:
    """Read what is known about a batch at the provider."""
    submitted = context.ledger.read(Submitted, batch.number, batch_state.generation)
    patience = timedelta(seconds=context.run.settings.trouble_seconds)
    return SentBatch(batch, batch_state, submitted, context.api.dialect.window, patience, is_stopped)


def _decide(context: RunContext, sent: SentBatch, answer: Progress | Trouble, run_state: RunState) -> Decision:
    """Read the facts that a decision about this answer needs, and decide."""
    now = context.now()
    if isinstance(answer, Trouble) and is_inconclusive(sent, answer, now, is_paused=context.retry_after.is_active):
        return decide_inconclusive(sent, answer, now)
    if isinstance(answer, Trouble) or not answer.ended:
        is_cancelled = sent.batch_state.cancelled
        cancelled_at = context.ledger.read(Cancel, sent.batch.number).at if is_cancelled else None
        return decide_unended(sent, answer, now, cancelled_at)
    if answer.not_run and is_unrun_for_now(answer.not_run, sent.batch_state, is_refused=run_state.refused):
        return Decision(Next.WAIT, action=FailAttempt(answer.not_run))
    return decide_ended(sent, _read_history(context, sent), now)


def _read_history(context: RunContext, sent: SentBatch) -> ReadHistory:
    """Read what earlier reads of the results came to."""
    number, batch_state = sent.batch.number, sent.batch_state
    last = last_unread(context, number, batch_state)
    moments = (last and next_read_at(last, batch_state), reread_at(context, number, batch_state))
    next_at = max((moment for moment in moments if moment), default=None)
    is_stop_known = sent.is_stopped and last is not None and last.gone
    stopped_at = context.ledger.read(Refusal).at if is_stop_known else None
    return ReadHistory(last, next_at, stopped_at, partial(_earlier_failures, context, number, batch_state))


def _earlier_failures(context: RunContext, batch: int, batch_state: BatchState) -> Iterator[Unread]:
    for number in sorted(batch_state.unreads, reverse=True)[1:]:
        yield context.ledger.read(Unread, batch, number)
