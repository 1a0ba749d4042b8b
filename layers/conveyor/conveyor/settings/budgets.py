"""What may be spent, and on which models: `config/budgets.json`, which an administrator writes.

    {"default": {"usd_per_drop": "50", "usd_per_day": 200, "models": ["claude-haiku-4-5"]},
     "projects": {"team-a": {"usd_per_day": 1000, "models": null}}}

All fields may be left out. A field that a project leaves out has the value of `default`; null lifts the limit. Its JSON
Schema, which says the same, is `docs/schemas/budgets.schema.json`.
"""

import re
from decimal import Decimal

import msgspec

from conveyor.domain.keys import DEFAULT_PROJECT, PROJECT_RULE, is_project_name
from conveyor.money.config_errors import BadConfig
from conveyor.money.config_json import check_fields, object_at, quoted, read_object
from conveyor.settings.amounts import EXPECTED_AMOUNT, is_limit, plain_amount

_MODEL = re.compile(r"[!-~]{1,200}")


class Budget(msgspec.Struct, frozen=True):
    """The limits of one project. None stands for no limit."""

    usd_per_drop: Decimal | None = None
    """US dollars that one drop may cost."""
    usd_per_day: Decimal | None = None
    """US dollars that all runs may spend in one day (UTC)."""
    models: list[str] | None = None
    """The models that may be used."""


class Budgets(msgspec.Struct, frozen=True):
    """The limits of all projects. The default of both fields means that there are none."""

    default: Budget = Budget()
    """Of all projects that are not named."""
    projects: dict[str, Budget] = {}

    def of(self, project: str) -> Budget:
        """Return the limits of a project."""
        return self.projects.get(project, self.default)

    def counted_as(self, project: str) -> str:
        """Return the project under which a run is counted: all that are not named are counted as the default."""
        return project if project in self.projects else DEFAULT_PROJECT


def read_budgets(data: bytes) -> Budgets:
    """Read `config/budgets.json`. Raises BadConfig, which names the line or the field, and the likely word."""
    given = read_object(data)
    given.pop("$schema", None)  # for editors
    check_fields("the file", given, Budgets.__struct_fields__)
    default = _budget("default", given.get("default", {}), Budget())
    projects = object_at("projects", given.get("projects", {}))
    return Budgets(default, {name: _project(name, limits, default) for name, limits in projects.items()})


def _project(name: str, given: object, default: Budget) -> Budget:
    if name == DEFAULT_PROJECT:
        raise BadConfig('projects: "default" cannot be a project; set its limits in the field "default" of the file')
    if not is_project_name(name):
        raise BadConfig(f"projects: {quoted(name)} cannot be the name of a project; expected {PROJECT_RULE}")
    return _budget(f"projects.{name}", given, default)


def _budget(place: str, given: object, inherited: Budget) -> Budget:
    limits = object_at(place, given)
    check_fields(place, limits, Budget.__struct_fields__)
    amounts = {
        name: _amount(f"{place}.{name}", limits[name]) if name in limits else getattr(inherited, name)
        for name in ("usd_per_drop", "usd_per_day")
    }
    models = _models(f"{place}.models", limits["models"]) if "models" in limits else inherited.models
    return Budget(**amounts, models=models)


def _amount(place: str, given: object) -> Decimal | None:
    amount: Decimal | None
    match given:
        case None:
            return None
        case Decimal():
            amount = given
        case str():
            amount = plain_amount(given)
        case _:
            amount = None
    if amount is None or not is_limit(amount):
        raise BadConfig(f"{place} is {quoted(given)}; expected {EXPECTED_AMOUNT}, or null for no limit")
    return amount


def _models(place: str, given: object) -> list[str] | None:
    if given is None:
        return None
    if not isinstance(given, list):
        raise BadConfig(f"{place} is {quoted(given)}; expected a list of models, or null for all")
    for number, model in enumerate(given, 1):
        if not isinstance(model, str) or not _MODEL.fullmatch(model):
            raise BadConfig(f"{place}: entry {number:,} is {quoted(model)}; expected the id of a model")
    return given
