"""When lines are sent again: a round begins when all else is over, and ranges are merged when no round is left.

A round is the run's, and not a batch's: its lines are those of all batches that failed for a reason that may pass.
"""

from datetime import timedelta

from conveyor.context import RunContext
from conveyor.domain import keys
from conveyor.domain.plan import Plan
from conveyor.domain.schedule import MERGE, BatchName, Next
from conveyor.ledger.batch_facts import Attempt
from conveyor.ledger.round_facts import Again, Round
from conveyor.ledger.state import RunState
from conveyor.poll.decisions.decide import is_patience_over
from conveyor.poll.decisions.decision import Decision, Decisions

_LONGER = 6
"""How many times as long as the pause before a round the pause before the next one is."""


def add_rounds(context: RunContext, plan: Plan, run_state: RunState, decisions: Decisions) -> Decisions:
    """Return the decisions with those about rounds, and about ranges whose lines rounds have answered."""
    rounds = _check_unplanned(context, run_state)
    if rounds or not _are_over(context, decisions):
        return decisions | rounds
    if has_rounds_left(context, run_state) and (begun := _begin_round(context, run_state)):
        return decisions | begun
    if not all(decision.next is Next.REPORT for decision in decisions.values()):
        return decisions  # a straggler: what it still brings is in its place then
    return decisions | _merges(plan, run_state)


def has_rounds_left(context: RunContext, run_state: RunState) -> bool:
    """Return whether another round may begin."""
    return not run_state.refused and len(run_state.rounds) < context.run.settings.retry_rounds


def has_work_ahead(context: RunContext, run_state: RunState) -> bool:
    """Return whether a run that is split has lines that a round sends again, or will."""
    if run_state.unplanned_rounds:
        return True
    return has_rounds_left(context, run_state) and bool(_waiting_lines(context, run_state))


def _check_unplanned(context: RunContext, run_state: RunState) -> Decisions:
    """Decide about rounds that have no plan yet: `submit` makes it when their pause is over."""
    if run_state.refused:
        return {}
    decisions: Decisions = {}
    for number in sorted(run_state.unplanned_rounds):
        not_before = context.ledger.read(Round, number).not_before
        is_due = not_before <= context.now()
        name = BatchName(keys.round_leg(number), 0)
        decisions[name] = Decision(Next.SUBMIT) if is_due else Decision(Next.WAIT, not_before)
    return decisions


def _are_over(context: RunContext, decisions: Decisions) -> bool:
    """Return whether nothing is under way, apart from batches of which nobody can tell for long whether they exist."""
    return all(
        decision.next is Next.REPORT or _is_long_undecided(context, name, decision)
        for name, decision in decisions.items()
    )


def _is_long_undecided(context: RunContext, name: BatchName, decision: Decision) -> bool:
    if decision.undecided is None:
        return False
    over = context.ledger.of_leg(name.leg).read(Attempt, name.number, decision.undecided.attempt).not_after
    return is_patience_over(timedelta(seconds=context.run.settings.trouble_seconds), over, context.now())


def _begin_round(context: RunContext, run_state: RunState) -> Decisions:
    """Write down that a round is made of all lines that wait for one; nothing if there are none."""
    waiting = _waiting_lines(context, run_state)
    if not waiting:
        return {}
    number = len(run_state.rounds) + 1
    pause = timedelta(seconds=context.run.settings.round_seconds * _LONGER ** (number - 1))
    sources = [name.to_event() for name in waiting]
    found = Round(context.writer, context.now(), context.now() + pause, sum(waiting.values()), sources)
    round_ = context.ledger.write(found, number)
    return {BatchName(keys.round_leg(number), 0): Decision(Next.WAIT, round_.not_before)}


def _waiting_lines(context: RunContext, run_state: RunState) -> dict[BatchName, int]:
    """Return the batches with lines that no round has taken, in the order of the drop, and how many they have."""
    rounds = [context.ledger.read(Round, number) for number in sorted(run_state.rounds)]
    taken = {BatchName.from_event(source) for each in rounds for source in each.sources}
    legs = sorted((leg for leg in run_state.legs if leg != keys.PROBE), key=keys.round_number)
    names = [
        BatchName(leg, number)
        for leg in legs
        for number, state in sorted(run_state.of_leg(leg).batches.items())
        if state.has_again and state.parted
    ]
    return {
        name: context.ledger.of_leg(name.leg).read(Again, name.number).requests for name in names if name not in taken
    }


def _merges(plan: Plan, run_state: RunState) -> Decisions:
    """Let the ranges be merged whose lines a round has answered."""
    if not any(state.parted for leg in plan.rounds for state in run_state.of_leg(leg).batches.values()):
        return {}
    states = {batch.number: run_state.of_leg("").batch(batch.number) for batch in plan.batches}
    due = [number for number, state in states.items() if state.has_again and not state.merged]
    return {BatchName(MERGE, number): Decision(Next.SPLIT) for number in due}
