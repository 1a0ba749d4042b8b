"""What is left of an approved amount: each paid call counts with the most that it can cost, until its cost is known."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis.strategies import booleans, integers, lists, tuples

from conveyor.context import RunContext
from conveyor.domain.invocation import Invocation
from conveyor.domain.plan import Batch, Plan, ValidatedDrop
from conveyor.gates.spending import Over, Spending, over_approved
from conveyor.ledger.batch_facts import AttemptAbsent
from conveyor.ledger.ledger import Ledger
from conveyor.ledger.part import Part, Tokens
from conveyor.ledger.state import BatchState, RunState
from conveyor.money.forecast import Forecast
from conveyor.money.usage import Usage
from conveyor.s3.bucket import Bucket
from tests.support.examples import NOW, RUN
from tests.support.fake_aws import FakeBucket

SENT = {"attempts": 1, "generations": {1}}
SPLIT = SENT | {"parted": True}
type Costs = dict[int, list[str | None]]
"""The cost of each model of a batch that is split."""


def context_of(bucket: FakeBucket) -> RunContext:
    """Return what reads the facts of a run from a bucket."""
    ledger = Ledger(Bucket(bucket.client, "bucket"), RUN.run)
    return RunContext(RUN, ledger, Bucket(bucket.client, "bucket"), None, Invocation(timedelta(1), lambda: NOW))  # type: ignore[arg-type]


NO_FACTS = context_of(FakeBucket())


def over(
    up_to: str, *states: BatchState, costs: Costs | None = None, released: bool = False, this: int | None = None
) -> Over | None:
    """Ask about a batch, by default the last, of a run whose batches may cost $10 each."""
    bucket = FakeBucket()
    context = context_of(bucket)
    ledger = context.ledger
    for number, each in (costs or {}).items():
        tokens = {str(at): Tokens(Usage(10, 10), Decimal(cost) if cost else None) for at, cost in enumerate(each)}
        ledger.write(Part("w", NOW, {}, 0, 0, 0, tokens, [], None), number)
    for number, state in enumerate(states, 1):
        for attempt in state.absent:
            ledger.write(AttemptAbsent("w", NOW, released), number, attempt)
    batches = [Batch(number, number, 0, at_most_usd=Decimal(10)) for number in range(1, len(states) + 1)]
    run_state = RunState(batches=dict(enumerate(states, 1)))
    before = len(bucket.requests)
    spending = Spending(context, run_state, Plan(ValidatedDrop(1, "f00"), batches))
    found = over_approved(spending, "", batches[(this or len(states)) - 1], Decimal(up_to))
    if found is None and not costs and not released:
        assert len(bucket.requests) - before <= sum(len(state.absent) for state in states)
    return found


def state(**facts: Any) -> BatchState:
    """Return the state of a batch."""
    return BatchState(**facts)


@pytest.mark.parametrize(
    "paid",
    [SENT, {"attempts": 1}, {"attempts": 1, "unknown": {1}}, {"attempts": 1, "stuck": True}],
)
def test_what_was_paid_or_may_have_been_counts_with_its_most(paid: dict[str, Any]) -> None:
    """Also an attempt of which nothing is known yet."""
    assert over("20", state(**paid), state()) is None
    found = over("19.99", state(**paid), state())
    assert found is not None
    assert found.reason.message == "batch 2 may cost $10.00, and $9.99 is left of the $19.99 that the run may cost"
    assert found.need == 20


@pytest.mark.parametrize("unpaid", [{}, {"attempts": 1, "refused": {1}}, SENT | {"failed": {1}}])
def test_what_was_surely_not_paid_counts_nothing(unpaid: dict[str, Any]) -> None:
    """A refused call, and a batch that failed unrun."""
    assert over("10", state(**unpaid)) is None
    assert over("10", state(**unpaid), state()) is None


def test_a_batch_that_exists_twice_is_paid_twice() -> None:
    """The ceiling was approved for one of them."""
    twice = state(**SENT, duplicates={"msgbatch_2"})
    found = over("20", twice, state())
    assert found is not None
    assert found.need == 30, "what has to be approved covers the rest, too"
    assert over("30", twice, state()) is None


def test_an_attempt_that_a_person_released_may_have_been_paid() -> None:
    """`submit again` is a person's word; what a search did not find was not created."""
    again = state(attempts=1, absent={1})
    assert over("10", again) is None
    found = over("10", again, released=True)
    assert found is not None
    assert found.need == 20
    assert over("20", again, released=True) is None


def test_a_batch_that_is_split_counts_with_its_cost() -> None:
    """Most runs cost a fraction of their most."""
    assert over("20", state(**SPLIT), state(**SENT), state(), costs={1: ["0.25", "0.25"]}) is not None
    assert over("20.50", state(**SPLIT), state(**SENT), state(), costs={1: ["0.25", "0.25"]}) is None
    assert over("10", state(**SPLIT), state(), costs={1: []}) is None


def test_a_batch_whose_cost_is_not_known_whole_counts_with_its_most() -> None:
    """One model of it has no price."""
    assert over("19.99", state(**SPLIT), state(), costs={1: ["0.25", None]}) is not None


def test_a_batch_that_cost_more_than_its_bound_counts_with_its_cost() -> None:
    """So its cost is read even where the bounds leave room."""
    assert over("25", state(**SPLIT), state(), costs={1: ["12"]}) is None
    assert over("25", state(**SPLIT), state(), costs={1: ["16"]}) is not None


def test_the_need_covers_all_that_is_not_sent() -> None:
    """Otherwise each batch would close a gate of its own."""
    found = over("5", state(), state(), state(), this=1)
    assert found is not None
    assert found.need == 30
    assert "batch 1 may cost $10.00, and $5.00 is left" in found.reason.message


@given(
    rest=integers(1, 10**7),
    sizes=lists(tuples(integers(1, 1_000), integers(1, 10**8)), min_size=1, max_size=9),
    is_bounded=booleans(),
)
@example(rest=1_000_000, sizes=[(1, 1), (1, 1), (1, 1)], is_bounded=False)
def test_whoever_approves_just_what_a_forecast_run_needs_lets_all_of_it_go(
    rest: int, sizes: list[tuple[int, int]], *, is_bounded: bool
) -> None:
    """The shares of the batches add up to the upper end, to the millionth of a dollar."""
    at_most = [Decimal(most).scaleb(-6) if is_bounded else None for _, most in sizes]
    batches = [
        Batch(number, number, 0, requests=size[0], at_most_usd=most)
        for number, (size, most) in enumerate(zip(sizes, at_most, strict=True), 1)
    ]
    high = Decimal(rest).scaleb(-6)
    plan, run_state = Plan(ValidatedDrop(1, "f00"), batches), RunState(batches={})

    def spending() -> Spending:
        return Spending(NO_FACTS, run_state, plan, Forecast(high, high, high))

    need = spending().need()
    assert need is not None
    assert need <= high
    for batch in batches:
        assert over_approved(spending(), "", batch, need) is None
        run_state.batches[batch.number] = state(**SENT)
    assert spending().spent() == need
