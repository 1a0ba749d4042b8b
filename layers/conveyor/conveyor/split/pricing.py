"""What the provider charges for tokens in batches.

Prices change, and a receipt must not invent one: a model that is not listed has no price.
Source: https://platform.claude.com/docs/en/about-claude/pricing (batch prices, November 2026).
"""

from decimal import Decimal
from typing import NamedTuple

from conveyor.domain.outcome import Usage

_LONG_PROMPT = 100_000
_MILLION = Decimal(1_000_000)


class Price(NamedTuple):
    """US dollars for a million tokens."""

    input: Decimal
    output: Decimal
    cache_write: Decimal
    cache_read: Decimal


def _price(*dollars: str) -> Price:
    return Price(*map(Decimal, dollars))


_PRICES = {
    "claude-haiku-5-5": _price("0.05", "0.25", "0.0625", "0.005"),
    "claude-haiku-4-5": _price("0.50", "2.50", "0.625", "0.05"),
    "claude-sonnet-5-5": _price("1.00", "5.00", "1.25", "0.05"),
    "claude-sonnet-5": _price("1.00", "5.00", "1.25", "0.10"),
    "claude-sonnet-4-6": _price("1.50", "7.50", "1.875", "0.15"),
    "claude-sonnet-4-5": _price("1.50", "7.50", "1.875", "0.15"),
    "claude-opus-5-5": _price("2.00", "10.00", "2.50", "0.10"),
    "claude-opus-5": _price("2.50", "12.50", "3.125", "0.25"),
    "claude-opus-4-8": _price("2.50", "12.50", "3.125", "0.25"),
    "claude-opus-4-7": _price("2.50", "12.50", "3.125", "0.25"),
    "claude-opus-4-6": _price("2.50", "12.50", "3.125", "0.25"),
    "claude-opus-4-5": _price("2.50", "12.50", "3.125", "0.25"),
    "claude-fable-5-2": _price("4.00", "20.00", "5.00", "0.10"),
    "claude-fable-5-1": _price("5.00", "25.00", "6.25", "0.125"),
    "claude-fable-5": _price("5.00", "25.00", "6.25", "0.50"),
}
"""By model without the date some names end in."""

_LONG_PROMPT_FACTORS = {"claude-haiku-5-5": 5}
"""Models whose whole request costs more when its prompt is longer than 100,000 tokens."""


def has_long_prompt(usage: Usage) -> bool:
    """Tell whether one request's prompt is so long that some models charge more for all of its tokens."""
    written, read = usage.cache_creation_input_tokens or 0, usage.cache_read_input_tokens or 0
    return usage.input_tokens + written + read > _LONG_PROMPT


def cost(model: str, usage: Usage, *, long_prompts: bool) -> Decimal | None:
    """Return US dollars for the tokens of requests of one kind; None if the model's price is unknown.

    An estimate: five-minute cache writes are assumed, and regional surcharges and paid server tools are left out.
    """
    name = _undated(model)
    price = _PRICES.get(name)
    if price is None:
        return None
    written, read = usage.cache_creation_input_tokens or 0, usage.cache_read_input_tokens or 0
    total = (
        price.input * usage.input_tokens
        + price.output * usage.output_tokens
        + price.cache_write * written
        + price.cache_read * read
    )
    return total / _MILLION * (_LONG_PROMPT_FACTORS.get(name, 1) if long_prompts else 1)


def _undated(model: str) -> str:
    name, _, date = model.rpartition("-")
    return name if len(date) == len("20250929") and date.isdigit() else model
