"""A stack of release 0.1.0 that is deployed from a machine without its file: what becomes of its parameters."""

from __future__ import annotations

import pytest
from click.testing import CliRunner

from deployment.answers.questions import Questions
from deployment.aws.account import Account
from deployment.aws.stack import Stack
from deployment.plan import first_parameters
from deployment.screen import Screen
from deployment.settings import file
from deployment.settings.template import read
from deployment.trouble import MISUSED, Trouble
from tests.support import template

TEMPLATE = read(template.SOURCE)


def kept(parameters: dict[str, str], given: dict[str, str] | None = None) -> tuple[dict[str, str], str]:
    """Return the parameters of the update, and what is said."""
    existing = Stack("arn", parameters, {"BucketName": "x", "StateMachineArn": "x"})
    with CliRunner().isolation() as streams:
        found = first_parameters(Questions(Screen(), TEMPLATE), Account("eu-central-1"), existing, given or {})
        return found, streams[2].getvalue().decode()


def test_what_is_translated_or_gone_is_said() -> None:
    """With AllowTools=yes its settings are not simply kept."""
    former = {"HoldHours": "5", "BatchApi": "files", "AllowTools": "yes", "LineForm": "params", "PostSeconds": "60"}
    found, said = kept(former, {"HoldAboveUsd": "7"})
    assert found == {"HoldHours": "5", "BatchApi": "files", "Tuning": "post-seconds=60", "HoldAboveUsd": "7"}
    assert "PostSeconds=60 is now Tuning=post-seconds=60." in said
    assert "AllowTools was removed" in said
    assert "LineForm" not in said


def test_numbers_that_the_release_took_are_no_error() -> None:
    """It compared no two of them, and took them as CloudFormation writes them."""
    found, _ = kept({"PollMinSeconds": "600", "PollMaxSeconds": "300", "MaxBytesPerDrop": "3e10"})
    assert found == {"Tuning": "poll-min-seconds=600,poll-max-seconds=600,max-bytes-per-drop=30000000000"}
    assert TEMPLATE.faults(found) == []


def test_what_cannot_be_read_is_said_in_words() -> None:
    """No traceback."""
    with pytest.raises(Trouble, match="cannot be kept: poll-max-seconds in Tuning is") as trouble:
        kept({"PollMaxSeconds": "1800"})
    assert trouble.value.code == MISUSED


def test_a_former_name_is_explained_by_those_beside_it() -> None:
    """LineForm=body means another API only with BatchApi=files: to leave it out would send lines of another form."""
    given = {"BatchApi": "files", "LineForm": "body", "HoldHours": "5"}
    assert file.unknown(given, TEMPLATE) == ["LineForm=body is now BatchApi=files-openai."]
