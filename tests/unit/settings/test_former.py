"""Parameters of release 0.1.0 that later ones do not have are translated, and described."""

from datetime import timedelta

import pytest

from conveyor.domain.schedule import wait_seconds
from conveyor.settings.former import FORMER, current_parameters, describe_changed, describe_former
from conveyor.settings.tuning import defaults, read_tuning
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
        ({"PollMinSeconds": "600"}, {"Tuning": "poll-min-seconds=600,poll-max-seconds=600"}),
        ({"PollMaxSeconds": "20"}, {"Tuning": "poll-max-seconds=30"}),
        ({"MaxBytesPerDrop": "3e10", "PollMaxSeconds": "300.0"}, {"Tuning": "max-bytes-per-drop=30000000000"}),
        (
            {"PollMinSeconds": "600", "PollMaxSeconds": "300", "Tuning": "poll-max-seconds=700"},
            {"Tuning": "poll-min-seconds=600,poll-max-seconds=700"},
        ),
    ],
)
def test_parameters_are_those_of_today(former: dict[str, str], current: dict[str, str]) -> None:
    """A stack behaves as before, but for tools in files of params, which are refused now."""
    assert current_parameters(former) == current


@pytest.mark.parametrize("shortest", ["1", "30", "600", "900"])
@pytest.mark.parametrize("longest", ["1", "300", "900"])
def test_every_stack_of_the_release_can_be_updated(shortest: str, longest: str) -> None:
    """It did not compare the two waits; where they crossed, each was the shortest."""
    current = current_parameters({"PollMinSeconds": shortest, "PollMaxSeconds": longest})
    numbers = defaults() | read_tuning(current.get("Tuning", ""))
    for elapsed in (timedelta(0), timedelta(hours=1), timedelta(days=1)):
        now = wait_seconds(elapsed, numbers["poll_min_seconds"], numbers["poll_max_seconds"])
        assert now == wait_seconds(elapsed, int(shortest), int(longest))


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


def test_of_a_stack_only_what_differs_from_the_defaults_is_described() -> None:
    """Every stack of the release has all parameters, most at their defaults."""
    usual = {"BatchApi": "files", "LineForm": "params", "AllowTools": "no", "PollMaxSeconds": "300.0"}
    assert describe_changed(usual) == []
    assert describe_changed(usual | {"AllowTools": "yes", "MaxBytesPerDrop": "3e10"}) == [
        "MaxBytesPerDrop=30000000000 is now Tuning=max-bytes-per-drop=30000000000.",
        REMOVED,
    ]
