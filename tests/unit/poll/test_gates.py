"""A closed gate stops paid calls only."""

from datetime import timedelta

import pytest

from conveyor.domain.plan import Plan, ValidatedDrop
from conveyor.domain.schedule import RUN, BatchName, Next
from conveyor.gates.gate import Held, needs_to_pay
from conveyor.ledger.gate_facts import Gate
from conveyor.ledger.state import BatchState, RunState
from conveyor.poll.decisions.decide import decide_step
from conveyor.poll.decisions.decision import CancelBatch, Decision
from conveyor.poll.gates import hold
from tests.support.examples import BATCH, NOW

UNTIL = NOW + timedelta(hours=72)
PLAN = Plan(ValidatedDrop(3, "f00"), [BATCH])
HELD = Held(1, Gate("w", NOW, open=False, until=UNTIL), PLAN)


def test_a23_only_paid_calls_are_put_off() -> None:
    """A23: ended batches are split, cancels are repeated, and lost answers are looked for, or 29 days go by."""
    others = {
        BatchName("", 1): Decision(Next.SPLIT),
        BatchName("", 2): Decision(Next.WAIT, NOW, action=CancelBatch("batch_2", is_first=False)),
        BatchName("", 3): Decision(Next.WAIT, NOW, trouble="HTTP 500"),
        BatchName("probe", 1): Decision(Next.REPORT),
    }
    held = hold(others | {BatchName("", 5): Decision(Next.SUBMIT, trouble="HTTP 429")}, HELD)
    assert {name: held[name] for name in others} == others
    assert held[BatchName("", 5)] == Decision(Next.WAIT, UNTIL)
    assert held[RUN].held == HELD


@pytest.mark.parametrize(
    ("step", "following"), [(Next.SUBMIT, Next.WAIT), (Next.SPLIT, Next.SPLIT), (Next.REPORT, Next.WAIT)]
)
def test_a_held_run_waits_unless_something_is_due_that_costs_nothing(step: Next, following: Next) -> None:
    """It does not end at a gate by itself, and it does not call submit in vain."""
    assert decide_step(hold({BatchName("", 1): Decision(step)}, HELD).values()) is following


@pytest.mark.parametrize(
    ("state", "needs"),
    [
        (BatchState(), True),
        (BatchState(attempts=1), True),
        (BatchState(attempts=1, refused={1}), True),
        (BatchState(attempts=1, generations={1}, failed={1}), True),
        (BatchState(attempts=1, generations={1}), False),
        (BatchState(attempts=1, stuck=True), False),
        (BatchState(parted=True), False),
    ],
)
def test_a_run_that_has_paid_for_all_stands_nowhere(state: BatchState, *, needs: bool) -> None:
    """A pause would hold up nothing but its end."""
    assert needs_to_pay(PLAN, RunState(batches={1: state})) is needs
    assert not needs_to_pay(PLAN, RunState(batches={1: state}, refused=True))
