"""Histories about operators: their messages, and the effect of their decisions. Only `submit again` is charged."""

import shlex
from datetime import timedelta
from typing import Any

import pytest

from tests.support.belt import Belt, drop_of
from tests.support.faults.dialects import IN_DOUBT
from tests.support.faults.paid_once import check
from tests.support.faults.scenes import (
    GONE,
    HOUR,
    LOST,
    STOP,
    UNREADABLE,
    UNSENT,
    batch_of,
    commands,
    finish_with_retries,
    inject_faults,
    run_command,
    run_loop,
    write_control,
)
from tests.support.faults.taps import At, When, crash_at, meanwhile
from tests.support.promises import plain
from tests.support.settings import STACK_SETTINGS

DATA = drop_of(4)
DECISION = "batches/1/attempt-1"
PASTED = "sk-ant-api03-pasted-by-mistake"
"""A key in a decision: neither a message nor the state of the execution may quote it."""


def undecided(belt: Belt, results: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """Lose the create response of a batch with unreadable results, up to the message; return run and message."""
    inject_faults(belt, LOST, results)
    run, start = belt.upload(DATA), belt.moment
    run_loop(belt, run, 12 * HOUR)
    (notice,) = belt.notices
    assert belt.creates() == (1, 1)
    assert belt.moment - start >= 12 * HOUR
    return run, notice


@pytest.mark.parametrize("dialect", IN_DOUBT, indirect=True)
def test_an_undecided_run_is_reported_once_after_six_hours_with_the_candidate_and_all_commands(belt: Belt) -> None:
    """The results that would identify the batch are gone, so an operator has to decide."""
    inject_faults(belt, LOST, GONE)
    run = belt.upload(DATA)
    (candidate,) = belt.provider.stats()["batches"]
    run_loop(belt, run, 5.9 * HOUR)
    assert belt.notices == []
    run_loop(belt, run, 24 * HOUR)
    (notice,) = belt.notices
    assert (notice["run"], notice["status"]) == (run, "undecided")
    folder = f"s3://{belt.bucket}/control/{run}"
    assert commands(notice) == [
        f"echo 'adopt {candidate['id']}' | aws s3 cp - {folder}/{DECISION}",
        f"echo 'submit again' | aws s3 cp - {folder}/{DECISION}",
        f"echo stop | aws s3 cp - {folder}/cancel",
    ]
    assert belt.creates() == (1, 1)


@pytest.mark.parametrize("dialect", IN_DOUBT, indirect=True)
def test_the_adopt_command_adopts_the_candidate(belt: Belt) -> None:
    """There is no second POST; its results are read once they are readable."""
    run, notice = undecided(belt, UNREADABLE)
    run_command(belt, commands(notice)[0])
    belt.poll(run)
    fact = belt.fact(run, "batches/1/batch-1.json")
    assert (fact["id"], fact["released"]) == (shlex.split(commands(notice)[0])[1].split()[1], True)
    inject_faults(belt)
    ending = finish_with_retries(belt, run)
    assert check(belt, ending, DATA)["batches"][0]["adopted"] is True
    assert (ending.creates, ending.created) == (1, 1)


@pytest.mark.parametrize("dialect", IN_DOUBT, indirect=True)
def test_an_adopted_batch_whose_results_are_gone_ends_the_run_without_another_call(belt: Belt) -> None:
    """The run ends as stuck. Only an operator can then send the requests again."""
    run, notice = undecided(belt, GONE)
    run_command(belt, commands(notice)[0])
    assert run_loop(belt, run, HOUR)["next"] == "split"
    assert belt.split(run)["status"] == "unread"
    belt.pass_time(29 * 86_400)
    ending = finish_with_retries(belt, run)
    assert (ending.notice["status"], ending.creates) == ("stuck", 1)


@pytest.mark.parametrize("dialect", IN_DOUBT, indirect=True)
def test_the_submit_again_command_pays_once_more(belt: Belt) -> None:
    """The candidate's results are gone: there is exactly one more POST, and the receipt counts the lost response."""
    run, notice = undecided(belt, GONE)
    run_command(belt, commands(notice)[1])
    belt.poll(run)
    assert belt.fact(run, "batches/1/absent-1.json")["released"] is True
    inject_faults(belt)
    ending = finish_with_retries(belt, run)
    assert (ending.notice["status"], ending.creates, ending.created) == ("completed", 2, 2)
    assert belt.receipt()["unanswered"] == 1
    assert batch_of(belt, run) == belt.provider.stats()["batches"][1]["id"]


@pytest.mark.parametrize("dialect", IN_DOUBT, indirect=True)
@pytest.mark.parametrize(
    ("decision", "lines", "expected"),
    [
        ("adopt {}", 1, "holds 1 request, not 4"),
        ("adopt {}", 4, "belongs to another run"),
        (f"adopt {PASTED}", 4, "the batch that the decision names cannot be adopted: the provider does not show it"),
        (PASTED, 4, "says neither"),
        ("adopt", 4, "says neither"),
        ("yes please", 4, "says neither"),
        ("", 4, "says neither"),
    ],
)
def test_an_invalid_decision_is_reported_at_once_and_pays_nothing(
    belt: Belt, decision: str, lines: int, expected: str
) -> None:
    """The next poll reports the mistake once, and it can be corrected. `{}` is another run's batch."""
    inject_faults(belt, LOST, UNREADABLE)
    run = belt.upload(DATA)
    other = batch_of(belt, belt.upload(drop_of(lines), "inbox/other.jsonl"))
    write_control(belt, run, DECISION, decision.format(other).encode())
    paid = belt.creates()
    state = belt.poll(run)
    assert state["next"] == "notify"
    (notice,) = belt.notices
    assert notice["status"] == "undecided"
    assert expected in plain(notice["message"])
    assert PASTED not in str(state)
    run_loop(belt, run, 7 * HOUR)
    assert belt.notices == [notice]
    assert belt.creates() == paid
    assert belt.facts(run, "batch-1.json") == belt.facts(run, "absent") == []
    (mine,) = [line.split()[2].strip("'") for line in commands(notice) if "adopt" in line]
    write_control(belt, run, DECISION, f"adopt {mine}".encode())
    inject_faults(belt)
    assert finish_with_retries(belt, run).notice["status"] == "completed"
    assert batch_of(belt, run) == mine
    assert belt.creates() == paid


@pytest.mark.parametrize("dialect", IN_DOUBT, indirect=True)
def test_a_decision_about_one_attempt_does_not_apply_to_the_next(belt: Belt) -> None:
    """`submit again` is about one lost call; the next lost call needs another decision."""
    inject_faults(belt, {**LOST, "times": 2}, GONE)
    run = belt.upload(DATA)
    write_control(belt, run, DECISION, b"submit again")
    run_loop(belt, run, 24 * HOUR)
    assert belt.facts(run, "attempt") == ["batches/1/attempt-1.json", "batches/1/attempt-2.json"]
    assert belt.facts(run, "absent") == ["batches/1/absent-1.json"]
    assert belt.creates() == (2, 2)
    (notice,) = belt.notices
    assert all("batches/1/attempt-2" in command for command in commands(notice)[:-1])


def test_a_revoked_key_is_reported_once_with_the_command_to_replace_it(belt: Belt) -> None:
    """The message comes after six hours; with a valid key the run continues by itself."""
    inject_faults(belt, {"call": "retrieve", "do": {"kind": "answer", "status": 401}, "times": None})
    run = belt.upload(DATA)
    run_loop(belt, run, 5.9 * HOUR)
    assert belt.notices == []
    run_loop(belt, run, 11 * HOUR)
    (notice,) = belt.notices
    assert notice["status"] == "troubled"
    secret = STACK_SETTINGS["API_KEY_SECRET"]
    assert f'aws secretsmanager put-secret-value --secret-id {secret} --secret-string "${{API_KEY:?}}"' in commands(
        notice
    )
    inject_faults(belt)
    check(belt, finish_with_retries(belt, run), DATA)
    assert len(belt.notices) == 1


def stopped(belt: Belt, run: str, creates: tuple[int, int]) -> dict[str, Any]:
    """Run a stopped run to its end, and return its receipt."""
    finish_with_retries(belt, run)
    receipt = belt.receipt(run)
    assert receipt["code"] == "stopped"
    assert belt.creates() == creates
    return receipt


def test_a_stop_before_the_first_call_sends_nothing(belt: Belt) -> None:
    """The planned batch is not created."""
    event = belt.drop(DATA)
    with crash_at(belt.clients, "before", "/attempt-1.json"):
        belt.submit(event)
    (run,) = {key.split("/")[1] for key in belt.stored("runs/")}
    write_control(belt, run, "cancel", STOP)
    assert stopped(belt, run, (0, 0))["status"] == "stopped"
    assert belt.submit(event)["run"] == run
    assert belt.creates() == (0, 0)


def test_a_stop_while_a_batch_runs_keeps_what_is_finished(belt: Belt) -> None:
    """The batch is cancelled at the provider, and the finished results are collected."""
    belt.provider.configure(seconds=None, canceling_seconds=60)
    run = belt.upload(DATA)
    run_loop(belt, run, HOUR)
    write_control(belt, run, "cancel", STOP)
    receipt = stopped(belt, run, (1, 1))
    assert (receipt["status"], receipt["results"], receipt["outcomes"]["canceled"]) == ("stopped", 2, 2)
    assert belt.provider.stats()["batches"][0]["cancel_initiated"] is True


@pytest.mark.parametrize(("fault", "results", "unanswered"), [(LOST, 4, 0), (UNSENT, 0, 1)])
def test_a_stop_while_the_outcome_of_a_call_is_unknown_waits_until_it_is_known(
    belt: Belt, fault: dict[str, Any], results: int, unanswered: int
) -> None:
    """A created batch is found and collected; otherwise the run ends, and the receipt counts an unanswered call."""
    inject_faults(belt, fault)
    run = belt.upload(DATA)
    write_control(belt, run, "cancel", STOP)
    created = 1 if fault is LOST else 0
    receipt = stopped(belt, run, (1, created))
    assert (receipt["status"], receipt["results"], receipt["unanswered"]) == ("stopped", results, unanswered)


@pytest.mark.parametrize("dialect", IN_DOUBT, indirect=True)
def test_a_stop_cancels_a_candidate_batch_only_once_it_is_known_to_be_ours(belt: Belt) -> None:
    """The batch may belong to another run."""
    inject_faults(belt, LOST, seconds=7 * 3600)
    run = belt.upload(DATA)
    write_control(belt, run, "cancel", STOP)
    assert run_loop(belt, run, 6.5 * HOUR)["next"] == "wait"
    assert belt.provider.stats()["batches"][0]["cancel_initiated"] is False
    assert stopped(belt, run, (1, 1))["results"] == 4


def test_a_stop_while_the_drop_is_read_cancels_the_batch_that_is_then_sent(belt: Belt) -> None:
    """Submit does not see the stop while it reads the drop; the next poll does."""
    belt.provider.configure(seconds=None)
    event = belt.drop(DATA)
    states = list[dict[str, Any]]()

    def stop() -> None:
        (run,) = {key.split("/")[1] for key in belt.stored("runs/")}
        write_control(belt, run, "cancel", STOP)
        states.append(belt.poll(run))

    with meanwhile(belt.clients, At("before", "GetObject inbox/", stop)):
        run = belt.submit(event)["run"]
    assert [state["next"] for state in states] == ["wait"]
    receipt = stopped(belt, run, (1, 1))
    assert (receipt["status"], receipt["results"], receipt["outcomes"]["canceled"]) == ("stopped", 2, 2)


def test_a_stop_while_a_crashed_submit_may_still_run_sends_nothing(belt: Belt) -> None:
    """The stop takes effect once that invocation must have ended."""
    event = belt.drop(DATA)
    with crash_at(belt.clients, "before", "GetObject inbox/"):
        belt.submit(event)
    (run,) = {key.split("/")[1] for key in belt.stored("runs/")}
    write_control(belt, run, "cancel", STOP)
    assert run_loop(belt, run, timedelta(seconds=800))["next"] == "wait"
    assert "refused.json" not in belt.facts(run)
    assert stopped(belt, run, (0, 0))["status"] == "stopped"


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_stop_that_races_with_a_create_call_prevents_it(belt: Belt, when: When) -> None:
    """Just before or after the attempt is written, either submit sees the stop, or poll sees the attempt."""
    event = belt.drop(DATA)
    states = list[dict[str, Any]]()

    def stop() -> None:
        (run,) = {key.split("/")[1] for key in belt.stored("runs/")}
        write_control(belt, run, "cancel", STOP)
        states.append(belt.poll(run))

    with meanwhile(belt.clients, At(when, "/attempt-1.json", stop)):
        run = belt.submit(event)["run"]
    assert [state["next"] for state in states] == ["report" if when == "before" else "wait"]
    refused = belt.fact(run, "batches/1/refused-1.json")
    assert (refused["kind"], refused["type"]) == ("stop", "stopped")
    assert stopped(belt, run, (0, 0))["status"] == "stopped"
