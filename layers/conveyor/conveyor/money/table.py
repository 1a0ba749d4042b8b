"""Anthropic's prices of requests in batches.

Sources, read on 2026-11-27: https://platform.claude.com/docs/en/about-claude/pricing (batch prices, cache writes,
web search, long prompts, data residency) and https://platform.claude.com/docs/en/build-with-claude/context-windows.
`tests/unit/money/test_table.py` compares each row with two independent tables.
"""

from decimal import Decimal

from conveyor.money.price import LongPrompt, Price

AS_OF = "2026-11-27"
_US = {"us": Decimal("1.1")}
"""Models since 4.6 cost a tenth more where inference stays in the United States."""
_MILLION_TOKENS, _FEWER_TOKENS = 1_000_000, 200_000


def _row(*dollars: str, long_prompt: LongPrompt | None = None) -> Price:
    """Return a row: input, output, cache write for 5 minutes and for 1 hour, cache read."""
    return Price(*map(Decimal, dollars), residency=_US, long_prompt=long_prompt, max_input_tokens=_MILLION_TOKENS)


def _older(*dollars: str) -> Price:
    """Return the row of a model with a smaller context window, and without a price for a place of inference."""
    return Price(*map(Decimal, dollars), max_input_tokens=_FEWER_TOKENS)


_LONG_HAIKU = LongPrompt(*map(Decimal, ("0.25", "1.25", "0.3125", "0.50", "0.025")), above=100_000)

ROWS = {
    "claude-haiku-5-5": _row("0.05", "0.25", "0.0625", "0.10", "0.005", long_prompt=_LONG_HAIKU),
    "claude-haiku-4-5": _older("0.50", "2.50", "0.625", "1.00", "0.05"),
    "claude-sonnet-5-5": _row("1.00", "5.00", "1.25", "2.00", "0.05"),
    "claude-sonnet-5": _row("1.00", "5.00", "1.25", "2.00", "0.10"),
    "claude-sonnet-4-6": _row("1.50", "7.50", "1.875", "3.00", "0.15"),
    "claude-sonnet-4-5": _older("1.50", "7.50", "1.875", "3.00", "0.15"),
    "claude-opus-5-5": _row("2.00", "10.00", "2.50", "4.00", "0.10"),
    "claude-opus-5": _row("2.50", "12.50", "3.125", "5.00", "0.25"),
    "claude-opus-4-8": _row("2.50", "12.50", "3.125", "5.00", "0.25"),
    "claude-opus-4-7": _row("2.50", "12.50", "3.125", "5.00", "0.25"),
    "claude-opus-4-6": _row("2.50", "12.50", "3.125", "5.00", "0.25"),
    "claude-opus-4-5": _older("2.50", "12.50", "3.125", "5.00", "0.25"),
    "claude-fable-5-2": _row("4.00", "20.00", "5.00", "8.00", "0.10"),
    "claude-fable-5-1": _row("5.00", "25.00", "6.25", "10.00", "0.125"),
    "claude-fable-5": _row("5.00", "25.00", "6.25", "10.00", "0.50"),
    "claude-mythos-5-2": _row("4.00", "20.00", "5.00", "8.00", "0.10"),
    "claude-mythos-5-1": _row("5.00", "25.00", "6.25", "10.00", "0.125"),
    "claude-mythos-5": _row("5.00", "25.00", "6.25", "10.00", "0.50"),
}
"""By model, without the date some names end in."""
