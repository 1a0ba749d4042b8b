"""What is left at AWS where somebody does not deploy: nothing of their own, and everything of others."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click
import pytest
from botocore.stub import Stubber
from click.testing import CliRunner

from deployment import __main__ as program
from deployment import deploy
from deployment.aws import change_set as change_sets
from deployment.aws.account import Account
from deployment.aws.change_set import ChangeSet
from deployment.plan import Plan
from deployment.screen import Screen
from deployment.trouble import Trouble
from deployment.wish import Wish

if TYPE_CHECKING:
    from collections.abc import Iterator

ID, ARN = "arn:aws:cloudformation:eu-central-1:123456789012:stack/conveyor/1", "arn:aws:cloudformation:changeSet/a/1"
NAMED = {"ChangeSetName": ARN, "StackName": ID}


@pytest.fixture
def account(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Account, Stubber]]:
    """Return an account whose CloudFormation answers what a test expects, all of which must be asked."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "a")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "b")
    made = Account("eu-central-1")
    with Stubber(made.cloudformation) as answers:
        yield made, answers
        answers.assert_no_pending_responses()


def expect(answers: Stubber, status: str) -> None:
    """Expect that a first change set is deleted, and a look at its stack."""
    answers.add_response("delete_change_set", {}, NAMED)
    found = {"StackName": "conveyor", "StackId": ID, "StackStatus": status, "CreationTime": datetime.now(UTC)}
    answers.add_response("describe_stacks", {"Stacks": [found]}, {"StackName": ID})


@pytest.mark.parametrize("status", ["CREATE_IN_PROGRESS", "CREATE_COMPLETE", "UPDATE_COMPLETE"])
def test_a_no_does_not_delete_what_somebody_else_has_deployed(account: tuple[Account, Stubber], status: str) -> None:
    """Two first deployments of one name share a stack: one is left at its question while the other one is executed."""
    made, answers = account
    expect(answers, status)
    change_sets.delete(made.cloudformation, ChangeSet(ARN, ID, [], is_first=True))


def test_a_no_deletes_the_empty_stack_of_a_first_deployment(account: tuple[Account, Stubber]) -> None:
    """Nobody has executed anything."""
    made, answers = account
    expect(answers, "REVIEW_IN_PROGRESS")
    answers.add_response("delete_stack", {}, {"StackName": ID})
    change_sets.delete(made.cloudformation, ChangeSet(ARN, ID, [], is_first=True))


@pytest.mark.parametrize(("typed", "raised"), [("n\n", Trouble), ("", click.Abort)])
def test_a_no_and_ctrl_c_leave_no_change_set(
    account: tuple[Account, Stubber], typed: str, raised: type[Exception]
) -> None:
    """At the question whether to deploy, the end of the input is what Ctrl-D and Ctrl-C are."""
    made, answers = account
    answers.add_response("delete_change_set", {}, NAMED)
    plan = Plan("conveyor", made, {}, {}, None)
    with CliRunner().isolation(input=typed), pytest.raises(raised):
        deploy._consent(Wish(), Screen(), plan, ChangeSet(ARN, ID, [], is_first=False))  # noqa: SLF001  # the last step before CloudFormation begins


def test_ctrl_c_at_a_question_says_that_nothing_was_deployed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Not that something goes on."""

    def stopped(*_given: object) -> int:
        raise click.Abort

    monkeypatch.setattr(program, "deploy", stopped)
    assert program._run(Wish()) == 1  # noqa: SLF001  # the whole command ends the process
    assert "Stopped. Nothing was deployed." in capsys.readouterr().err
