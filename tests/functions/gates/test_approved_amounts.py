"""An approved amount holds for all later calls of the run, and in each dialect."""

import orjson
import pytest

from tests.support.belt import Belt
from tests.support.faults.scenes import (
    GONE,
    LOST,
    commands,
    finish_with_retries,
    inject_faults,
    run_command,
    write_control,
)
from tests.support.gates import DEAR, HELD, HOLD, HOUR, message, pause, say, send_one
from tests.support.promises import check, plain


@pytest.fixture
def stack_settings(stack_settings: dict[str, str]) -> dict[str, str]:
    """Set one request per batch."""
    return stack_settings | {"MAX_REQUESTS_PER_BATCH": "1"}


@pytest.fixture
def twice(belt: Belt) -> str:
    """Return an approved run whose other batches are paid, and whose first must be paid for twice.

    The answer to its call was lost, and a person said that it be submitted again: perhaps it was paid all the same.
    """
    run = belt.upload(DEAR, metadata=HELD)
    message(belt, run)
    say(belt, run, "approve")
    inject_faults(belt, LOST, GONE)
    for _ in range(3):
        send_one(belt, run)
    assert belt.creates() == (3, 3)
    write_control(belt, run, "batches/1/attempt-1", b"submit again")
    belt.poll(run)
    send_one(belt, run)
    assert belt.creates() == (3, 3)
    inject_faults(belt)
    return run


def test_a_batch_that_must_be_paid_twice_closes_a_gate_with_its_message(belt: Belt, twice: str) -> None:
    """A12: the amount was approved for one call of each batch. Approved again, it goes on."""
    assert belt.fact(twice, "passed-1.json")["up_to"] == belt.fact(twice, "gate-1.json")["need_usd"]
    notice = message(belt, twice)
    text = plain(notice["message"])
    assert "batch 1 may cost $0.1" in text
    assert "and $0.00 is left of the $0.49 that the run may cost" in text
    assert "up to $0.65" in notice["subject"]
    belt.pass_time(HOUR)
    belt.submit({"run": twice})
    assert belt.creates() == (3, 3)
    say(belt, twice, "up-to 0.50", gate=2)
    assert "it allows $0.50, and it must allow at least $0.65" in plain(message(belt, twice)["message"])
    run_command(belt, commands(notice)[0])
    assert finish_with_retries(belt, twice).notice["status"] == "completed"
    assert belt.creates() == (4, 4)
    gates = [(gate["reasons"][0]["code"], gate["how"]) for gate in belt.receipt(twice)["gates"]]
    assert gates == [("asked", "approved"), ("over-approved", "approved")]


def test_a19_a_gate_for_more_money_ends_by_itself_and_keeps_what_was_paid(belt: Belt, twice: str) -> None:
    """A19: the other batches are delivered."""
    message(belt, twice)
    belt.pass_time(HOLD)
    ending = finish_with_retries(belt, twice)
    receipt = belt.receipt(twice)
    assert (ending.notice["status"], receipt["results"], receipt["never_sent"]) == ("declined", 2, 1)
    assert belt.creates() == (3, 3)


def test_an_amount_stays_in_force_behind_a_pause(belt: Belt) -> None:
    """The approval of a pause names no amount, and lifts none."""
    run = belt.upload(DEAR, metadata=HELD)
    say(belt, run, "up-to 0.60")
    send_one(belt, run)
    pause(belt, run)
    message(belt, run)
    say(belt, run, "approve", gate=2)
    check(belt, run, belt.finish(run), DEAR)
    assert belt.fact(run, "passed-2.json")["up_to"] == pytest.approx(0.6)


def test_a_run_within_its_amount_meets_no_other_gate(belt: Belt) -> None:
    """Three batches, each counted once."""
    run = belt.upload(DEAR, metadata=HELD)
    say(belt, run, "approve")
    check(belt, run, belt.finish(run), DEAR)
    assert belt.facts(run, "gate") == ["gate-1.json"]


class TestOtherApi:
    """A server of files with another API, whose prices are not known."""

    DATA = b"".join(
        orjson.dumps({"custom_id": str(number), "params": {"model": "m", "messages": []}}) + b"\n"
        for number in range(3)
    )

    @pytest.fixture
    def stack_settings(self, stack_settings: dict[str, str]) -> dict[str, str]:
        """Set the dialect, and an endpoint."""
        return stack_settings | {"BATCH_API": "files-openai", "BATCH_ENDPOINT": "/v1/chat/completions"}

    def test_a_run_without_prices_waits_and_pauses_without_an_amount(self, belt: Belt) -> None:
        """No figure is shown that is not known."""
        run = belt.upload(self.DATA, metadata=HELD)
        notice = message(belt, run)
        assert "(3 requests, no bound on the cost;" in notice["subject"]
        assert "with another API, whose prices are not known" in plain(notice["message"])
        assert "$" not in notice["message"]
        run_command(belt, commands(notice)[0])
        send_one(belt, run)
        pause(belt, run)
        run_command(belt, commands(message(belt, run))[0])
        check(belt, run, belt.finish(run), self.DATA)
        assert [gate["how"] for gate in belt.receipt(run)["gates"]] == ["approved"] * 2

    def test_a17_by_default_its_drops_are_sent(self, belt: Belt) -> None:
        """A17: no model has a price there, and each drop would be held and then declined."""
        check(belt, run := belt.upload(self.DATA), belt.finish(run), self.DATA)
        assert belt.notices == []


def test_the_dialect_of_files_has_the_prices_of_the_messages_that_it_carries(
    belt: Belt, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its requests are the same, and so is the amount to approve."""
    monkeypatch.setenv("CONVEYOR_BATCH_API", "files")
    run = belt.upload(DEAR, metadata=HELD)
    notice = message(belt, run)
    assert "(3 requests, up to $0.49;" in notice["subject"]
    run_command(belt, commands(notice)[0])
    check(belt, run, belt.finish(run), DEAR)
