"""At most four questions, each with its default, and asked again until the answer can be used."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from deployment.answers.questions import Questions
from deployment.screen import Screen
from deployment.settings.template import read
from deployment.trouble import MISUSED, Trouble
from tests.support import template

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from io import BytesIO

TEMPLATE = read(template.SOURCE)


@contextmanager
def typed(*lines: str) -> Iterator[tuple[Questions, BytesIO]]:
    """Yield the questions in a terminal in which somebody types these lines, and what it shows."""
    with CliRunner().isolation(input="".join(f"{line}\n" for line in lines)) as streams:
        screen = Screen()
        screen.has_terminal = True
        yield Questions(screen, TEMPLATE), streams[2]


def without_terminal() -> Questions:
    """Return the questions where nobody can answer."""
    screen = Screen()
    screen.has_terminal = False
    return Questions(screen, TEMPLATE)


def test_enter_takes_the_defaults() -> None:
    """The name, no e-mail, and the secret of the template."""
    with typed("", "", "") as (questions, shown):
        assert questions.stack(None) == "conveyor"
        assert questions.parameters({}) == {"NotificationEmail": "", "ApiKeySecretName": "conveyor/api-key"}
    assert b"[conveyor]" in shown.getvalue()
    assert b"[conveyor/api-key]" in shown.getvalue()


def test_an_answer_with_a_fault_is_asked_again_at_once() -> None:
    """With what is allowed."""
    with typed("team_a", "team-a", "us-east-9", "us-east-1", "nobody", "a@example.com", "a b", "other") as (
        questions,
        shown,
    ):
        assert questions.stack(None) == "team-a"
        assert questions.region(None) == "us-east-1"
        expected = {"NotificationEmail": "a@example.com", "ApiKeySecretName": "other"}
        assert questions.parameters({}) == expected
    for said in (
        b"letters, digits and hyphens",
        b"did you mean us-east-1",
        b"an email address",
        b"the name (not the ARN)",
    ):
        assert said in shown.getvalue()


def test_without_a_key_the_workspace_is_asked() -> None:
    """Requests are signed then, and there is no secret."""
    with typed("aws", "", "workspace", "wrkspc_01AbC") as (questions, shown):
        assert questions.parameters({"NotificationEmail": ""}) == {
            "NotificationEmail": "",
            "Auth": "aws",
            "WorkspaceId": "wrkspc_01AbC",
        }
    assert b"wrkspc_\xe2\x80\xa6" in shown.getvalue()


def test_what_is_given_is_not_asked_but_checked() -> None:
    """Nobody has typed anything here."""
    with typed() as (questions, shown):
        given = {"NotificationEmail": "a@example.com", "ApiKeySecretName": "x", "HoldHours": "5"}
        assert questions.stack("team-a") == "team-a"
        assert questions.region("eu-central-1") == "eu-central-1"
        assert questions.parameters(given) == given
        assert questions.parameters({"NotificationEmail": "", "Auth": "aws"}) == {
            "NotificationEmail": "",
            "Auth": "aws",
        }
        with pytest.raises(Trouble, match="letters, digits and hyphens"):
            questions.stack("team_a")
    assert shown.getvalue() == b""


@pytest.mark.parametrize("missing", ["STACK", "REGION", "EMAIL", "SECRET"])
def test_without_a_terminal_what_is_missing_is_named(missing: str) -> None:
    """With the whole line to type, and the exit code of a mistake."""
    questions = without_terminal()
    ask: dict[str, Callable[[], object]] = {
        "STACK": lambda: questions.stack(None),
        "REGION": lambda: questions.region(None),
        "EMAIL": lambda: questions.parameters({}),
        "SECRET": lambda: questions.parameters({"NotificationEmail": ""}),
    }
    with pytest.raises(Trouble) as trouble:
        ask[missing]()
    assert trouble.value.lines[0].startswith(f"{missing} is missing, and there is no terminal to ask in")
    assert trouble.value.code == MISUSED
    assert trouble.value.commands[0].startswith("make deploy STACK=")
