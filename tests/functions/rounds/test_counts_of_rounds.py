"""Receipts and messages count a request that is sent again once, and promise only what follows."""

import orjson
import pytest

from tests.support.belt import Belt, request
from tests.support.faults.taps import meanwhile
from tests.support.gates import message, pause
from tests.support.promises import check, plain
from tests.support.rounds import DATA, FAILS, ROUNDS, failing_at_first, mended
from tests.support.settings import STACK_SETTINGS


@pytest.fixture
def stack_settings() -> dict[str, str]:
    """Return the settings of a stack with rounds."""
    polls = {"POLL_MIN_SECONDS": "600", "POLL_MAX_SECONDS": "900"}
    return STACK_SETTINGS | ROUNDS | polls | {"DEFAULT_MAX_TOKENS": "500"}


def test_what_was_changed_in_a_request_counts_once(belt: Belt) -> None:
    """The default of `max_tokens`, and fields that are null and were not sent."""
    data = b""
    for number in range(1, 7):
        line = orjson.loads(request(f"r-{number}", max_tokens=None))
        line["params"]["system"] = None
        data += orjson.dumps(line) + b"\n"
    with failing_at_first(belt):
        run = belt.upload(data)
        end = belt.finish(run)
    receipt = check(belt, run, end, data)
    assert receipt["sent_again"] == 3
    assert (receipt["default_max_tokens"]["requests"], receipt["nulls_removed"]) == (6, 6)


def test_a_gate_counts_each_request_once_as_sent(belt: Belt) -> None:
    """A run that is paused before its second round has not sent more requests than it has."""
    belt.provider.configure(outcomes=FAILS)
    with meanwhile(belt.clients, mended(belt, nth=3)):
        run = belt.upload(DATA)
        for _ in range(40):
            state = belt.poll(run)
            if belt.facts(run, "round-2.json"):
                break
            if state["next"] == "submit":
                belt.submit({"run": run})
            for batch in state["batches"]:
                belt.split(run, batch)
            belt.pass_time(0 if state["batches"] else state["wait_seconds"])
        pause(belt, run)
        assert "6 of 6 requests were sent before" in plain(message(belt, run)["message"])


def test_a_message_promises_a_round_only_where_one_is_left(belt: Belt) -> None:
    """What expires in the only round is left to the user."""
    belt.provider.configure(every={"2": "expired"}, seconds=70_000)
    run = belt.upload(DATA, metadata={"retry-rounds": "1"})
    belt.finish(run)
    first, second = (plain(notice["message"]) for notice in belt.notices if notice["status"] == "at-risk")
    assert "They are sent again by themselves" in first
    assert "They are sent again by themselves" not in second
    assert "Their lines will be in retry.jsonl" in second
