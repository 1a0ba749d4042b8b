"""Runs that wait for a person, on the deployed stack: the commands are typed as the messages print them.

Tested in one dialect: gates are the same in both.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.belt import drop_of, request
from tests.support.system.runs import LOW_LIMITS, WAITING, LiveRun, commands, dropped
from tests.system.test_drops import creates, invoke

if TYPE_CHECKING:
    from local.stack.messages import Message
    from local.stack.stack import Stack

pytestmark = pytest.mark.parametrize("stack", ["messages"], indirect=True)
DATA = drop_of(3)
HELD = {"hold": "always"}
HOLD_MINUTES = 72 * 60
ONE_BATCH = int(LOW_LIMITS["max-requests-per-batch"])


def held(stack: Stack, name: str, data: bytes = DATA, metadata: dict[str, str] | None = None) -> LiveRun:
    """Drop a file, which waits unless it has other metadata, and return its run."""
    return dropped(stack, f"inbox/gates/{name}.jsonl", data, HELD if metadata is None else metadata)


def answer(run: LiveRun, words: str) -> Message:
    """Write an approval that opens nothing, and wait for the message that answers it."""
    before = len(run.messages())
    run.write_control("approve-1", words)
    return run.wait(lambda: next(iter(run.messages()[before:]), None), f"answer to {words}")


def test_a_repeated_upload_event_at_a_closed_gate_pays_nothing_and_the_typed_command_opens_it(stack: Stack) -> None:
    """A1: one call is paid, after the approval."""
    before = creates(stack)
    run = held(stack, "approved")
    message = run.message(WAITING)
    stored = {"key": "inbox/gates/approved.jsonl", "size": 1, "version-id": run.fact("run.json")["drop"]["version"]}
    for _ in range(2):
        event = {"detail": {"bucket": {"name": stack.bucket}, "object": stored}}
        assert invoke(stack, event)["run"] == run.run
    assert (creates(stack), run.has("batches/1/attempt-1.json")) == (before, False)
    approve, _ = commands(message)
    run.execute(approve)
    receipt = run.receipt()
    assert (receipt["status"], receipt["results"], receipt["gates"][0]["how"]) == ("completed", 3, "approved")
    assert run.statuses() == [WAITING, "completed"]
    assert creates(stack) == before + 1


def test_an_unclear_approval_and_one_for_less_are_answered_at_once_and_then_the_run_is_approved(stack: Stack) -> None:
    """Each is answered once, and pays nothing."""
    before = creates(stack)
    run = held(stack, "answered")
    run.message(WAITING)
    unclear = answer(run, "up-to 61,40")
    assert '"61,40" has a comma: write US dollars as 1234.50' in " ".join(unclear.text.split())
    less = answer(run, "up-to 0.000001")
    assert "it allows $0.000001, and it must allow at least $0.0" in " ".join(less.text.split())
    assert creates(stack) == before
    approve, _ = commands(less)
    run.execute(approve)
    assert run.receipt()["status"] == "completed"
    assert run.statuses() == [WAITING] * 3 + ["completed"]
    assert creates(stack) == before + 1


def test_a_run_is_declined_by_the_clock(stack: Stack) -> None:
    """It has its receipt and its message, and nothing was paid."""
    before = creates(stack)
    run = held(stack, "declined")
    run.message(WAITING)
    run.backdate("gate-1.json", HOLD_MINUTES)
    receipt = run.receipt()
    assert (receipt["status"], receipt["not_run"], receipt["gates"][0]["how"]) == ("declined", 3, "declined")
    assert run.messages()[-1].status == "declined"
    assert creates(stack) == before


def test_a_run_is_stopped_at_its_gate_by_the_typed_command(stack: Stack) -> None:
    """An approval that is written beside it does not help."""
    before = creates(stack)
    run = held(stack, "stopped")
    _, stop = commands(run.message(WAITING))
    run.execute(stop)
    receipt = run.receipt()
    run.write_control("approve-1", "approve")
    assert (receipt["status"], receipt["gates"][0]["how"]) == ("stopped", "stopped")
    assert run.statuses() == [WAITING, "stopped"]
    assert creates(stack) == before


def test_a_run_is_paused_between_two_batches_and_resumed_by_the_typed_command(stack: Stack) -> None:
    """What was sent is split meanwhile."""
    stack.provider_settings({"seconds": None})
    before = creates(stack)
    data = b"".join(request(f"r-{number}", max_tokens=1) + b"\n" for number in range(2 * ONE_BATCH + 1))
    run = held(stack, "paused", data, {})
    run.fact("batches/2/batch-1.json")
    run.write_control("pause", "")
    approve, _ = commands(run.message(WAITING))
    stack.provider_settings({"seconds": 0})
    for number in (1, 2):
        run.fact(f"batches/{number}/part.json")
    assert (creates(stack), run.has("batches/3/attempt-1.json")) == (before + 2, False)
    run.execute(approve)
    receipt = run.receipt()
    assert (receipt["status"], receipt["results"]) == ("completed", 2 * ONE_BATCH + 1)
    assert [gate["how"] for gate in receipt["gates"]] == ["approved"]
    assert run.statuses() == [WAITING, "completed"]
    assert creates(stack) == before + 3


def test_a_dry_run_sends_nothing_and_the_real_drop_is_not_seen_before(stack: Stack) -> None:
    """A31: it claims no content."""
    before = creates(stack)
    dry = held(stack, "dry", metadata={"dry-run": "yes"})
    receipt = dry.receipt()
    assert (receipt["status"], creates(stack)) == ("estimated", before)
    assert receipt["estimate"]["at_most_usd"] > 0
    assert held(stack, "dry", metadata={}).receipt()["status"] == "completed"
    assert creates(stack) == before + 1
