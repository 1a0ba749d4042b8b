"""A number that CloudFormation would take, and no function could read, is refused before anything is built."""

from __future__ import annotations

import pytest

from conveyor.settings.settings import FIELDS, camel_case
from deployment.plan import _faults
from deployment.settings.template import read
from tests.support import template

TEMPLATE = read(template.SOURCE)
NUMBERS = [name for name, each in TEMPLATE.parameters.items() if each.definition["Type"] == "Number"]
WHOLE = sorted({*map(camel_case, FIELDS)} & {*NUMBERS} - {"HoldAboveUsd"})


@pytest.mark.parametrize("name", WHOLE)
@pytest.mark.parametrize("more", [".5", " ", "_0"])
def test_a_number_that_is_not_whole_is_refused(name: str, more: str) -> None:
    """With it, submit would fail at each drop."""
    value = f"{TEMPLATE.parameters[name].default}{more}"
    (fault,) = _faults({name: value}, TEMPLATE)  # the command asks AWS next
    assert fault.startswith(f'{name} cannot be "{value}"; expected a')


@pytest.mark.parametrize("name", NUMBERS)
def test_defaults_and_amounts_are_taken(name: str) -> None:
    """US dollars may have cents."""
    assert _faults({name: TEMPLATE.parameters[name].default or ""}, TEMPLATE) == []
    assert _faults({"HoldAboveUsd": "1.50"}, TEMPLATE) == []


@pytest.mark.parametrize("name", ["NotificationEmail", "WorkspaceId", "ApiKeySecretName", "Tuning", "ApiUrl"])
def test_a_pattern_is_of_the_whole_text(name: str) -> None:
    """As CloudFormation compares it: a line break at its end does not match."""
    good = {
        "NotificationEmail": "a@example.com", "WorkspaceId": "wrkspc_1", "ApiKeySecretName": "a",
        "Tuning": "settle-seconds=2", "ApiUrl": "https://example.com",
    }[name]  # fmt: skip
    assert _faults({name: good}, TEMPLATE) == []
    assert _faults({name: f"{good}\n"}, TEMPLATE) != []
