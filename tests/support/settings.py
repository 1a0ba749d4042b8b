"""The environment that the template gives to the functions, and the settings that they read from it."""

from tests.support.template import FUNCTIONS, Json, decided, spelled, template

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
