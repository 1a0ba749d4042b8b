"""Many that reserve at the same time: the sum never exceeds the ceiling, and no room is left unused."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from msgspec.structs import replace as changed

from conveyor.context import RunContext
from conveyor.domain.invocation import Invocation
from conveyor.domain.plan import Batch
from conveyor.spend.ceiling import Ceiling, Need
from conveyor.spend.reserve import MOST_LOST, DayBudget
from tests.functions.budgets.test_days import ONE
from tests.support.belt import Belt
from tests.support.budgets import the_log
from tests.support.faults.taps import Call, When, tapped, together

MANY, NEED, CEILING = 1_000, Decimal("0.30"), Decimal(15)


def reserving(context: RunContext, batch: Batch, number: int, slept: list[float]) -> bool:
    """Reserve for a batch, in an invocation of its own, until there is an answer: no number or no room."""
    invocation = Invocation(timedelta(minutes=15), context.invocation.now, slept.append)
    own = replace(context, invocation=invocation)
    day = DayBudget(own, changed(batch, number=number), Ceiling("team", CEILING), Need(NEED))
    while not day.reserve(1):
        if not day.has_room(own.run_state()):
            return False
    return True


def test_a_ceiling_is_used_up_and_never_passed_whoever_comes_at_the_same_time(belt: Belt) -> None:
    """1,000 batches of 0.30 in the same second, for 15: exactly 50 fit."""
    run = belt.upload(ONE)
    context = belt.clients.context(run, belt.invocation())
    batch, slept = context.ledger.plan().batches[0], list[float]()
    with together(belt.clients, 64, "PutObject claims/spend/"), ThreadPoolExecutor(64) as pool:
        fitted = sum(pool.map(lambda number: reserving(context, batch, number, slept), range(1, MANY + 1)))
    claims = [each for each in the_log(belt, "team") if not each.is_recount]
    assert fitted == len(claims) == 50
    assert [each.total_usd for each in claims] == [NEED * number for number in range(1, 51)]
    assert len(slept) >= 63
    assert 0 <= min(slept) <= max(slept) <= 5


def test_a_batch_that_loses_too_many_numbers_looks_again_later(belt: Belt) -> None:
    """It must not use up the time of its function, nor be told that there is no room."""
    run = belt.upload(ONE)
    context, slept = belt.clients.context(run, belt.invocation()), list[float]()
    own = replace(context, invocation=Invocation(timedelta(minutes=15), context.invocation.now, slept.append))
    batch, ceiling = context.ledger.plan().batches[0], Ceiling("team", CEILING)
    others = list[bool]()

    def be_first(call: Call, when: When) -> None:
        """Take the number that the batch is about to take."""
        if when == "before" and call.name.startswith("PutObject claims/spend/") and len(others) == len(slept):
            other = DayBudget(context, changed(batch, number=100 + len(others)), ceiling, Need(Decimal(0)))
            others.append(True)
            assert other.reserve(1)

    day = DayBudget(own, batch, ceiling, Need(NEED))
    with tapped(belt.clients, be_first):
        assert not day.reserve(1)
    assert len(slept) == MOST_LOST
    assert belt.facts(run, "budget") == []
    assert day.reserve(1)
