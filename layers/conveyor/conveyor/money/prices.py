"""The prices that apply to a run: the built-in table, and what `config/prices.json` says instead."""

from collections.abc import Iterable

import msgspec

from conveyor.money.overrides import read_overrides
from conveyor.money.price import Price
from conveyor.money.table import ROWS


class Prices(msgspec.Struct, frozen=True):
    """Prices by model, before those of the built-in table. A model in neither has no price: none is invented."""

    models: dict[str, Price]

    def of(self, model: str) -> Price | None:
        """Return the price of a model, under its full name or without the date that it may end in."""
        name = _undated(model)
        return self.models.get(model) or self.models.get(name) or ROWS.get(model) or ROWS.get(name)

    def among(self, models: Iterable[str]) -> "Prices":
        """Return the prices of these models only, as they are written into a plan."""
        found = {model: self.of(model) for model in models}
        return Prices({model: price for model, price in found.items() if price is not None})


PRICES = Prices({})
"""The built-in table alone."""


def read_prices(data: bytes) -> Prices:
    """Read `config/prices.json`. Raises BadConfig, which names the place and what is expected there."""
    return Prices(read_overrides(data, ROWS))


def _undated(model: str) -> str:
    name, _, date = model.rpartition("-")
    return name if len(date) == len("20250929") and date.isdigit() else model
