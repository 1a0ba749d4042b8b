"""What a run cost: at most, forecast and actual, and by model and kind of token."""

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation

import msgspec

from conveyor.ledger.gate_facts import Ending
from conveyor.receipt.receipt import Receipt

MOST_MODELS = 20
"""Models that are shown one by one, those with the highest cost first; the others are one row."""
_LIMIT_SETTING = "HoldAboveUsd"
_THOUSAND = 1000


class ModelCost(msgspec.Struct):
    """What the answers of one model, or of several, cost in US dollars."""

    model: str
    """As answers name it; empty for the sum of all models that are not shown one by one."""
    models: int
    """How many models these are."""
    answers: int
    usd: Decimal | None
    """Null if no price is known."""
    by_kind: dict[str, Decimal]
    """By kind of token or tool (`money.price.Kind`)."""
    forecast_usd: Decimal | None = None
    per_1000_usd: Decimal | None = None


class MoneyBlock(msgspec.Struct):
    """What a run cost, in US dollars; null for what is not known."""

    at_most_usd: Decimal | None
    forecast_usd: Decimal | None
    low_usd: Decimal | None
    high_usd: Decimal | None
    cost_usd: Decimal | None
    is_lower_bound: bool
    """Whether it cost more: there are models without a known price."""
    approved_usd: Decimal | None
    """What a person approved last."""
    hold_above_usd: Decimal | None
    """From which amount on an approval was needed."""
    kinds: list[str]
    """The kinds of tokens that were used, in a fixed order."""
    by_kind: dict[str, Decimal]
    per_1000_usd: Decimal | None
    models: list[ModelCost]


def money_of(receipt: Receipt) -> MoneyBlock | None:
    """Return what a run cost; None if nothing at all is known of that."""
    forecast = receipt.forecast
    if receipt.at_most_usd is None and forecast is None and not receipt.tokens:
        return None
    models = _models(receipt)
    used = {kind for each in models for kind, usd in each.by_kind.items() if usd}
    kinds = [kind for kind in _KINDS if kind in used]
    for each in models:
        each.by_kind = _of_kinds(kinds, each.by_kind)
    return MoneyBlock(
        receipt.at_most_usd,
        forecast.usd if forecast else receipt.forecast_usd,
        forecast.low_usd if forecast else None,
        forecast.high_usd if forecast else None,
        receipt.cost_usd if receipt.tokens else Decimal(0),
        bool(receipt.money.unpriced),
        next((gate.up_to_usd for gate in reversed(receipt.gates) if gate.how is Ending.APPROVED), None),
        _hold_above(receipt),
        kinds,
        _of_kinds(kinds, receipt.money.by_kind),
        receipt.money.per_1000_requests_usd,
        models,
    )


_KINDS = ("input", "cache_write_5m", "cache_write_1h", "cache_read", "output", "web_search")


def _models(receipt: Receipt) -> list[ModelCost]:
    forecasts = receipt.forecast.models if receipt.forecast else {}
    is_comparable = bool(forecasts) and forecasts.keys() == receipt.tokens.keys()  # answers may name models otherwise
    costs = []
    for model, tokens in receipt.tokens.items():
        answers = sum(receipt.stop_reasons.get(model, {}).values())
        per_1000 = tokens.cost_usd * _THOUSAND / answers if tokens.cost_usd is not None and answers else None
        usual = forecasts[model].usd if is_comparable else None
        costs.append(ModelCost(model, 1, answers, tokens.cost_usd, dict(tokens.costs), usual, per_1000))
    costs.sort(key=lambda each: (-(each.usd or 0), each.model))
    first, others = costs[:MOST_MODELS], costs[MOST_MODELS:]
    return [*first, _sum(others)] if others else first


def _of_kinds(kinds: list[str], by_kind: Mapping[str, Decimal]) -> dict[str, Decimal]:
    return {kind: by_kind.get(kind, Decimal(0)) for kind in kinds}


def _sum(costs: list[ModelCost]) -> ModelCost:
    known = [each.usd for each in costs if each.usd is not None]
    total = ModelCost(
        "", len(costs), sum(each.answers for each in costs), sum(known, Decimal(0)) if known else None, {}
    )
    for each in costs:
        _add(total.by_kind, each.by_kind)
    return total


def _add(total: dict[str, Decimal], more: Mapping[str, Decimal]) -> None:
    for kind, usd in more.items():
        total[kind] = total.get(kind, Decimal(0)) + usd


def _hold_above(receipt: Receipt) -> Decimal | None:
    values = [setting.value for setting in receipt.settings if setting.name == _LIMIT_SETTING]
    try:
        amount = Decimal(values[0]) if values else Decimal(0)
    except InvalidOperation:
        return None
    return amount if amount.is_finite() and amount > 0 else None
