"""One check of a run: what each of its batches needs next, from the ledger, the provider, and a person's control.

Batches are checked one after the other, and each decision is applied before the next batch is asked about.
"""

from datetime import datetime, timedelta

from conveyor.context import RunContext
from conveyor.domain import keys
from conveyor.domain.plan import Batch, Plan
from conveyor.domain.schedule import RUN, BatchName, Next
from conveyor.gates.gate import Held
from conveyor.ledger.run_facts import Validation
from conveyor.ledger.state import BatchState, RunState
from conveyor.poll.apply import discard_files
from conveyor.poll.control import Control
from conveyor.poll.decisions.decide import decide_paused, decide_split, decide_unsent, risk_of
from conveyor.poll.decisions.decision import Checked, Decision, Decisions, Undecided
from conveyor.poll.gates import hold, settle_gate, stop_at_gate, stopped_by_person, wait_for_probe
from conveyor.poll.recover import settle_attempt
from conveyor.poll.rounds import add_rounds, has_work_ahead
from conveyor.poll.sent_batch import check_sent_batch, sent_batch
from conveyor.split.pauses import last_unread, next_read_at
from conveyor.submit.retries import last_refusal

_SPARE = timedelta(seconds=75)
"""Time that asking about one batch may take: a provider that keeps silent takes 30 s, and as long for a cancel."""
_GOLDEN = (5**0.5 - 1) / 2


def check_run(context: RunContext) -> Checked:
    """Return the decision about each batch; under `RUN`, that about a run without a plan, or at a gate."""
    began = context.now()
    control = Control(context.bucket, context.run.run, context.run.project)
    run_state = _stop_if_asked(context, control, context.run_state())
    if not run_state.planned:
        return Checked({RUN: _decide_before_plan(context, run_state)}, run_state)
    plan = context.ledger.plan(run_state)
    run_state, held = settle_gate(context, control, run_state, plan, began)
    return Checked(_decide(context, control, run_state, plan, held), run_state, plan)


def _decide(context: RunContext, control: Control, run_state: RunState, plan: Plan, held: Held | None) -> Decisions:
    decisions = add_rounds(context, plan, run_state, _check_legs(context, plan, run_state, control))
    is_over = all(decision.next is Next.REPORT for decision in decisions.values())
    if is_over and context.run.settings.delete_files == "yes":
        return _discard_files(context, plan, run_state)
    if held:
        decisions = hold(decisions, held)
    if context.retry_after.is_active:
        return {name: _paused(context, run_state, name, decision) for name, decision in decisions.items()}
    return decisions


def _check_legs(context: RunContext, plan: Plan, run_state: RunState, control: Control) -> Decisions:
    """Check the batches of each leg."""
    decisions: Decisions = {}
    for leg in plan.legs:
        of_leg = context.of_leg(leg), plan.of_leg(leg).batches, run_state.of_leg(leg), control
        checked = {BatchName(leg, number): decision for number, decision in _check_batches(*of_leg).items()}
        decisions |= wait_for_probe(context, plan, run_state, checked) if not leg else checked
    return decisions


def _discard_files(context: RunContext, plan: Plan, run_state: RunState) -> Decisions:
    return {
        BatchName(leg, batch.number): discard_files(
            context.of_leg(leg), batch, run_state.of_leg(leg).batch(batch.number)
        )
        for leg, batch in plan.all_batches()
    }


def _stop_if_asked(context: RunContext, control: Control, run_state: RunState) -> RunState:
    """Write down a person's stop, and return the state of the run with it.

    A stop waits for a validation under way, which would otherwise continue after it and pay. It is too late for a run
    whose results are all in the bucket.
    """
    if not control.is_stopped or run_state.refused:
        return run_state
    if _is_complete(context, run_state) if run_state.planned else _validating_until(context, run_state):
        return run_state
    stop_at_gate(context, run_state)
    context.ledger.write(stopped_by_person(context))
    return context.ledger.run_state()  # read again: an attempt begun meanwhile must be seen, or must see the stop


def _is_complete(context: RunContext, run_state: RunState) -> bool:
    batches = context.ledger.plan(run_state).all_batches()
    is_split = all(run_state.of_leg(leg).batch(batch.number).parted for leg, batch in batches)
    return is_split and not has_work_ahead(context, run_state)


def _decide_before_plan(context: RunContext, run_state: RunState) -> Decision:
    if run_state.refused:
        return Decision(Next.REPORT)
    until = _validating_until(context, run_state)
    return Decision(Next.WAIT, until) if until else Decision(Next.SUBMIT)


def _validating_until(context: RunContext, run_state: RunState) -> datetime | None:
    """Return until when an invocation may still be validating the drop, if one may."""
    until = context.ledger.read(Validation).not_after if run_state.validating else None
    return until if until and until > context.now() else None


def _check_batches(
    context: RunContext, batches: list[Batch], run_state: RunState, control: Control
) -> dict[int, Decision]:
    """Check each batch, as far as there is time: the next check asks about the others.

    A provider that has sent Retry-After accepts few requests: after a batch that has ended no others are asked about,
    so that its results are read before the next Retry-After.
    """
    decisions, has_ended = dict[int, Decision](), False
    for batch in _in_turn(context, batches, run_state):
        batch_state = run_state.batches.get(batch.number, BatchState())
        is_running = batch_state.submitted and not (batch_state.parted or batch_state.stuck)
        if (has_ended and is_running) or (_needs_provider(batch_state) and context.invocation.left < _SPARE):
            decisions[batch.number] = _skip(context, batch, batch_state, control)
        else:
            decisions[batch.number] = _check_batch(context, batch, run_state, control)
        has_split = is_running and decisions[batch.number].next is Next.SPLIT
        has_ended = has_ended or (has_split and run_state.retry_after_until is not None)
    return dict(sorted(decisions.items()))


def _in_turn(context: RunContext, batches: list[Batch], run_state: RunState) -> list[Batch]:
    """Return the batches in the order in which they are asked about.

    Of a provider that does not answer all requests, another batch is the first each minute. The golden ratio spreads
    them, however far apart checks are: counting on by minutes, every sixth would come to every sixth batch only.
    """
    is_well = run_state.retry_after_until is None and not run_state.open_troubles
    if is_well or not batches:  # a round has none if another split took its lines back
        return batches
    first = int(context.now().timestamp() // 60 * _GOLDEN % 1 * len(batches))
    return [*batches[first:], *batches[:first]]


def _needs_provider(batch_state: BatchState) -> bool:
    if batch_state.submitted and not batch_state.stuck:
        return not batch_state.parted or bool(batch_state.absent or batch_state.duplicates)
    return bool(batch_state.unsettled_attempt) and not batch_state.parted


def _skip(context: RunContext, batch: Batch, batch_state: BatchState, control: Control) -> Decision:
    """Decide about a batch that the provider is not asked about in this check."""
    if batch_state.parted:  # only a duplicate of it would be looked for
        return Decision(Next.REPORT)
    if attempt := batch_state.unsettled_attempt:
        undecided = Undecided(batch.number, attempt, (), context.leg)
        return Decision(Next.WAIT, undecided=undecided, is_skipped=True)
    sent = sent_batch(context, batch, batch_state, is_stopped=control.is_stopped)
    return Decision(Next.WAIT, risk=risk_of(sent, context.now()), is_skipped=True)


def _check_batch(context: RunContext, batch: Batch, run_state: RunState, control: Control) -> Decision:
    """Find out what a batch needs, write and request what follows, and return what it needs next."""
    batch_state = run_state.batches.get(batch.number, BatchState())
    if batch_state.submitted and not batch_state.stuck:
        return check_sent_batch(context, batch, run_state, is_stopped=control.is_stopped)
    if batch_state.parted:
        return Decision(Next.REPORT)
    if batch_state.stuck:  # its lines are written as failures
        return _decide_without_results(context, batch.number, batch_state)
    if batch_state.unsettled_attempt:
        return settle_attempt(context, batch, batch_state.unsettled_attempt, batch_state, control)
    if not batch.requests and not run_state.refused:  # all of its lines are in the probe
        return _decide_without_results(context, batch.number, batch_state)
    return _decide_unsent(context, batch.number, batch_state, run_state)


def _decide_unsent(context: RunContext, batch: int, batch_state: BatchState, run_state: RunState) -> Decision:
    if run_state.refused and keys.round_number(context.leg):
        return Decision(Next.REPORT)  # its lines stay as they were
    if not run_state.refused:
        return decide_unsent(last_refusal(batch, batch_state, context.ledger), context.now())
    if run_state.is_sent:  # the lines of a batch that is never sent are failures, if other batches were sent
        return _decide_without_results(context, batch, batch_state)
    return Decision(Next.WAIT if run_state.is_unsettled else Next.REPORT)


def _decide_without_results(context: RunContext, batch: int, batch_state: BatchState) -> Decision:
    """Let the lines of a batch be written as failures, unless the drop could not be read a moment ago."""
    unread = last_unread(context, batch, batch_state)
    due = next_read_at(unread, batch_state) if unread else None
    return decide_split(due, context.now(), unread.reason if unread else None)


def _paused(context: RunContext, run_state: RunState, name: BatchName, decision: Decision) -> Decision:
    batch_state = run_state.of_leg(name.leg).batch(name.number)
    reads_results = batch_state.submitted and not batch_state.stuck
    return decide_paused(decision, context.retry_after.reason, reads_results=reads_results)
