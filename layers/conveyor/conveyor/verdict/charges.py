"""What a final message says about tokens and cost."""

from conveyor.domain.outcome import MAY_BE_BILLED
from conveyor.receipt.receipt import Receipt
from conveyor.verdict.headline import is_unsent
from conveyor.wording.text import counted, dollars

_MOST_MODELS = 5
_LONGEST_MODEL = 60


def cost_of(receipt: Receipt) -> str:
    """Say what a run cost, and for which models no price is known."""
    if is_unsent(receipt):
        return _unsent(receipt)
    if not receipt.tokens:
        is_unknown = any(receipt.outcomes[outcome] for outcome in MAY_BE_BILLED) or receipt.unreadable
        return "The cost is unknown." if is_unknown else "Requests without an answer are not charged."
    unknown = [_named(model) for model, tokens in receipt.tokens.items() if tokens.cost_usd is None]
    more = len(unknown) - _MOST_MODELS
    unpriced = ", ".join(unknown[:_MOST_MODELS]) + (f" and {more:,} more" if more > 0 else "")
    if receipt.cost_usd is None:
        return f"The cost is unknown: no price is known for {unpriced}."
    amount = dollars(receipt.cost_usd)
    if unknown:
        least = amount.removeprefix("about ")
        return f"It cost at least {least} at Anthropic's batch price; no price is known for {unpriced}."
    return f"It cost {amount} at Anthropic's batch price."


def tokens_of(receipt: Receipt) -> list[tuple[str, str]]:
    """Return a row of tokens for each model, those with most output first."""
    used = sorted(receipt.tokens.items(), key=lambda row: (-row[1].usage.output_tokens, row[0]))
    rows = [
        ("Tokens", f"{tokens.usage.input_tokens:,} in, {tokens.usage.output_tokens:,} out ({_named(model)})")
        for model, tokens in used[:_MOST_MODELS]
    ]
    more = len(used) - _MOST_MODELS
    return rows + ([("Tokens", f"of {counted(more, 'more model')}: in the receipt")] if more > 0 else [])


def _unsent(receipt: Receipt) -> str:
    if receipt.unanswered:
        calls = counted(receipt.unanswered, "create request")
        if receipt.released:
            said = f"a person said of {receipt.released:,} that no batch belongs to it"
            return f"{calls} got no response, and {said}: if that is wrong, it may have been charged."
        return f"{calls} got no response and no batch is listed for them, so nothing should have been charged."
    return "Nothing is running, and nothing was charged."


def _named(model: str) -> str:
    return model[:_LONGEST_MODEL] or "a model without a name"
