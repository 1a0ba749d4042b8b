"""The price of tokens."""

from decimal import Decimal

from conveyor.domain.outcome import Usage
from conveyor.split.pricing import cost, has_long_prompt


def test_a_dated_model_costs_what_its_name_costs() -> None:
    """The price is for a million input and a million output tokens."""
    assert cost("claude-haiku-4-5-20251001", Usage(10**6, 10**6), long_prompts=False) == Decimal("3.00")


def test_cached_tokens_have_their_own_price() -> None:
    """Writes cost more than input, reads less."""
    assert cost("claude-sonnet-5", Usage(0, 0, 10**6, 10**6), long_prompts=True) == Decimal("1.35")


def test_a_long_prompt_costs_more_where_the_provider_says_so() -> None:
    """The higher price, five times the usual one here, applies to the whole request."""
    short, long = Usage(100_000, 10**6), Usage(100_000, 10**6, None, 1)
    assert [has_long_prompt(short), has_long_prompt(long)] == [False, True]
    assert cost("claude-haiku-5-5", short, long_prompts=False) == Decimal("0.255")
    assert cost("claude-haiku-5-5", long, long_prompts=True) == Decimal("0.255000005") * 5


def test_an_unknown_model_has_no_price() -> None:
    """A receipt must not invent one."""
    assert cost("claude-next", Usage(1, 1), long_prompts=False) is None
