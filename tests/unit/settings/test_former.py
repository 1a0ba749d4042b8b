"""Parameters of release 0.1.0 that later ones do not have are translated, and described."""

import pytest

from conveyor.settings.former import FORMER, current_parameters, describe_former
from tests.support.template import template

REMOVED = (
    "AllowTools was removed: lines with tools are invalid with BatchApi=files, and valid with BatchApi=files-openai."
)


def test_no_former_parameter_is_one_of_today() -> None:
    """Else it would be taken away from a stack that has it."""
    assert len(FORMER) == 17
    assert not set(FORMER) & template()["Parameters"].keys()


@pytest.mark.parametrize(
    ("former", "current"),
    [
        ({"OnInvalid": "skip"}, {"OnInvalid": "skip"}),
        ({"OnInvalid": "skip", "PollMinSeconds": "1"}, {"OnInvalid": "skip", "Tuning": "poll-min-seconds=1"}),
        ({"PollMinSeconds": "30", "MaxEvents": "15000"}, {}),
        (
            {"SettleSeconds": "3", "PostSeconds": "5", "Tuning": "post-seconds=7"},
            {"Tuning": "post-seconds=7,settle-seconds=3"},
        ),
        ({"BatchApi": "files", "LineForm": "body", "AllowTools": "yes"}, {"BatchApi": "files-openai"}),
        ({"BatchApi": "files", "LineForm": "params", "AllowTools": "no"}, {"BatchApi": "files"}),
        ({"BatchApi": "messages", "LineForm": "body"}, {"BatchApi": "messages"}),
        ({"LineForm": "body"}, {}),
    ],
)
def test_parameters_are_those_of_today(former: dict[str, str], current: dict[str, str]) -> None:
    """A stack behaves as before, but for tools in files of params, which are refused now."""
    assert current_parameters(former) == current


def test_each_former_parameter_is_described_by_what_to_write_now() -> None:
    """The SAM CLI drops unknown names without a word."""
    given = {"Auth": "bearer", "BatchApi": "files", "LineForm": "body", "AllowTools": "yes", "PollMinSeconds": "1"}
    assert describe_former(given | {"MaxEvents": "15000"}) == [
        "PollMinSeconds=1 is now Tuning=poll-min-seconds=1.",
        "MaxEvents=15000 is the default; leave it out.",
        "LineForm=body is now BatchApi=files-openai.",
        REMOVED,
    ]
    assert describe_former({"LineForm": "params"}) == ["LineForm=params is now left out."]
    assert describe_former({"OnInvalid": "skip", "Tuning": "max-events=200"}) == []
