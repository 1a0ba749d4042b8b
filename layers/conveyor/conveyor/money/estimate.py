"""What a drop can cost at most: the sum over its requests, by model."""

from decimal import ROUND_CEILING, Decimal

import msgspec

from conveyor.money.bounds import Bound, Caching, NoBound
from conveyor.money.price import MILLION, Price
from conveyor.money.prices import Prices

MOST_MODELS = 50
"""Models that are kept apart; a drop that names more has no bound."""
LONGEST_MODEL = 200
"""Characters of the name of a model that is kept apart."""
_SMALLEST = Decimal("0.000001")


class ModelEstimate(msgspec.Struct, frozen=True):
    """What the requests for one model can use at most; null where there is no bound."""

    requests: int
    input_tokens: int | None
    output_tokens: int
    at_most_usd: Decimal | None


class Estimate(msgspec.Struct, frozen=True):
    """What a drop can cost at most."""

    at_most_usd: Decimal | None
    """US dollars; null if some requests have no bound."""
    input_tokens: int | None
    output_tokens: int
    models: dict[str, ModelEstimate]
    """By the name in the drop; the first 50."""
    no_bound: dict[str, int] = {}
    """How many requests have no bound, by reason (`bounds.NoBound`)."""
    unpriced: list[str] = []
    """Models without a known price."""

    @property
    def has_too_many_models(self) -> bool:
        """Whether the drop names more models than `models` has."""
        return NoBound.MODELS in self.no_bound


class TokenSum(msgspec.Struct):
    """Sums over requests."""

    requests: int = 0
    tokens: int = 0
    """Of input."""
    max_tokens: int = 0
    """Of output."""

    def add(self, other: "TokenSum") -> None:
        """Add another's counts to these."""
        self.requests += other.requests
        self.tokens += other.tokens
        self.max_tokens += other.max_tokens


type _Sort = tuple[str, Caching, bool]
"""Requests of one price: their model, how long they are cached, and whether their prompts may be long ones."""


class Meter:
    """Adds up the bounds of requests. Its memory does not grow with their number."""

    def __init__(self, prices: Prices) -> None:
        """Start at zero. `prices`: those of the run."""
        self._prices = prices
        self._price_of = dict[str, Price | None]()
        self._limits = dict[str, int | None]()
        self._sums = dict[_Sort, TokenSum]()
        self._unbounded = dict[str, TokenSum]()
        self._no_bound = dict[NoBound, int]()

    def add(self, model: str, bound: Bound, max_tokens: int) -> None:
        """Add a request."""
        tokens, caching, has_pdf, reason = bound
        limit = self.longest_alike(model)
        is_long = False
        if has_pdf or reason is not None or (limit is not None and tokens > limit):
            if not self._knows(model):
                self._count(NoBound.MODELS)
                return
            price = self._price_of[model]
            most = price.max_input_tokens if price else None
            reason = NoBound.PDF if has_pdf and most is None and reason is None else reason
            if reason is not None:
                self._count(reason)
                self._unbounded.setdefault(model, TokenSum()).add(TokenSum(1, 0, max_tokens))
                return
            tokens = most if most is not None and (has_pdf or tokens > most) else tokens
            is_long = price is not None and price.is_long(tokens)
        found = self._sum(model, caching, is_long=is_long)
        found.requests += 1
        found.tokens += tokens
        found.max_tokens += max_tokens

    def longest_alike(self, model: str) -> int | None:
        """Return the most tokens of a request that `add_alike` takes; None if there is no limit."""
        if model not in self._limits and not self._knows(model):
            return -1
        return self._limits[model]

    def add_alike(self, model: str, caching: Caching, requests: TokenSum) -> None:
        """Add requests of plain text, of which no line is longer than `longest_alike`."""
        self._sum(model, caching, is_long=False).add(requests)

    def _knows(self, model: str) -> bool:
        """Tell whether a model is kept apart from others; the first 50 are."""
        if model in self._price_of:
            return True
        if len(self._price_of) >= MOST_MODELS or len(model) > LONGEST_MODEL:
            return False
        price = self._price_of[model] = self._prices.of(model)
        self._limits[model] = None if price is None else _least_limit(price)
        return True

    def _count(self, reason: NoBound) -> None:
        self._no_bound[reason] = self._no_bound.get(reason, 0) + 1

    def _sum(self, model: str, caching: Caching, *, is_long: bool) -> TokenSum:
        sort = (model, caching, is_long)
        found = self._sums.get(sort)
        if found is None:
            found = self._sums[sort] = TokenSum()
        return found

    @property
    def models(self) -> list[str]:
        """The models that were named, the first 50."""
        return list(self._price_of)

    def estimate(self) -> Estimate:
        """Return what all requests together can cost at most."""
        models = {model: self._estimate_of(model) for model in self._price_of}
        unpriced = [model for model, price in self._price_of.items() if price is None]
        no_bound = {reason.value: count for reason, count in self._no_bound.items()}
        if without_price := sum(models[model].requests for model in unpriced):
            no_bound[NoBound.PRICE.value] = without_price
        total = sum((each.at_most_usd or Decimal(0) for each in models.values()), Decimal(0))
        is_counted = not self._no_bound
        tokens = sum(each.input_tokens or 0 for each in models.values())
        return Estimate(
            None if no_bound else total,
            tokens if is_counted else None,
            sum(each.output_tokens for each in models.values()),
            models,
            no_bound,
            unpriced,
        )

    def _estimate_of(self, model: str) -> ModelEstimate:
        price, total, dollars = self._price_of[model], TokenSum(), Decimal(0)
        for (name, caching, is_long), each in self._sums.items():
            if name == model:
                total.add(each)
                dollars += at_most(price, each.tokens, each.max_tokens, caching, is_long=is_long) if price else 0
        unbounded = self._unbounded.get(model)
        if unbounded:
            total.add(unbounded)
        return ModelEstimate(
            total.requests,
            None if unbounded else total.tokens,
            total.max_tokens,
            None if unbounded or price is None else dollars.quantize(_SMALLEST, ROUND_CEILING),
        )


def at_most(price: Price, input_tokens: int, output_tokens: int, caching: Caching, *, is_long: bool) -> Decimal:
    """Return the most US dollars that so many tokens can cost: all input is of the dearest kind that was asked for.

    The dearest place of inference is assumed, since a workspace may set one that no request names.
    """
    rates = (price.rates(is_long=False), price.rates(is_long=is_long))
    kinds = ("input", "cache_read", "cache_write_5m", "cache_write_1h")[: 2 + caching]
    dearest: Decimal = max(getattr(each, kind) for each in rates for kind in kinds)
    output = max(each.output for each in rates)
    return (dearest * input_tokens + output * output_tokens) * price.dearest_place / MILLION


def _least_limit(price: Price) -> int | None:
    """Return the number of tokens above which a prompt has another price, or is not read."""
    limits = [price.max_input_tokens, price.long_prompt.above if price.long_prompt else None]
    return min((limit for limit in limits if limit is not None), default=None)
