"""What each batch of a run needs next, from the ledger, the provider's answers, and what a person has said."""

from datetime import datetime, timedelta

from conveyor.context import RunContext
from conveyor.domain.plan import Batch
from conveyor.domain.schedule import Next
from conveyor.ledger.account import Part
from conveyor.ledger.batch_facts import Discarded, Submitted
from conveyor.ledger.run_facts import Refusal, Validation
from conveyor.ledger.state import BatchState, RunState
from conveyor.poll.control import Control
from conveyor.poll.message import Undecided
from conveyor.poll.recover import look, over_at, release
from conveyor.poll.sent_batch import Decision, give_up, is_patience_over, of_submitted, risk_of
from conveyor.provider.protocol import TroubleKind
from conveyor.split.split import last_unread, next_read_at
from conveyor.submit.retries import describe_refusal, last_refusal
from conveyor.wording.trouble import in_words

_DISCARD_PATIENCE = timedelta(minutes=10)
"""So long a provider that will not delete its files holds up the report; then they are left."""
_SPARE = timedelta(seconds=45)
"""Time that deleting the files of one batch may take; with less, the next poll goes on."""


def decisions(context: RunContext, control: Control) -> dict[int, Decision]:
    """Return a verdict for each batch by number, for a run without plan one under 0."""
    run_state = _facts(context, control)
    if not run_state.planned:
        return {0: _before_plan(context, run_state)}
    batches = context.ledger.plan().batches
    each = _each(context, batches, run_state, control)
    if context.run.settings.delete_files == "yes" and all(decision.next is Next.REPORT for decision in each.values()):
        return {batch.number: _discarded(context, batch, run_state.batches.get(batch.number)) for batch in batches}
    if context.retry_after.is_active:
        return {number: _unasked(context, run_state.batches.get(number), decision) for number, decision in each.items()}
    return each


def _each(context: RunContext, batches: list[Batch], run_state: RunState, control: Control) -> dict[int, Decision]:
    """Return the verdict of each batch.

    A provider that has asked to be left alone takes few calls: then the looks begin at another batch each minute, and
    where one has ended no more are made, so that its results come before it asks to be left alone again.
    """
    if run_state.retry_after_until is None:
        return {batch.number: _of_batch(context, batch, run_state, control) for batch in batches}
    first = int(context.now().timestamp() // 60) % len(batches)
    each, may_ask = dict[int, Decision](), True
    for batch in [*batches[first:], *batches[:first]]:
        batch_state = run_state.batches.get(batch.number, BatchState())
        is_running = batch_state.submitted and not (batch_state.parted or batch_state.stuck)
        if may_ask or not is_running:
            each[batch.number] = _of_batch(context, batch, run_state, control)
        else:
            submitted = context.ledger.read(Submitted, batch.number, batch_state.generation)
            each[batch.number] = Decision(Next.WAIT, risk=risk_of(context, batch, batch_state, submitted))
        may_ask = may_ask and not (is_running and each[batch.number].next is Next.SPLIT)
    return dict(sorted(each.items()))


def _unasked(context: RunContext, batch_state: BatchState | None, decision: Decision) -> Decision:
    """Send nobody to a provider that has said when to come back. A stop is seen meanwhile: S3 is looked at as ever."""
    reads = decision.next is Next.SPLIT and batch_state is not None and batch_state.submitted and not batch_state.stuck
    if reads or decision.next is Next.SUBMIT:
        return Decision(Next.WAIT, trouble=decision.trouble or context.retry_after.reason)
    return decision


def _facts(context: RunContext, control: Control) -> RunState:
    """Return the facts, after a stop has become one of them.

    A stop waits for a validation under way, which would otherwise go on behind it and pay. It is too late for a run
    whose results are all there.
    """
    run_state = context.run_state()
    if not control.is_stopped or run_state.refused:
        return run_state
    if _is_over(context, run_state) if run_state.planned else _validating_until(context, run_state):
        return run_state
    stopped = Refusal(context.writer, context.now(), "stopped", "the run was stopped by a person")
    context.ledger.write(stopped)
    return context.ledger.run_state()  # anew: an attempt begun meanwhile must be seen, or must see the stop


def _is_over(context: RunContext, run_state: RunState) -> bool:
    return all(run_state.batches.get(batch.number, BatchState()).parted for batch in context.ledger.plan().batches)


def _before_plan(context: RunContext, run_state: RunState) -> Decision:
    if run_state.refused:
        return Decision(Next.REPORT)
    until = _validating_until(context, run_state)
    return Decision(Next.WAIT, until) if until else Decision(Next.SUBMIT)


def _validating_until(context: RunContext, run_state: RunState) -> datetime | None:
    """Return until when the drop may still be being validated, if so."""
    until = context.ledger.read(Validation).not_after if run_state.validating else None
    return until if until and until > context.now() else None


def _of_batch(context: RunContext, batch: Batch, run_state: RunState, control: Control) -> Decision:
    batch_state = run_state.batches.get(batch.number, BatchState())
    if batch_state.stuck:  # its lines are failures
        return Decision(Next.REPORT) if batch_state.parted else _without_results(context, batch.number, batch_state)
    if batch_state.submitted:
        return of_submitted(context, batch, run_state, stop=control.is_stopped)
    if batch_state.parted:
        return Decision(Next.REPORT)
    if batch_state.unsettled_attempt:
        return _of_unsettled(context, batch, batch_state.unsettled_attempt, batch_state, control)
    return _of_unsent(context, batch, batch_state, run_state)


def _of_unsent(context: RunContext, batch: Batch, batch_state: BatchState, run_state: RunState) -> Decision:
    if run_state.refused:  # the lines of a batch that is never sent are failures, if other batches were sent
        if run_state.is_sent:
            return _without_results(context, batch.number, batch_state)
        return Decision(Next.WAIT if run_state.is_unsettled else Next.REPORT)
    refused = last_refusal(batch.number, batch_state, context.ledger)
    if refused is None:
        return Decision(Next.SUBMIT)
    trouble = describe_refusal(refused.status, refused.type)
    if refused.retry_at > context.now():
        return Decision(Next.WAIT, refused.retry_at, trouble)
    return Decision(Next.SUBMIT, trouble=trouble)


def _without_results(context: RunContext, batch: int, batch_state: BatchState) -> Decision:
    """Let the lines of a batch be written as failures, unless they could not be read a moment ago."""
    unread = last_unread(context, batch, batch_state)
    if unread is None:
        return Decision(Next.SPLIT)
    again = next_read_at(unread, batch_state)
    if again > context.now():
        return Decision(Next.WAIT, again, unread.reason)
    return Decision(Next.SPLIT, trouble=unread.reason)


def _of_unsettled(
    context: RunContext, batch: Batch, number: int, batch_state: BatchState, control: Control
) -> Decision:
    over = over_at(context, batch.number, number, batch_state)
    if over > context.now():
        return Decision(Next.WAIT, over)
    word = control.release(batch.number, number)
    problem = (
        release(context, batch, number, batch_state, word)
        if word is not None and not context.retry_after.is_active
        else None
    )
    if context.retry_after.is_active:  # what the provider was not asked, it does not deny
        return Decision(Next.WAIT, trouble=context.retry_after.reason, undecided=Undecided(batch.number, number, ()))
    if word is not None and problem is None:
        return Decision(Next.WAIT, context.now())
    found = look(context, batch, number, batch_state, may_conclude=problem is None)
    if (
        control.is_stopped
        and found.trouble
        and is_patience_over(context, context.ledger.read(Refusal).at, context.now())
    ):
        message = f"it was stopped before it was known whether its call created a batch: {in_words(found.trouble)}"
        return give_up(context, batch.number, message)
    undecided = Undecided(batch.number, number, found.doubtful)
    return Decision(Next.WAIT, found.until, problem or found.trouble, undecided, is_answer=bool(problem))


def _discarded(context: RunContext, batch: Batch, batch_state: BatchState | None) -> Decision:
    """Delete what the provider keeps of a batch whose results are all here; not of one that a person must ask about."""
    if batch_state is None or not batch_state.attempts or batch_state.discarded or batch_state.stuck:
        return Decision(Next.REPORT)
    part = context.ledger.read(Part, batch.number) if batch_state.parted else None
    if part and part.unaccounted:
        return Decision(Next.REPORT)
    if context.invocation.left < _SPARE:
        return Decision(Next.WAIT, context.now())
    ids = {
        context.ledger.read(Submitted, batch.number, generation).id for generation in batch_state.generations
    } | batch_state.duplicates
    trouble = context.api.discard(context.origin(batch), sorted(ids))
    done_at = part.at if part else context.ledger.read(Refusal).at
    is_unasked = trouble is not None and trouble.kind is TroubleKind.UNASKED
    if trouble and (is_unasked or context.now() < done_at + _DISCARD_PATIENCE):
        return Decision(Next.WAIT, trouble=trouble.reason)
    left = trouble.reason if trouble else None
    context.ledger.write(Discarded(context.writer, context.now(), left), batch.number)
    return Decision(Next.REPORT)
