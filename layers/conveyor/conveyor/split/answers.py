"""What became of one line of the probe, as a fact: its outcome and its cost, and nothing of its text."""

from decimal import Decimal

from conveyor.domain.outcome import MAY_BE_BILLED, UNREADABLE, Outcome, Result, will_recur
from conveyor.ledger.failure_counts import type_name
from conveyor.ledger.part import Answer
from conveyor.money.cost import Costs, costs_of, total_of
from conveyor.money.price import Kind
from conveyor.money.prices import Prices
from conveyor.money.usage import Usage

_NOTHING = (Decimal(0), Decimal(0))
_UNKNOWN = (None, None)
_OF_THE_ANSWER = (Kind.OUTPUT, Kind.WEB_SEARCH)


def answer_of(line: int, result: Result, prices: Prices) -> Answer:
    """Return what became of a line of the drop. `prices`: those of the run."""
    error = type_name(result.error.type) if result.error and result.outcome is Outcome.ERRORED else ""
    recurs = will_recur(result.outcome, result.error)
    return Answer(line, result.outcome, error, recurs, result.stop, *_costs(result, prices))


def _costs(result: Result, prices: Prices) -> tuple[Decimal, Decimal] | tuple[None, None]:
    """Return what prompt and answer cost in US dollars; None twice if that is not known.

    Whatever is billed beside the answer counts to it. An answer that names no tokens of its prompt has used some, and
    a failure without a readable result may have been billed.
    """
    if result.outcome is not Outcome.SUCCEEDED:
        is_unreadable = result.error is not None and result.error.type == UNREADABLE
        return _UNKNOWN if is_unreadable or result.outcome in MAY_BE_BILLED else _NOTHING
    own = _costs_of(prices, result.model, result.usage, result.place)
    others = [_costs_of(prices, more.model or result.model, more.usage, result.place) for more in result.also_used]
    known = [costs for costs in others if costs is not None]
    if own is None or len(known) < len(others) or not result.usage.prompt_tokens:
        return _UNKNOWN
    answer = sum((own.pop(kind, Decimal(0)) for kind in _OF_THE_ANSWER), Decimal(0))
    return total_of(own), sum(map(total_of, known), answer)


def _costs_of(prices: Prices, model: str, usage: Usage, place: str) -> Costs | None:
    price = prices.of(model)
    return costs_of(price, usage, place=place, is_long=price.is_long(usage.prompt_tokens)) if price else None
