"""What tokens and paid tools cost."""

from decimal import Decimal

from conveyor.money.price import MILLION, Kind, Price
from conveyor.money.usage import Usage

type Costs = dict[str, Decimal]
"""US dollars by kind (`Kind`)."""
_THOUSAND = Decimal(1000)
_ONE = Decimal(1)
_SMALLEST = Decimal("0.000001")


def costs_of(price: Price, usage: Usage, *, place: str = "", is_long: bool = False) -> Costs:
    """Return what the usage of requests of one sort costs, by kind; kinds that were not used are left out.

    `place`: where inference ran (`inference_geo`). `is_long`: whether their prompts are long ones.
    """
    rates, factor = price.rates(is_long=is_long), price.residency.get(place, _ONE) / MILLION
    written = usage.cache_creation_input_tokens or 0
    for_an_hour = usage.cache_creation_1h_input_tokens
    costs = {
        Kind.INPUT: rates.input * usage.input_tokens * factor,
        Kind.OUTPUT: rates.output * usage.output_tokens * factor,
        Kind.CACHE_WRITE_5M: rates.cache_write_5m * max(written - for_an_hour, 0) * factor,
        Kind.CACHE_WRITE_1H: rates.cache_write_1h * for_an_hour * factor,
        Kind.CACHE_READ: rates.cache_read * (usage.cache_read_input_tokens or 0) * factor,
        Kind.WEB_SEARCH: price.web_search * usage.web_search_requests / _THOUSAND,
    }
    return {kind.value: dollars for kind, dollars in costs.items() if dollars}


def add_costs(total: Costs, more: Costs) -> None:
    """Add costs by kind to others."""
    for kind, dollars in more.items():
        total[kind] = total.get(kind, Decimal(0)) + dollars


def total_of(costs: Costs) -> Decimal:
    """Return the sum of costs by kind, in US dollars."""
    return sum(costs.values(), Decimal(0))


def rounded(dollars: Decimal) -> Decimal:
    """Return an amount rounded to a millionth of a dollar, without superfluous zeros."""
    return Decimal(f"{dollars.quantize(_SMALLEST).normalize():f}")
