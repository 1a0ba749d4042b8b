"""Amounts that bound what a run costs are rounded so that they still do."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conveyor.money.forecast import Forecast
from conveyor.wording.bounds import forecast_words, interval_of

USD = st.decimals(0, 10_000, places=7)


@given(USD, USD)
def test_an_interval_is_never_shown_narrower_than_it_is(one: Decimal, other: Decimal) -> None:
    """By less than a cent at each end."""
    low, high = sorted((one, other))
    shown_low, shown_high = (Decimal(text[1:].replace(",", "")) for text in interval_of(Forecast(low, low, high)))
    cent = Decimal("0.01")
    assert low - cent < shown_low <= low
    assert high <= shown_high < high + cent


@pytest.mark.parametrize(
    ("low", "said"),
    [("0.016", "about $0.02 (between $0.01 and $0.27)"), ("0.004", "about $0.02 (up to $0.27)")],
)
def test_a_forecast_names_both_ends_if_there_are_two(low: str, said: str) -> None:
    """A lower end below a cent says nothing."""
    assert forecast_words(Forecast(Decimal("0.0161"), Decimal(low), Decimal("0.2687"))) == said
