"""Whether a run may cost more than its limits allow, by the forecast of its probe."""

from decimal import Decimal

import pytest
from msgspec.structs import replace

from conveyor.domain.plan import ValidatedDrop
from conveyor.gates.limits import above_approved, above_limits, cost_of_forecast, limits_of
from conveyor.ledger.gate_facts import ReasonCode
from conveyor.money.forecast import Forecast
from conveyor.wording.bounds import forecast_words
from tests.support.examples import RUN

FORECAST = Forecast(Decimal("41.2"), Decimal("38.109999"), Decimal("44.890001"))


def codes(hold_above: float = 0, usd_per_drop: str | None = None, approved: str | None = None) -> list[ReasonCode]:
    """Return the codes of the limits that the forecast is above."""
    run = replace(RUN, settings=replace(RUN.settings, hold_above_usd=hold_above))
    drop = ValidatedDrop(1, "f00", usd_per_drop=Decimal(usd_per_drop) if usd_per_drop else None)
    cost = cost_of_forecast(FORECAST)
    above = above_approved(cost, Decimal(approved)) if approved else above_limits(run, drop, cost)
    return [reason.code for reason in above]


def test_the_upper_end_is_compared_with_the_limits_of_stack_and_project() -> None:
    """Not the amount in the middle: half of all runs cost more than that."""
    assert codes() == []
    assert codes(hold_above=44.90, usd_per_drop="44.890001") == []
    assert codes(hold_above=44.89, usd_per_drop="44.89") == [ReasonCode.HOLD_ABOVE, ReasonCode.CEILING]


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
