"""Amounts of US dollars as people write them."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conveyor.settings.amounts import LARGEST_AMOUNT, likely_limit, plain_amount, read_limit

MILLIONTHS = st.decimals("0.000001", LARGEST_AMOUNT, places=6)
WRITTEN = st.text("0123456789.,$ eE+-_infNaUSD", max_size=24) | st.text()


@given(MILLIONTHS)
def test_every_amount_up_to_the_largest_is_read_exactly(amount: Decimal) -> None:
    """A limit of 0.1 must not become a sum of powers of two."""
    assert read_limit(f"{amount:f}") == amount


@pytest.mark.parametrize(
    "text",
    [
        "", "0", "0.00", "-1", "+1", "inf", "nan", "1e9", "61,40", "$20", "20 ", "20.", ".5", "0x14", "1_000",
        "0.0000001", "1000000000.01", "1000000001", "9" * 21, "20\n", "２０", "٢٠", "20 USD", "no",  # noqa: RUF001
    ],
)  # fmt: skip
def test_what_is_no_plain_amount_above_zero_is_no_limit(text: str) -> None:
    """It is never taken for no limit, or for another amount."""
    assert read_limit(text) is None


@given(WRITTEN)
def test_what_is_read_is_what_is_written(text: str) -> None:
    """A reader who sees the text sees the amount."""
    amount = plain_amount(text)
    assert amount is None or (text.replace(".", "").isdecimal() and Decimal(text) == amount)
    assert read_limit(text) in {None, amount}


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("$20", "20"),
        ("20$", "20"),
        ("US$ 20.50", "20.50"),
        ("20 usd", "20"),
        ("20 dollars", "20"),
        (" 20 ", "20"),
        ("61,40", "61.40"),
        ("0,5", "0.5"),
        ("1,234.50", "1234.50"),
        ("1.234,50", "1234.50"),
        ("1,000,000", "1000000"),
    ],
)
def test_a_wrong_amount_whose_meaning_is_sure_is_named(text: str, meant: str) -> None:
    """A comma before two digits separates cents everywhere, and two commas separate thousands."""
    assert likely_limit(text) == meant


@pytest.mark.parametrize(
    "text", ["1,000", "20,123", "1e9", "inf", "-20", "0", "$0", "", "$", "$$20", "1000000001", "a lot"]
)
def test_an_amount_that_may_mean_two_things_is_not_guessed(text: str) -> None:
    """One thousand here, and one dollar there."""
    assert likely_limit(text) is None


@given(WRITTEN)
def test_a_guess_is_accepted(text: str) -> None:
    """A person who follows the message is not refused again."""
    guess = likely_limit(text)
    assert guess is None or read_limit(guess) is not None
