"""A person pauses a run between two paid calls, and lets it go on, stops it, or does nothing."""

import pytest

from tests.support.belt import Belt, drop_of
from tests.support.faults.scenes import commands, run_command
from tests.support.faults.taps import When, crash_at, meanwhile
from tests.support.gates import (
    HELD,
    HOLD,
    HOUR,
    make_older,
    message,
    pause,
    paused_meanwhile,
    say,
    send_one,
    stop,
    the_run,
)
from tests.support.promises import check, plain

DATA = drop_of(3)


@pytest.fixture
def stack_settings(stack_settings: dict[str, str]) -> dict[str, str]:
    """Set one request per batch."""
    return stack_settings | {"MAX_REQUESTS_PER_BATCH": "1"}


@pytest.fixture
def paused(belt: Belt) -> str:
    """Return a run of three batches that is paused after the first one was sent, and whose message was sent."""
    run = belt.upload(DATA)
    pause(belt, run)
    message(belt, run)
    assert belt.creates() == (1, 1)
    return run


def test_a_run_is_paused_between_two_batches_and_goes_on_by_the_command_of_its_message(belt: Belt) -> None:
    """The message says why it waits and what the whole run may cost."""
    run = belt.upload(DATA)
    pause(belt, run)
    notice = message(belt, run)
    assert "a person paused the run" in plain(notice["message"])
    approve, _ = commands(notice)
    assert approve == f"echo approve | aws s3 cp - s3://{belt.bucket}/control/{run}/approve-2"
    belt.pass_time(30 * HOUR)
    assert belt.creates() == (1, 1)
    run_command(belt, approve)
    receipt = check(belt, run, belt.finish(run), DATA)
    assert [(gate["number"], gate["how"]) for gate in receipt["gates"]] == [(2, "approved")]
    assert belt.creates() == (3, 3)


def test_a13_a_pause_counts_once_and_its_second_version_pauses_again(belt: Belt, paused: str) -> None:
    """A13: nobody deletes the object, and it must not pause for ever; nor does an old approval open a new gate."""
    say(belt, paused, "approve", gate=2)
    send_one(belt, paused)
    assert belt.creates() == (2, 2)
    pause(belt, paused)
    assert f"control/{paused}/approve-3" in message(belt, paused)["message"]
    say(belt, paused, "approve", gate=2)
    assert belt.poll(paused)["next"] in {"wait", "split"}
    assert belt.creates() == (2, 2)
    say(belt, paused, "approve", gate=3)
    check(belt, paused, belt.finish(paused), DATA)
    assert belt.facts(paused, "gate") == ["gate-1.json", "gate-2.json", "gate-3.json"]


def test_a13_an_approval_of_the_first_gate_does_not_open_the_second(belt: Belt) -> None:
    """A13: its writer has not seen why the run waits now."""
    run = belt.upload(DATA, metadata=HELD)
    say(belt, run, "approve")
    send_one(belt, run)
    pause(belt, run)
    assert "a person paused the run" in plain(message(belt, run)["message"])
    belt.pass_time(HOLD)
    assert belt.finish(run)["status"] == "declined"
    assert belt.creates() == (1, 1)


def test_a_pause_at_a_closed_gate_closes_the_next_one_before_anything_is_paid(belt: Belt) -> None:
    """Who approves the first gate may not know of the pause."""
    run = belt.upload(DATA, metadata=HELD)
    message(belt, run)
    pause(belt, run)
    assert belt.poll(run)["next"] == "wait"
    say(belt, run, "approve")
    assert f"control/{run}/approve-2" in message(belt, run)["message"]
    belt.submit({"run": run})
    assert belt.creates() == (0, 0)
    say(belt, run, "approve", gate=2)
    check(belt, run, belt.finish(run), DATA)


def test_a_pause_at_a_gate_that_is_declined_opens_nothing_later(belt: Belt) -> None:
    """The poll that declined it may have ended before it wrote that nothing more is sent."""
    run = belt.upload(DATA, metadata=HELD)
    pause(belt, run)
    belt.pass_time(73 * HOUR)
    with crash_at(belt.clients, "before", "/refused.json"):
        belt.poll(run)
    say(belt, run, "approve", gate=2)
    assert belt.finish(run)["status"] == "declined"
    assert (belt.facts(run, "gate"), belt.creates()) == (["gate-1.json"], (0, 0))


def test_a_pause_before_the_first_gate_is_written_keeps_its_reasons(belt: Belt) -> None:
    """Submit may have ended before it wrote that gate."""
    event = belt.drop(DATA)
    with crash_at(belt.clients, "before", "/gate-1.json"):
        belt.submit(event)
    run = the_run(belt)
    pause(belt, run)
    message(belt, run)
    assert belt.fact(run, "gate-1.json")["open"] is True
    belt.submit({"run": run})
    assert belt.creates() == (0, 0)
    say(belt, run, "approve", gate=2)
    check(belt, run, belt.finish(run), DATA)


@pytest.mark.parametrize("when", ["before", "after"])
def test_a29_a_pause_between_the_intent_and_the_call_prevents_the_call(belt: Belt, when: When) -> None:
    """A29: it is neither a refusal of the run nor trouble with the provider, and the attempt is made later."""
    event = belt.drop(DATA)
    with meanwhile(belt.clients, paused_meanwhile(belt, when, "/attempt-1.json")):
        run = belt.submit(event)["run"]
    refused = belt.fact(run, "batches/1/refused-1.json")
    assert (refused["kind"], refused["type"], belt.creates()) == ("later", "at-gate", (0, 0))
    belt.pass_time(23 * HOUR)
    belt.poll(run)
    say(belt, run, "approve", gate=2)
    check(belt, run, belt.finish(run), DATA)
    assert {notice["status"] for notice in belt.notices} == {"waiting-for-approval"}
    assert belt.creates() == (3, 3)


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_crash_where_the_call_is_prevented_pays_nothing_twice(belt: Belt, when: When) -> None:
    """The attempt may then have been made, as far as the ledger shows: it is looked for at the closed gate."""
    event = belt.drop(DATA)
    with (
        meanwhile(belt.clients, paused_meanwhile(belt, "after", "/attempt-1.json")),
        crash_at(belt.clients, when, "/refused-1.json"),
    ):
        belt.submit(event)
    run = the_run(belt)
    for _ in range(12):
        assert belt.poll(run)["next"] in {"wait", "notify"}
        belt.pass_time(HOUR)
    assert belt.facts(run, "absent" if when == "before" else "refused")
    say(belt, run, "approve", gate=2)
    check(belt, run, belt.finish(run), DATA)
    assert belt.creates() == (3, 3)


def test_a_run_that_has_paid_for_all_its_batches_is_not_held_up_by_a_pause(belt: Belt) -> None:
    """There is nothing to put off."""
    run = belt.upload(drop_of(1))
    pause(belt, run)
    check(belt, run, belt.finish(run), drop_of(1))
    assert belt.notices == []
    assert belt.facts(run, "gate") == ["gate-1.json"]


def test_a_stop_at_a_later_gate_keeps_what_was_paid_for(belt: Belt, paused: str) -> None:
    """Its lines are delivered, and the others are in retry.jsonl."""
    belt.pass_time(3 * HOUR)
    stop(belt, paused)
    end = belt.finish(paused)
    receipt = check(belt, paused, end, DATA, "stopped")
    assert (receipt["results"], receipt["never_sent"], receipt["retryable"]) == (1, 2, 2)
    assert [gate["how"] for gate in receipt["gates"]] == ["stopped"]
    assert "Nothing is running, and nothing was charged" not in plain(end["message"])
    assert belt.creates() == (1, 1)


def test_a30_a_run_that_is_declined_half_way_keeps_and_tells_what_was_paid(belt: Belt, paused: str) -> None:
    """A30: a message must not say that nothing was charged; A19: a pause has an end, too."""
    belt.pass_time(HOLD)
    end = belt.finish(paused)
    receipt = check(belt, paused, end, DATA, "declined")
    assert (receipt["results"], receipt["never_sent"], receipt["retryable"]) == (1, 2, 2)
    assert receipt["cost_usd"] > 0
    assert "Nothing is running, and nothing was charged" not in plain(end["message"])
    assert "2 requests were not sent, and nothing was charged for them" in plain(end["message"])
    assert "nobody approved the run within 72 hours" in plain(end["message"])
    assert "1 of 3 requests was answered" in plain(end["message"])
    assert belt.creates() == (1, 1)


def test_a_stop_that_ended_a_gate_ends_the_run_although_its_object_is_deleted(belt: Belt, paused: str) -> None:
    """Otherwise the run would neither wait nor pay nor end."""
    stop(belt, paused)
    with crash_at(belt.clients, "before", "/refused.json"):
        belt.poll(paused)
    belt.s3.delete_object(Bucket=belt.bucket, Key=f"control/{paused}/cancel")
    assert belt.finish(paused)["status"] == "stopped"


def test_a22_a_run_planned_by_earlier_code_goes_on_without_gates_and_can_be_paused(belt: Belt) -> None:
    """A22: it has no gate facts, and would wait for ever for one that says that it may pay."""
    event = belt.drop(DATA)
    with crash_at(belt.clients, "before", "/gate-1.json"):
        belt.submit(event)
    run = the_run(belt)
    make_older(belt, run)
    send_one(belt, run)
    assert (belt.creates(), belt.facts(run, "gate")) == ((1, 1), [])
    pause(belt, run)
    notice = message(belt, run)
    assert "no bound" in plain(notice["message"])
    belt.submit({"run": run})
    assert belt.creates() == (1, 1)
    run_command(belt, commands(notice)[0])
    check(belt, run, belt.finish(run), DATA)
    assert belt.facts(run, "gate") == ["gate-1.json"]
