"""What messages say about the most that a run can cost, and about its forecast."""

from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_UP, Decimal

from conveyor.money.estimate import Estimate, ModelEstimate
from conveyor.money.forecast import Forecast, ModelForecast
from conveyor.wording.text import counted, dollars, exact_dollars, one_line

_MOST_MODELS = 5
_LONGEST_MODEL = 60
_CENT = Decimal("0.01")

NO_BOUND = {
    "url": "URLs",
    "file": "files at the provider",
    "tools": "tools that the provider runs",
    "content": "content of a type that is not known",
    "field": "fields that are not known",
    "pdf": "PDFs",
    "api": "another API, whose prices are not known",
    "price": "models without a known price",
    "models": "too many models",
}
"""Why requests have no bound, by `money.bounds.NoBound`."""


def at_most(estimate: Estimate) -> str:
    """Return the most that requests can cost; if they have no bound, why not."""
    if estimate.at_most_usd is not None:
        return exact_dollars(estimate.at_most_usd)
    reasons = [f"{counted(count, 'request')} with {NO_BOUND[reason]}" for reason, count in estimate.no_bound.items()]
    return f"no bound ({', '.join(reasons)})"


def at_most_rows(estimate: Estimate | None) -> list[tuple[str, str]]:
    """Return the row of a message that says it; none for a run that was planned before there were estimates."""
    return [("At most", at_most(estimate))] if estimate is not None else []


def interval_of(forecast: Forecast | ModelForecast) -> tuple[str, str]:
    """Return the amounts between which a forecast lies: never a narrower interval than it is."""
    return exact_dollars(forecast.low_usd, ROUND_FLOOR), exact_dollars(forecast.high_usd, ROUND_CEILING)


def forecast_words(forecast: Forecast | ModelForecast) -> str:
    """Return what requests will cost, and between which amounts that is."""
    is_small = forecast.usd < _CENT
    usual = dollars(forecast.usd) if is_small else f"about {exact_dollars(forecast.usd, ROUND_HALF_UP)}"
    low, high = interval_of(forecast)
    if low == high:
        return usual
    return f"{usual} (between {low} and {high})" if forecast.low_usd >= _CENT else f"{usual} (up to {high})"


def forecast_rows(forecast: Forecast | None) -> list[tuple[str, str]]:
    """Return the row of a message that says the same; none without a forecast."""
    return [("Forecast", forecast_words(forecast))] if forecast else []


def model_rows(estimate: Estimate | None, forecast: Forecast | None = None) -> list[tuple[str, str]]:
    """Return a row for each model, the dearest first: with its forecast if there is one, or else with its bound."""
    if estimate is None:
        return []
    rows = sorted(estimate.models.items(), key=_dearest_first)
    named = [
        (
            "Model",
            f"{one_line(model, _LONGEST_MODEL)}: {counted(each.requests, 'request')}, {_cost(model, each, forecast)}",
        )
        for model, each in rows[:_MOST_MODELS]
    ]
    more = len(rows) - _MOST_MODELS
    return named + ([("Model", f"and {counted(more, 'more model')}, in the receipt")] if more > 0 else [])


def _cost(model: str, estimate: ModelEstimate, forecast: Forecast | None) -> str:
    if forecast and model in forecast.models:
        return forecast_words(forecast.models[model])
    return "no bound" if estimate.at_most_usd is None else f"at most {exact_dollars(estimate.at_most_usd)}"


def _dearest_first(row: tuple[str, ModelEstimate]) -> tuple[Decimal, str]:
    model, estimate = row
    return (Decimal("-Infinity") if estimate.at_most_usd is None else -estimate.at_most_usd), model
