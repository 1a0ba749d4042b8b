"""Write the facts and make the requests that a decision holds, and those that need an answer in between."""

from datetime import timedelta

from conveyor.context import RunContext
from conveyor.domain.plan import Batch
from conveyor.domain.schedule import Next
from conveyor.ledger.batch_facts import Cancel, Discarded, Stuck, Submitted
from conveyor.ledger.part import Part
from conveyor.ledger.run_facts import Refusal, TroubleOver
from conveyor.ledger.state import BatchState
from conveyor.poll.decisions.decide import RETENTION
from conveyor.poll.decisions.decision import CancelBatch, Checked, Decision, FailAttempt, GiveUp
from conveyor.poll.decisions.trouble import KnownTrouble, begun_troubles, ended_troubles
from conveyor.provider.protocol import Trouble
from conveyor.submit.retries import fail_attempt
from conveyor.wording.trouble import describe_refusal

_DISCARD_PATIENCE = timedelta(minutes=10)
"""How long failing deletions at the provider delay the report; after that the files are left there.

Of deletions that were not made, because of a Retry-After, it is as long as the provider keeps results.
"""
_SPARE = timedelta(seconds=45)
"""Time that deleting the files of one batch may take; with less left, the next poll continues."""


def apply(context: RunContext, batch: int, batch_state: BatchState, decision: Decision) -> Decision:
    """Write and request what a decision about a batch says, and return the decision with what came of that."""
    match decision.action:
        case GiveUp(message):
            context.ledger.write(Stuck(context.writer, context.now(), message), batch)
        case FailAttempt(not_run):
            failed = fail_attempt(context, batch, batch_state, not_run)
            decision = decision._replace(until=failed.retry_at, trouble=describe_refusal(failed.status, failed.type))
        case CancelBatch(batch_id, is_first):
            if is_first:
                context.ledger.write(Cancel(context.writer, context.now()), batch)
            decision = _cancel(context, batch_id, decision)
        case None:
            pass
    return decision._replace(action=None)


def _cancel(context: RunContext, batch_id: str, decision: Decision) -> Decision:
    """Ask the provider to end a batch, and return the decision with why that failed, if it did."""
    answer = context.api.cancel(batch_id)
    if not isinstance(answer, Trouble):
        return decision
    failed = (*decision.failed, answer.reason) if answer.was_asked else decision.failed
    is_gone = decision.trouble and decision.ends  # which says more than how the cancel fails
    return decision._replace(trouble=decision.trouble if is_gone else answer.reason, failed=failed)


def discard_files(context: RunContext, batch: Batch, batch_state: BatchState) -> Decision:
    """Delete the files of a batch at the provider once its results are complete in the bucket.

    The files stay where a person must ask the provider about the batch.
    """
    if not batch_state.attempts or batch_state.discarded or batch_state.stuck:
        return Decision(Next.REPORT)
    part = context.ledger.read(Part, batch.number) if batch_state.parted else None
    if part and part.unaccounted:
        return Decision(Next.REPORT)
    if context.invocation.left < _SPARE:
        return Decision(Next.WAIT, context.now(), is_skipped=True)
    generations = {context.ledger.read(Submitted, batch.number, number).id for number in batch_state.generations}
    trouble = context.api.discard(context.origin(batch), sorted(generations | batch_state.duplicates))
    done_at = part.at if part else context.ledger.read(Refusal).at
    patience = _DISCARD_PATIENCE if trouble is None or trouble.was_asked else RETENTION
    if trouble and context.now() < done_at + patience:
        return Decision(Next.WAIT, trouble=trouble.reason, failed=(trouble.reason,) if trouble.was_asked else ())
    left = trouble.reason if trouble else None
    context.ledger.write(Discarded(context.writer, context.now(), left), batch.number)
    return Decision(Next.REPORT)


def note_trouble(context: RunContext, checked: Checked, before: KnownTrouble | None) -> None:
    """Write down the trouble that lasts by now, and what of it is over. `before`: what the last poll knew."""
    decisions, run_state, now = checked.decisions, checked.run_state, context.now()
    for begun in begun_troubles(decisions, before, run_state, now, context.writer):
        context.ledger.write(begun, begun.place)
    for place in ended_troubles(decisions, before, run_state, is_paused=context.retry_after.is_active):
        context.ledger.write(TroubleOver(context.writer, now), place)
