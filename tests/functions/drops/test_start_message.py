"""`notify=start`: a message when a run starts, once, beside those that always come."""

import pytest

from tests.support.belt import FIRST, Belt, drop_of
from tests.support.gates import say
from tests.support.promises import check, plain

ASKED = {"notify": "start"}


def told(belt: Belt) -> list[str]:
    """Return the statuses of the messages that came while runs were in progress."""
    return [notice["status"] for notice in belt.notices]


def test_a_run_whose_drop_asks_for_it_says_once_that_it_starts_and_what_it_may_cost(belt: Belt) -> None:
    """The run itself is as any other."""
    run = belt.upload(drop_of(3), metadata=ASKED)
    notice = belt.finish(run)
    assert told(belt) == ["started"]
    (started,) = belt.notices
    most = check(belt, run, notice, drop_of(3))["at_most_usd"]
    assert started["data"]["id"] == f"{run}/started"
    assert started["data"]["cost"]["at_most_usd"] == str(most)
    assert (started["data"]["requests"], started["data"]["needs"]) == (3, "nobody")
    assert plain(started["message"]).startswith(
        "The run of three has started: 3 valid requests, at most $0.01. They are"
    )


def test_without_that_nothing_is_said(belt: Belt) -> None:
    """As it was before there was such metadata."""
    belt.finish(belt.upload(drop_of(3)))
    assert told(belt) == []


def test_the_message_of_a_gate_follows_on_the_next_poll(belt: Belt) -> None:
    """It must not be lost for the one that the run starts."""
    run = belt.upload(drop_of(3), metadata=ASKED | {"hold": "always"})
    states = [belt.poll(run) for _ in range(3)]
    assert [state["notice"] and state["notice"]["status"] for state in states] == [
        "started", "waiting-for-approval", None,
    ]  # fmt: skip
    say(belt, run, "no-limit")
    assert belt.finish(run)["status"] == "completed"
    assert told(belt) == ["started", "waiting-for-approval"]


@pytest.mark.parametrize("data", [b"no JSON\n", b""])
def test_a_drop_that_is_refused_says_that_and_not_that_it_starts(belt: Belt, data: bytes) -> None:
    """One message is enough."""
    assert belt.finish(belt.upload(data, metadata=ASKED))["status"] == "refused"
    assert told(belt) == []


def test_a_run_that_continues_in_another_execution_does_not_say_it_again(belt: Belt) -> None:
    """Not even after an execution of an earlier version, which forgets what was said."""
    run = belt.upload(drop_of(3), metadata=ASKED)
    belt.poll(run)
    belt.remember(run, FIRST | {"execution": {"number": 2, "events": 0}})
    belt.finish(run)
    assert told(belt) == ["started"]


@pytest.mark.parametrize(("name", "value", "says"), [
    ("notify", "end", 'the object\'s metadata "notify" is "end"; it must be "start", or be left out'),
    ("notify-start", "yes", 'unknown metadata "notify-start"; did you mean "notify"?'),
    ("on-start", "yes", 'unknown metadata "on-start"; did you mean "notify"?'),
])  # fmt: skip
def test_another_value_is_refused(belt: Belt, name: str, value: str, says: str) -> None:
    """Who asks for a message waits for it."""
    notice = belt.finish(belt.upload(drop_of(1), metadata={name: value}))
    assert notice["status"] == "refused"
    assert says in plain(notice["message"])
