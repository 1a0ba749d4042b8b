"""What a verdict says about time and cost, and a message about tokens."""

import re

from conveyor.domain.outcome import MAY_BE_BILLED
from conveyor.domain.status import Status
from conveyor.receipt.receipt import Receipt
from conveyor.verdict.headline import is_unsent, time_of
from conveyor.wording.text import counted, exact_dollars, paid

NOT_CHARGED = "nothing was charged, and nothing is running."
"""Of a run that was sent, and got no answer."""
_MOST_MODELS = 5
_MODEL = re.compile(r"(?!.*://)[A-Za-z0-9][A-Za-z0-9._:/@-]{0,59}", re.ASCII)
"""A usual name of a model. An answer names its model, so any other may be text of the provider, or of a prompt."""


def cost_of(receipt: Receipt, *, says_time: bool = True) -> str:
    """Say how long a run took and what it cost, beside its forecast and the most that it could cost.

    `says_time`: false where another sentence has the time.
    """
    if is_unsent(receipt):
        return _unsent(receipt)
    took = f"It took {time}" if says_time and (time := time_of(receipt)) else ""
    cost = _cost(receipt)
    if cost.startswith("cost "):
        return f"{took} and {cost}" if took else f"It {cost}"
    return f"{took}. {cost[0].upper()}{cost[1:]}" if took else f"{cost[0].upper()}{cost[1:]}"


def is_settled(receipt: Receipt) -> bool:
    """Return whether it is certain that nothing runs, and nothing more is charged."""
    if receipt.status in {Status.STUCK, Status.UNBALANCED}:
        return False
    is_known = not any(receipt.outcomes[outcome] for outcome in MAY_BE_BILLED)
    return is_known and not receipt.unanswered and not any(batch.duplicates for batch in receipt.all_batches)


def _cost(receipt: Receipt) -> str:
    """Return the cost as the end of a sentence; one that begins with `cost` has the run as its subject."""
    if not receipt.tokens:
        is_unknown = any(receipt.outcomes[outcome] for outcome in MAY_BE_BILLED) or receipt.unreadable
        if is_unknown or receipt.results:
            return "the cost is unknown."
        return NOT_CHARGED if is_settled(receipt) else "requests without an answer are not charged."
    unknown = list(dict.fromkeys(_named(model) for model, used in receipt.tokens.items() if used.cost_usd is None))
    more = len(unknown) - _MOST_MODELS
    unpriced = ", ".join(unknown[:_MOST_MODELS]) + (f" and {more:,} more" if more > 0 else "")
    if receipt.cost_usd is None:
        return f"the cost is unknown: no price is known for {unpriced}."
    beside = _beside(receipt)
    if unknown:
        return f"cost at least {paid(receipt.cost_usd)}{beside}; no price is known for {unpriced}."
    return f"cost {paid(receipt.cost_usd)}{beside}."


def _beside(receipt: Receipt) -> str:
    """Return what the run was to cost, and could cost at most, in brackets."""
    known = [("forecast", receipt.forecast_usd, paid), ("at most", receipt.at_most_usd, exact_dollars)]
    said = [f"{what} {shown(usd)}" for what, usd, shown in known if usd is not None]
    return f" ({', '.join(said)})" if said else ""


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
    is_running = "Nothing was sent" if receipt.status is Status.REFUSED else "Nothing is running"
    return f"{is_running}, and nothing was charged."


def _named(model: str) -> str:
    if not model:
        return "a model without a name"
    return model if _MODEL.fullmatch(model) else "a model with an unusual name"
