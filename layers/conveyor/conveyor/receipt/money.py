"""What a run cost, and what it could have cost at most."""

from collections.abc import Mapping
from decimal import Decimal

import msgspec

from conveyor.answers.stop_reasons import model_name
from conveyor.ledger.part import Tokens
from conveyor.money.cost import add_costs, rounded
from conveyor.money.usage import Usage

_THOUSAND = 1000


class Money(msgspec.Struct):
    """The details of `cost_usd`, in US dollars."""

    unpriced: list[str] = []
    """Models without a known price. If there are any, `cost_usd` leaves them out: the run cost at least that."""
    per_1000_requests_usd: Decimal | None = None
    """`cost_usd` for 1,000 answers; null without an answer or a price."""
    by_kind: dict[str, Decimal] = {}
    """By kind of token or tool."""


def add_tokens(total: dict[str, Tokens], part: Mapping[str, Tokens]) -> None:
    """Add what a batch used. A model whose price is unknown in one batch has no price."""
    for model, tokens in part.items():
        of_model = total.setdefault(model_name(model, total), Tokens(Usage(), Decimal(0)))
        of_model.usage.add(tokens.usage)
        add_costs(of_model.costs, tokens.costs)
        if of_model.cost_usd is not None:
            of_model.cost_usd = None if tokens.cost_usd is None else of_model.cost_usd + tokens.cost_usd


def cost_of(tokens: Mapping[str, Tokens]) -> Decimal | None:
    """Return the sum of the costs that are known; None if none is."""
    known = [used.cost_usd for used in tokens.values() if used.cost_usd is not None]
    return sum(known, Decimal(0)) if known or not tokens else None


def money_of(tokens: Mapping[str, Tokens], answers: int) -> Money:
    """Return the details of the cost of answers."""
    by_kind: dict[str, Decimal] = {}
    for used in tokens.values():
        add_costs(by_kind, used.costs)
    cost = cost_of(tokens)
    per_thousand = cost * _THOUSAND / answers if answers and cost is not None else None
    return Money(
        [model for model, used in tokens.items() if used.cost_usd is None],
        None if per_thousand is None else rounded(per_thousand),
        {kind: rounded(dollars) for kind, dollars in by_kind.items()},
    )


def round_tokens(tokens: Mapping[str, Tokens]) -> None:
    """Round the amounts of all models to a millionth of a dollar."""
    for used in tokens.values():
        used.cost_usd = None if used.cost_usd is None else rounded(used.cost_usd)
        used.costs = {kind: rounded(dollars) for kind, dollars in used.costs.items()}
