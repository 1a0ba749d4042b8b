"""The table of models, read from `models.toml`, which names its sources."""

from __future__ import annotations

import re
from datetime import date  # noqa: TC003  # msgspec reads the annotations
from pathlib import Path
from typing import Literal

import msgspec
from msgspec import Struct

VENDOR = "claude-"
"""How the names begin that the table knows all of."""
_DATE = re.compile(r"-20\d{6}$")


class Model(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the models of these names accept; `models.toml` explains the fields."""

    names: tuple[str, ...]
    max_tokens: int
    max_tokens_with_beta: int | None = None
    sampling: Literal["any", "default", "none"]
    prefill: bool
    forced_tools: bool
    thinking: frozenset[Literal["adaptive", "between_tools", "disabled", "enabled"]]
    thinks: bool
    retires: date | None = None

    def is_sold(self, today: date) -> bool:
        """Return whether the model answers on this day, the last one included."""
        return self.retires is None or today <= self.retires


class Table(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All models."""

    checked: date
    """The day on which the table was compared with its sources."""
    answered: frozenset[str]
    """Names that are answered although the vendor does not sell them."""
    models: tuple[Model, ...]


TABLE = msgspec.toml.decode((Path(__file__).parent / "models.toml").read_bytes(), type=Table)
_BY_NAME = {name: model for model in TABLE.models for name in model.names}


def find_model(name: str) -> Model | None:
    """Return the model of a name, with or without a date; None if the table has no rules for it."""
    return _BY_NAME.get(name) or _BY_NAME.get(_DATE.sub("", name))


def is_answered(name: str, today: date) -> bool:
    """Return whether requests for this name are answered. Those for names of other vendors always are."""
    if not name.startswith(VENDOR) or name in TABLE.answered:
        return True
    model = find_model(name)
    return model is not None and model.is_sold(today)
