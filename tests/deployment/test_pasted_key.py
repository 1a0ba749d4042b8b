"""A key that is pasted where something else is asked goes nowhere: to no AWS, no file, no message."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from deployment.answers.questions import Questions
from deployment.screen import Screen
from deployment.settings import file
from deployment.settings.template import read
from deployment.trouble import Trouble
from tests.support import template

if TYPE_CHECKING:
    from pathlib import Path

TEMPLATE = read(template.SOURCE)
KEYS = (
    "sk-ant-api03-0123456789abcdefABCDEF",
    "sk-proj-0123456789abcdef",
    "gsk_0123456789abcdefABCDEF",
    f"sk-ant-api03-{'Ab1-_' * 18}AA",
)


@pytest.mark.parametrize("key", [*KEYS, KEYS[0] + "x" * 80])
def test_a_key_is_no_name_of_a_secret(key: str) -> None:
    """The fourth question asks for the name, and a tired person pastes the key. AWS logs names, and not values."""
    with CliRunner().isolation(input=f"{key}\nconveyor/api-key\n") as streams:
        screen = Screen()
        screen.has_terminal = True
        answers = Questions(screen, TEMPLATE).parameters({"NotificationEmail": ""})
        shown = streams[2].getvalue()
    assert answers["ApiKeySecretName"] == "conveyor/api-key"
    assert b"this is a key" in shown
    assert shown.count(key.encode()) <= 1  # as it was typed


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("name", ["ApiKeySecretName", "WorkspaceId", "NotificationEmail", "Tuning", "ApiUrl"])
def test_no_parameter_takes_a_key_or_quotes_it(name: str, key: str, tmp_path: Path) -> None:
    """Behind make deploy, and in the file."""
    (fault,) = TEMPLATE.faults({name: key})
    assert fault.startswith(f"{name} cannot be this: this is a key")
    path = tmp_path / "conveyor.toml"
    path.write_text(f'[parameters]\n{name} = "{key}"\n')
    with pytest.raises(Trouble) as trouble:
        file.read(path, TEMPLATE)
    assert key not in "\n".join((fault, *trouble.value.lines))


@pytest.mark.parametrize("key", [*KEYS, KEYS[0] + "x" * 80])
def test_a_key_is_no_name_of_a_stack(key: str) -> None:
    """The first question."""
    with pytest.raises(Trouble) as trouble:
        Questions(Screen(), TEMPLATE).stack(key)
    assert "this is a key" in str(trouble.value)
    assert key not in str(trouble.value)


@pytest.mark.parametrize(
    "name",
    ["conveyor/api-key", "MyStackApiKeySecretA1B2C3D4-abcdefGHIJKL", "team.sk-1", "sk", "sk-conveyor-production-2"],
)
def test_names_of_secrets_are_none(name: str) -> None:
    """Also those that CloudFormation makes."""
    assert TEMPLATE.faults({"ApiKeySecretName": name}) == []
