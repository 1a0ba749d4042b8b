"""What a whole run will cost, from what the probe's lines have cost.

By model. What prompts cost follows from the tokens that each can have at most, which are known of every line (a ratio
estimator); what answers cost is the mean of those that are there. The probe's own lines count with their real cost.
"""

import math
from collections.abc import Iterable, Sequence
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_EVEN, Decimal
from typing import NamedTuple

import msgspec

from conveyor.money.estimate import Estimate, ModelEstimate
from conveyor.money.spread import Spread, interval_of

_FEW = 10
"""Lines of one model from which their own spread is measured; fewer take the spread of all models, if it is larger."""
_SMALLEST = Decimal("0.000001")


class ModelForecast(msgspec.Struct, frozen=True):
    """What all requests for one model will cost."""

    requests: int
    answered: int
    """Of the probe's requests for the model."""
    usd: Decimal
    low_usd: Decimal
    high_usd: Decimal


class Forecast(msgspec.Struct, frozen=True):
    """What a whole run will cost in US dollars, the probe included."""

    usd: Decimal
    low_usd: Decimal
    """It will hardly cost less than this."""
    high_usd: Decimal
    """It will hardly cost more than this."""
    models: dict[str, ModelForecast] = {}
    """By the name in the drop."""


class Observation(NamedTuple):
    """What a line of the probe has cost in US dollars: nothing, if it failed."""

    model: str
    """The name in the drop."""
    tokens: int | None
    """The most tokens that its prompt could be; None if there is no bound."""
    input_usd: Decimal
    output_usd: Decimal
    is_typical: bool = True
    """False if it failed for a reason that passes: other lines will not cost nothing for that."""


def forecast_of(estimate: Estimate, observations: Sequence[Observation]) -> Forecast | None:
    """Return what a run will cost; None if a model has no price, or too little is known of one that has no bound.

    `observations`: of all lines whose cost is known. Where no answer shows what a model costs, or how far its costs
    differ, the upper end is what it can cost at most.
    """
    if estimate.unpriced or estimate.has_too_many_models:
        return None
    samples = {model: _sample(each, [line for line in observations if line.model == model])
               for model, each in estimate.models.items()}  # fmt: skip
    pooled = _pooled(samples.values())
    parts = {model: _of_model(sample, pooled) for model, sample in samples.items()}
    known = {model: part for model, part in parts.items() if part is not None}
    return _sum(estimate, list(samples.values()), known) if len(known) == len(parts) else None


class _Sample(NamedTuple):
    """What is known of one model."""

    most: ModelEstimate
    settled: int
    """Lines of the probe whose cost is known."""
    typical: int
    """Those from which others are forecast."""
    spent: Decimal
    rest: float
    """What the other lines will cost."""
    mean: float
    error: float
    """The standard deviation of one line from what is expected of it."""

    @property
    def lines(self) -> int:
        """How many other lines there are."""
        return max(self.most.requests - self.settled, 0)

    @property
    def shows_cost(self) -> bool:
        """Whether any answer says what the model costs."""
        return self.rest > 0 or not self.lines


class _Part(NamedTuple):
    """The forecast of one model, and whether its ends come from a spread, and not from a bound."""

    forecast: ModelForecast
    has_spread: bool


def _sample(most: ModelEstimate, settled: list[Observation]) -> _Sample:
    spent = sum((line.input_usd + line.output_usd for line in settled), Decimal(0))
    typical, lines = [line for line in settled if line.is_typical], max(most.requests - len(settled), 0)
    count = len(typical)
    if not count:
        return _Sample(most, len(settled), 0, spent, 0.0, 0.0, 0.0)
    inputs, outputs = [float(line.input_usd) for line in typical], [float(line.output_usd) for line in typical]
    weights, left = _weights(most, settled, typical)
    rate, answer = math.fsum(inputs) / math.fsum(weights), math.fsum(outputs) / count
    residuals = [prompt + output - rate * weight - answer
                 for prompt, output, weight in zip(inputs, outputs, weights, strict=True)]  # fmt: skip
    error = math.sqrt(math.fsum(each * each for each in residuals) / (count - 1)) if count > 1 else 0.0
    mean = (math.fsum(inputs) + math.fsum(outputs)) / count
    return _Sample(most, len(settled), count, spent, rate * left + answer * lines, mean, error)


def _weights(most: ModelEstimate, settled: list[Observation], typical: list[Observation]) -> tuple[list[float], float]:
    """Return what the cost of a prompt grows with, for each typical line, and the sum of that over all other lines.

    That is its tokens at most, or the same for all lines if any has no bound.
    """
    lines = max(most.requests - len(settled), 0)
    tokens = [line.tokens for line in typical if line.tokens is not None]
    if most.input_tokens is not None and len(tokens) == len(typical) and sum(tokens) > 0:
        left = most.input_tokens - sum(line.tokens or 0 for line in settled)
        if left > 0:
            return [float(each) for each in tokens], float(left if lines else 0)
    return [1.0] * len(typical), float(lines)


def _pooled(samples: Iterable[_Sample]) -> Spread | None:
    """Return the spread of a line whose mean cost is 1, from all models; None if no model has two answers."""
    measured = [sample for sample in samples if sample.typical > 1 and sample.mean > 0]
    freedom = sum(sample.typical - 1 for sample in measured)
    if not freedom:
        return None
    squares = math.fsum((sample.typical - 1) * (sample.error / sample.mean) ** 2 for sample in measured)
    return Spread(math.sqrt(squares / freedom), freedom)


def _spread(sample: _Sample, pooled: Spread | None) -> Spread | None:
    if sample.typical >= _FEW:
        return Spread(sample.error, sample.typical - 1)
    return Spread(max(sample.error, pooled.error * sample.mean), pooled.freedom) if pooled else None


def _of_model(sample: _Sample, pooled: Spread | None) -> _Part | None:
    most, spread = sample.most.at_most_usd, _spread(sample, pooled)
    if not sample.lines:
        return _Part(_model(sample, 0.0, 0.0, 0.0), has_spread=True)
    if sample.shows_cost and spread:
        low, high = interval_of(sample.rest, sample.lines, sample.typical, spread)
        return _Part(_model(sample, sample.rest, low, high), has_spread=True)
    if most is None:
        return None
    left = float(max(most - sample.spent, Decimal(0)))
    usual = sample.rest if sample.typical else left
    return _Part(_model(sample, usual, 0.0, left), has_spread=False)


def _model(sample: _Sample, usual: float, low: float, high: float) -> ModelForecast:
    """Return the forecast of a model: what was spent, and what is left to spend, within its bound."""
    ends = _within(sample.spent, sample.most.at_most_usd, usual, low, high)
    return ModelForecast(sample.most.requests, sample.typical, *ends)


def _within(
    spent: Decimal, most: Decimal | None, usual: float, low: float, high: float
) -> tuple[Decimal, Decimal, Decimal]:
    """Return three amounts of which none is below what was spent, or above what can be spent."""
    limit = None if most is None else max(most, spent)

    def total(rest: float, rounding: str) -> Decimal:
        dollars = spent + Decimal(rest).quantize(_SMALLEST, rounding)
        return dollars if limit is None else min(dollars, limit)

    return total(usual, ROUND_HALF_EVEN), total(low, ROUND_FLOOR), total(high, ROUND_CEILING)


def _sum(estimate: Estimate, samples: list[_Sample], parts: dict[str, _Part]) -> Forecast:
    """Add up models. Their errors are independent, so they add up as squares; bounds add up as they are."""
    spent = sum((sample.spent for sample in samples), Decimal(0))
    found = [(part.forecast, part.has_spread) for part in parts.values()]
    usual = sum((each.usd for each, _ in found), Decimal(0))
    down = _added([(each.usd - each.low_usd, is_error) for each, is_error in found])
    up = _added([(each.high_usd - each.usd, is_error) for each, is_error in found])
    rest = float(usual - spent)
    ends = _within(spent, estimate.at_most_usd, rest, max(rest - down, 0.0), rest + up)
    return Forecast(*ends, {model: part.forecast for model, part in parts.items()})


def _added(margins: list[tuple[Decimal, bool]]) -> float:
    """Return the margin of a sum. `margins`: each with whether it is an error, and not a bound."""
    errors = math.hypot(*(float(margin) for margin, is_error in margins if is_error))
    return errors + math.fsum(float(margin) for margin, is_error in margins if not is_error)
