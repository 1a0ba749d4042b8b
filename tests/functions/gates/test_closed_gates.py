"""What goes on at a closed gate, how long it stands, and what a person hears of it."""

import gzip
from typing import Any

import pytest
from botocore.exceptions import ClientError

from conveyor.poll.poll import poll
from tests.support.belt import FIRST, Belt, drop_of, request
from tests.support.faults.scenes import LOST, UNSENT, commands, inject_faults, run_command
from tests.support.faults.taps import At, tapped
from tests.support.gates import HELD, HOUR, message, pause, say
from tests.support.promises import check, plain
from tests.support.settings import tune

DATA = drop_of(3)
WAITING = "waiting-for-approval"


@pytest.fixture
def stack_settings(stack_settings: dict[str, str]) -> dict[str, str]:
    """Set one request per batch."""
    return stack_settings | {"MAX_REQUESTS_PER_BATCH": "1"}


def pass_hours(belt: Belt, run: str, hours: int) -> None:
    """Let hours pass at a gate, and split what has ended."""
    for _ in range(hours):
        state = belt.poll(run)
        assert state["next"] in {"wait", "notify", "split"}, "a closed gate leads to no paid call"
        for number in state["batches"]:
            belt.split(run, number)
        belt.pass_time(HOUR)


def test_a23_what_was_sent_is_split_at_a_closed_gate(belt: Belt) -> None:
    """A23: results are kept for 29 days, and a person may pause for longer."""
    run = belt.upload(DATA)
    pause(belt, run)
    pass_hours(belt, run, 5)
    assert "batches/1/part.json" in belt.facts(run)
    assert belt.creates() == (1, 1)


@pytest.mark.parametrize(("fault", "found"), [(LOST, "batch-1"), (UNSENT, "absent-1")])
def test_a23_a_lost_answer_is_looked_for_at_a_closed_gate(belt: Belt, fault: dict[str, Any], found: str) -> None:
    """A23: and what was not created is not sent before the gate is open."""
    inject_faults(belt, fault)
    run = belt.upload(DATA)
    pause(belt, run)
    pass_hours(belt, run, 12)
    assert belt.facts(run, found) == [f"batches/1/{found}.json"]
    assert belt.creates()[0] == 1
    say(belt, run, "approve", gate=2)
    check(belt, run, belt.finish(run), DATA)


def test_a23_a_cancel_is_repeated_at_a_closed_gate(belt: Belt) -> None:
    """A23: the first request may have been lost."""
    belt.provider.configure(seconds=None, expire=False, canceling_seconds=4 * HOUR)
    run = belt.upload(DATA)
    pause(belt, run)
    pass_hours(belt, run, 30)
    assert belt.provider.stats()["calls"]["cancel"] > 1
    assert belt.creates() == (1, 1)


def test_a19_every_closed_gate_ends(belt: Belt) -> None:
    """A19: one for money and one for a pause, each after HoldHours of its own."""
    run = belt.upload(DATA, metadata=HELD)
    pass_hours(belt, run, 50)
    say(belt, run, "approve")
    pause(belt, run)
    pass_hours(belt, run, 71)
    assert "refused.json" not in belt.facts(run)
    assert belt.finish(run)["status"] == "declined"
    assert [gate["how"] for gate in belt.receipt(run)["gates"]] == ["approved", "declined"]


def test_a28_a_message_comes_once_however_many_polls_and_executions_a_gate_lasts(
    belt: Belt, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A28: the state passes on what was said, also into a new execution."""
    tune(monkeypatch, max_events=60)
    end = belt.finish(belt.upload(DATA, metadata=HELD))
    assert end["status"] == "declined"
    assert belt.steps.count("continue") > 5
    assert [notice["status"] for notice in belt.notices] == [WAITING] * 3


def test_a28_an_execution_that_cannot_remember_its_messages_hands_the_run_to_one_that_tells(belt: Belt) -> None:
    """A28: one of an earlier version passes on no gate; it would tell each 300 seconds, or never."""
    run = belt.upload(DATA, metadata=HELD)
    old = {name: value for name, value in FIRST.items() if name != "gate"}
    state = poll({"run": run} | old, belt.clients, belt.invocation())
    assert (state["next"], state["execution"]["number"]) == ("continue", 2)
    kept = {name: state[name] for name in ("run", "wait_seconds", *old)}
    belt.submit({"run": run, "continue": kept})
    belt.go_on(run, 2)
    assert message(belt, run)["status"] == WAITING


def test_each_gate_is_told_although_the_state_is_lost(belt: Belt) -> None:
    """After a failed execution a person starts another, with the first state: better told twice than never."""
    run = belt.upload(DATA, metadata=HELD)
    message(belt, run)
    state = poll({"run": run} | FIRST, belt.clients, belt.invocation())
    assert (state["next"], state["notice"]["status"]) == ("notify", WAITING)
    say(belt, run, "approve")
    pause(belt, run)
    assert "approve-2" in message(belt, run)["message"]


def test_a27_a_run_that_waits_is_not_called_undecided(belt: Belt) -> None:
    """A27: whether a call created a batch is another question, with other commands."""
    run = belt.upload(DATA, metadata=HELD)
    notice = message(belt, run)
    assert notice["status"] == WAITING
    assert notice["subject"].startswith("Conveyor: held three (3 requests, up to $")
    assert "adopt" not in notice["message"]


def test_a18_a_drop_is_held_for_what_was_asked_only(belt: Belt) -> None:
    """A18: a nightly job with one token for each answer ends as ever, beside one that asks to be held."""
    held = belt.upload(drop_of(1), "inbox/held.jsonl", HELD)
    short = b"".join(request(f"r-{number}", max_tokens=1) + b"\n" for number in range(3))
    assert belt.finish(belt.upload(short, "inbox/short.jsonl"))["status"] == "completed"
    assert belt.poll(held)["next"] == "notify"
    assert [notice["run"] for notice in belt.notices] == [held]


@pytest.mark.parametrize(("limit", "holds"), [("0", False), ("0.0001", True), ("1000", False)])
def test_hold_above_usd_is_compared_with_at_most(
    belt: Belt, monkeypatch: pytest.MonkeyPatch, limit: str, *, holds: bool
) -> None:
    """The message names the limit and its parameter."""
    monkeypatch.setenv("CONVEYOR_HOLD_ABOVE_USD", limit)
    run = belt.upload(DATA)
    assert belt.creates() == ((0, 0) if holds else (1, 1))
    if holds:
        assert "the stack sends up to $0.01 without an approval (HoldAboveUsd)" in plain(message(belt, run)["message"])


def test_a34_a_drop_without_a_bound_is_above_every_limit(belt: Belt, monkeypatch: pytest.MonkeyPatch) -> None:
    """A34: no figure is shown for what may cost anything, and only a person who says so lets it pay."""
    monkeypatch.setenv("CONVEYOR_HOLD_ABOVE_USD", "1000000")
    image = {"type": "image", "source": {"type": "url", "url": "https://example.com/a.png"}}
    data = request("r-1", messages=[{"role": "user", "content": [image]}]) + b"\n"
    run = belt.upload(data)
    notice = message(belt, run)
    assert "no bound (1 request with URLs)" in plain(notice["message"])
    assert "echo no-limit |" in commands(notice)[0]
    run_command(belt, commands(notice)[0])
    check(belt, run, belt.finish(run), data)


def test_a37_an_approval_counts_under_the_run_and_under_its_project(belt: Belt) -> None:
    """A37: only the second can be granted by project; another project's does not count."""
    metadata = HELD | {"project": "team"}
    for project in ("", "team"):
        run = belt.upload(DATA, f"inbox/{project or 'run'}.jsonl", metadata)
        assert f"control/team/{run}/approve-1" in message(belt, run)["message"]
        say(belt, run, "approve", project="other")
        assert belt.poll(run)["next"] == "wait"
        say(belt, run, "approve", project=project)
        assert belt.finish(run)["status"] == "completed"


def test_a37_two_people_who_contradict_each_other_are_told_so(belt: Belt) -> None:
    """None of them is followed; once they agree, the run goes on."""
    run = belt.upload(DATA, metadata=HELD | {"project": "team"})
    message(belt, run)
    say(belt, run, "approve")
    say(belt, run, "up-to 1000", project="team")
    notice = message(belt, run)
    keys = f"control/{run}/approve-1 and control/team/{run}/approve-1"
    assert f"{keys} say different things" in plain(notice["message"])
    assert belt.creates() == (0, 0)
    say(belt, run, "approve", project="team")
    assert belt.finish(run)["status"] == "completed"


def test_a_compressed_drop_is_held_and_sent_like_any_other(belt: Belt) -> None:
    """What was unpacked while it was checked is still there when it is approved."""
    run = belt.upload(gzip.compress(DATA), "inbox/packed.jsonl.gz", HELD)
    pass_hours(belt, run, 30)
    run_command(belt, commands(belt.notices[0])[0])
    check(belt, run, belt.finish(run), DATA)


def test_lines_that_are_left_out_are_not_counted_in_what_waits(belt: Belt) -> None:
    """They cost nothing."""
    run = belt.upload(DATA + b"nonsense\n", metadata=HELD | {"on-invalid": "skip"})
    notice = message(belt, run)
    assert "(3 requests, up to $" in notice["subject"]
    run_command(belt, commands(notice)[0])
    end = belt.finish(run)
    assert (end["status"], end["results"], end["failures"]) == ("completed", 3, 1)


def test_an_approval_that_cannot_be_read_is_answered(belt: Belt) -> None:
    """It may be encrypted with a key that the stack may not use: the run must not fail for that."""
    run = belt.upload(DATA, metadata=HELD)
    message(belt, run)
    say(belt, run, "approve")

    def refuse() -> None:
        answer: Any = {"Error": {"Code": "AccessDenied"}, "ResponseMetadata": {"HTTPStatusCode": 403}}
        raise ClientError(answer, "GetObject")

    with tapped(belt.clients, At("before", f"GetObject control/{run}/approve-1", refuse)):
        assert "cannot be read (HTTP 403 AccessDenied)" in plain(message(belt, run)["message"])
    assert belt.finish(run)["status"] == "completed"
