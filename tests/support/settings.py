"""The environment that the template gives to the functions, and the settings that they read from it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from conveyor.settings.tuning import PARAMETER, TUNING, name_of, read_tuning, write_tuning
from tests.support.template import FUNCTIONS, Json, decided, spelled, template

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pytest

PREFIX = "CONVEYOR_"
_FOR_TESTS = {"HoldAboveUsd": "0", "ProbeAbove": "0", "RetryRounds": "0"}
"""Parameters in tests that are about neither of them: every drop is sent at once, and whole."""
_PSEUDO_PARAMETERS = {"AWS::StackId": "arn:aws:cloudformation:us-east-1:000000000000:stack/test/1"}


def written_environment(function: str) -> Json:
    """Return the variables of a function as the template writes them, those of all functions included."""
    parts = (template()["Globals"]["Function"], template()["Resources"][function]["Properties"])
    return {name: value for part in parts for name, value in part.get("Environment", {}).get("Variables", {}).items()}


def template_parameters(**chosen: str) -> dict[str, str]:
    """Return the parameters of a stack: as chosen, or else as tests have them, or else at their defaults."""
    defaults = {name: str(parameter["Default"]) for name, parameter in template()["Parameters"].items()}
    return defaults | _FOR_TESTS | chosen


def environment(function: str, **chosen: str) -> dict[str, str]:
    """Return the variables as the function sees them, with parameters as chosen or else at their defaults.

    No sample of a drop is sent first, and no drop waits for its price, unless that is chosen.
    """
    values = _PSEUDO_PARAMETERS | template_parameters(**chosen)
    every = {name: spelled(decided(value, chosen)) for name, value in written_environment(function).items()}
    return {name: values.get(value, value) for name, value in every.items()}


STACK_SETTINGS = {
    name.removeprefix(PREFIX): value
    for function in FUNCTIONS
    for name, value in environment(function).items()
    if name.startswith(PREFIX)
}
"""The variables of all functions of a stack by name without prefix, parameters as `environment` has them."""
_TUNING = f"{PREFIX}{PARAMETER.upper()}"


def variables(settings: Mapping[str, str]) -> dict[str, str]:
    """Return settings, by name without prefix, as variables of a function.

    Numbers of `Tuning` may be among them under names of their own, such as `SETTLE_SECONDS`, so that settings of
    several places can be put together.
    """
    own = {f"{PREFIX}{name}": value for name, value in settings.items() if name.lower() not in TUNING}
    numbers = {name.lower(): int(value) for name, value in settings.items() if name.lower() in TUNING}
    return own | {_TUNING: write_tuning(read_tuning(own.get(_TUNING, "")) | numbers)}


def tuned(*parts: Mapping[str, str], **chosen: str) -> dict[str, str]:
    """Return parameters of a stack from several places. Numbers of `Tuning`, by name, are put together in it."""
    given = {name: value for part in (*parts, chosen) for name, value in part.items()}
    numbers = {field: int(given.pop(name_of(field))) for field in TUNING if name_of(field) in given}
    return given | {PARAMETER: write_tuning(read_tuning(given.get(PARAMETER, "")) | numbers)}


def change(patch: pytest.MonkeyPatch, settings: Mapping[str, str]) -> None:
    """Change settings, by name without prefix, in the environment of the functions; the others stay."""
    present = {_TUNING.removeprefix(PREFIX): os.environ.get(_TUNING, "")}
    for name, value in variables({**present, **settings}).items():
        patch.setenv(name, value)


def tune(patch: pytest.MonkeyPatch, **numbers: int) -> None:
    """Change numbers of `Tuning` in the environment of the functions; the others stay."""
    change(patch, {field.upper(): str(number) for field, number in numbers.items()})
