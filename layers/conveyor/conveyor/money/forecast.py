"""What a whole run will cost, from what the probe's lines have cost."""

from decimal import Decimal

import msgspec


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
