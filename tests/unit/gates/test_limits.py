"""Whether a run may cost more than its limits allow, by the forecast of its probe."""

from decimal import Decimal

import pytest
from msgspec.structs import replace

from conveyor.domain.plan import ValidatedDrop
from conveyor.gates.limits import above_approved, above_limits, cost_at_most, cost_of_forecast, limits_of, unasked_usd
from conveyor.ledger.gate_facts import ReasonCode
from conveyor.ledger.run_facts import Run
from conveyor.money.bounds import NoBound
from conveyor.money.estimate import Estimate
from conveyor.money.forecast import Forecast
from conveyor.wording.bounds import forecast_words
from tests.support.examples import RUN

FORECAST = Forecast(Decimal("41.2"), Decimal("38.109999"), Decimal("44.890001"))


def run_with(hold_above: float = 0, max_usd: str | None = None) -> Run:
    """Return a run of a stack and a drop with limits."""
    metadata = {"max-usd": max_usd} if max_usd else {}
    settings = replace(RUN.settings, hold_above_usd=hold_above)
    return replace(RUN, settings=settings, drop=replace(RUN.drop, metadata=metadata))


def codes(
    hold_above: float = 0, usd_per_drop: str | None = None, approved: str | None = None, max_usd: str | None = None
) -> list[ReasonCode]:
    """Return the codes of the limits that the forecast is above."""
    run = run_with(hold_above, max_usd)
    drop = ValidatedDrop(1, "f00", usd_per_drop=Decimal(usd_per_drop) if usd_per_drop else None)
    cost = cost_of_forecast(FORECAST)
    above = above_approved(cost, Decimal(approved)) if approved else above_limits(run, drop, cost)
    return [reason.code for reason in above]


def test_the_upper_end_is_compared_with_the_limits_of_stack_and_project() -> None:
    """Not the amount in the middle: half of all runs cost more than that."""
    assert codes() == []
    assert codes(hold_above=44.90, usd_per_drop="44.890001") == []
    assert codes(hold_above=44.89, usd_per_drop="44.89") == [ReasonCode.HOLD_ABOVE, ReasonCode.CEILING]


def test_the_upper_end_is_compared_with_the_limit_of_the_drop() -> None:
    """A drop whose owner names an amount waits, whatever the others allow."""
    assert codes(max_usd="44.890001") == []
    assert codes(max_usd="44.89") == [ReasonCode.MAX_USD]
    assert codes(hold_above=1000, usd_per_drop="1000", max_usd="20") == [ReasonCode.MAX_USD]
    assert codes(max_usd="20", approved="44.90") == []


def test_a_drop_cannot_raise_a_limit() -> None:
    """All limits hold: one of the drop that is higher changes nothing."""
    assert codes(hold_above=20, usd_per_drop="30", max_usd="1000000") == [ReasonCode.HOLD_ABOVE, ReasonCode.CEILING]
    drop = ValidatedDrop(1, "f00", usd_per_drop=Decimal(30))
    assert unasked_usd(run_with(max_usd="1000000"), drop) == 30
    assert unasked_usd(run_with(max_usd="20"), drop) == 20
    assert unasked_usd(run_with(max_usd="20"), ValidatedDrop(1, "f00")) == 20


def test_a_run_without_a_bound_is_above_the_limit_of_its_drop() -> None:
    """It may cost anything; so may one of a model without a price."""
    for reason in (NoBound.URL, NoBound.PRICE):
        cost = cost_at_most(Estimate(None, 1, 1, {}, no_bound={reason: 1}))
        (above,) = above_limits(run_with(max_usd="1000000000"), ValidatedDrop(1, "f00"), cost)
        assert above.code is ReasonCode.MAX_USD
        assert above.message == "its cost has no bound, and the drop may cost $1,000,000,000.00 (metadata max-usd)"


def test_an_approved_amount_takes_the_place_of_the_limits() -> None:
    """A person who approved more than the limits is not asked again within that."""
    assert codes(hold_above=1, usd_per_drop="1", approved="44.90") == []
    assert codes(approved="44.89") == [ReasonCode.OVER_APPROVED]


def test_the_reason_has_the_forecast_with_its_interval_and_the_limit() -> None:
    """The lower end is rounded down, the upper one up."""
    run = replace(RUN, settings=replace(RUN.settings, hold_above_usd=10))
    (reason,) = above_limits(run, ValidatedDrop(1, "f00"), cost_of_forecast(FORECAST))
    assert reason.message == (
        "it will cost about $41.20 (between $38.10 and $44.90), "
        "and the stack sends up to $10.00 without an approval (HoldAboveUsd)"
    )
    assert [limit.usd for limit in limits_of(run, ValidatedDrop(1, "f00"))] == [Decimal(10)]


@pytest.mark.parametrize(("dollars", "words"), [("30", "about $30.00"), ("0", "about $0.00")])
def test_a_forecast_without_an_interval_is_one_amount(dollars: str, words: str) -> None:
    """All lines cost the same, or all were in the probe."""
    assert forecast_words(Forecast(Decimal(dollars), Decimal(dollars), Decimal(dollars))) == words
