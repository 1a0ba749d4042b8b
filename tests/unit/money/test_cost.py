"""What tokens and paid tools cost."""

from decimal import Decimal

import pytest

from conveyor.money.cost import costs_of, rounded, total_of
from conveyor.money.prices import PRICES, Prices
from conveyor.money.usage import Usage

MILLION = 10**6


def cost(model: str, usage: Usage, *, place: str = "", is_long: bool = False) -> Decimal:
    """Return the price of a usage in dollars."""
    price = PRICES.of(model)
    assert price is not None
    return total_of(costs_of(price, usage, place=place, is_long=is_long))


def test_a_dated_model_costs_what_its_name_costs() -> None:
    """The price is for a million input and a million output tokens."""
    assert cost("claude-haiku-4-5-20251001", Usage(MILLION, MILLION)) == Decimal("3.00")


def test_each_kind_of_token_has_its_own_price() -> None:
    """Writes cost more than input, reads less; a write for one hour costs twice the input."""
    usage = Usage(MILLION, MILLION, 3 * MILLION, MILLION, 2 * MILLION, 500)
    price = PRICES.of("claude-sonnet-5-5")
    assert price is not None
    assert costs_of(price, usage) == {
        "input": Decimal(1),
        "output": Decimal(5),
        "cache_write_5m": Decimal("1.25"),
        "cache_write_1h": Decimal(4),
        "cache_read": Decimal("0.05"),
        "web_search": Decimal(5),
    }


def test_a_shared_prompt_kept_for_an_hour_is_priced_to_the_cent() -> None:
    """10,000 lines on Sonnet 5.5, each with a prefix of 4,000 tokens written for one hour and 1,000 tokens of output.

    Priced as writes for five minutes, the writes would be 37.5 % too low.
    """
    writes = Usage(0, 0, 40 * MILLION, 0, 40 * MILLION)
    assert cost("claude-sonnet-5-5", writes) == Decimal(80)
    assert cost("claude-sonnet-5-5", Usage(0, 0, 40 * MILLION)) == Decimal(50)


@pytest.mark.parametrize(
    ("model", "place", "dollars"),
    [
        ("claude-opus-5-5", "us", "2.2"),
        ("claude-opus-5-5", "global", "2"),
        ("claude-opus-5-5", "not_available", "2"),
        ("claude-opus-4-5", "us", "2.5"),
    ],
)
def test_inference_in_the_united_states_costs_a_tenth_more(model: str, place: str, dollars: str) -> None:
    """Only of models that have such a price; searches cost the same everywhere."""
    assert cost(model, Usage(MILLION), place=place) == Decimal(dollars)
    assert cost(model, Usage(web_search_requests=1000), place=place) == 10


def test_a_long_prompt_costs_more_where_the_provider_says_so() -> None:
    """The higher price applies to the whole request; cached tokens count as a part of the prompt."""
    haiku, opus = PRICES.of("claude-haiku-5-5"), PRICES.of("claude-opus-5-5")
    assert haiku is not None
    assert opus is not None
    short, long = Usage(100_000, MILLION), Usage(100_000, MILLION, None, 1)
    assert [haiku.is_long(usage.prompt_tokens) for usage in (short, long)] == [False, True]
    assert not opus.is_long(MILLION)
    assert cost("claude-haiku-5-5", short) == Decimal("0.255")
    assert cost("claude-haiku-5-5", long, is_long=True) == Decimal("0.255000005") * 5


def test_an_unknown_model_has_no_price() -> None:
    """A receipt must not invent one."""
    assert PRICES.of("claude-next") is None


def test_a_snapshot_has_the_prices_of_some_models_only() -> None:
    """It is what a plan keeps; models without a price are left out."""
    opus = PRICES.of("claude-opus-5-5")
    assert PRICES.among(["claude-opus-5-5", "claude-next"]) == Prices({"claude-opus-5-5": opus} if opus else {})


def test_amounts_are_written_without_an_exponent_or_superfluous_zeros() -> None:
    """To a millionth of a dollar."""
    assert [str(rounded(Decimal(text))) for text in ("0.0000004", "100.00", "1.2345678", "59.80")] == [
        "0", "100", "1.234568", "59.8",
    ]  # fmt: skip
