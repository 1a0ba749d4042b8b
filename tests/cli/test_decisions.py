"""What a person decides: approve, pause and stop, and what that writes."""

import json
import re

import pytest

from tests.support.belt import Belt, drop_of, request
from tests.support.command import Command
from tests.support.faults.scenes import inject_faults
from tests.support.gates import DEAR, HELD, pause, say
from tests.support.memory_aws.served import Served

NAME = "inbox/support/labels.jsonl"
YES = ("--yes", "--up-to", "5")


def written(belt: Belt) -> dict[str, bytes]:
    """Return what people have written."""
    return {key: belt.read(key) for key in belt.stored("control/")}


@pytest.mark.slow
def test_an_approval_shows_its_price_and_asks_for_the_word(desk: Command, belt: Belt) -> None:
    """Then the run goes on, with the amount that was shown."""
    run = belt.upload(DEAR, NAME, HELD)
    belt.poll(run)
    refused = desk.call_in_terminal("approve", "labels", typed="y\n")
    assert (refused.exit, written(belt)) == (2, {})
    ran = desk.in_terminal("approve", "labels", typed="approve\n")
    assert ran.exit == 0
    lines = ran.plain.splitlines()
    assert lines[0] == "‖ support/labels: waiting for approval"
    assert lines[1].startswith("  It may cost up to $")
    assert "asks for" in lines[2]
    amount = lines[1].partition("$")[2].rstrip(".")
    assert [line for line in lines if line.startswith("  you allow") and f"${amount}" in line]
    assert written(belt) == {f"control/default/{run}/approve-1": f"up-to {amount}\n".encode()}
    assert belt.finish(run)["status"] == "completed"


def test_an_approval_of_a_program_names_the_amount(desk: Command, belt: Belt) -> None:
    """Nobody is asked, so nobody may approve a price that they did not see."""
    run = belt.upload(DEAR, NAME, HELD)
    ran = desk.call("approve", run, "--yes")
    assert ran.error.startswith("✗ Without a question, --up-to or --no-limit must say")
    assert re.search(rf"^    conveyor approve {run} --yes --up-to \d+\.\d\d$", ran.error, re.MULTILINE)
    assert desk.call("approve", run, "--up-to", "5").error.startswith("✗ approve needs a terminal, or --yes\n")
    assert not written(belt)
    ran = desk.call("approve", run, *YES, "--json")
    assert json.loads(ran.out) == {"v": 1, "run": run, "done": "approve", "words": "up-to 5"}
    assert written(belt) == {f"control/default/{run}/approve-1": b"up-to 5\n"}


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("--up-to", "0.01"), "✗ This approval would open nothing: it allows $0.01, and it must allow at least $"),
        (("--up-to", "5,00"), '✗ --up-to: "5,00" has a comma: write US dollars as 1234.50\n'),
        (("--up-to", "5", "--no-limit"), "✗ --up-to and --no-limit exclude each other\n"),
        (("--up-to", "", "--no-limit"), "✗ --up-to: the value is no amount"),
        (("--up-to", ""), "✗ --up-to: the value is no amount: write US dollars as 1234.50\n"),
        (("--up-to", "5 any-model"), "✗ --up-to: the value is no amount"),
        (("--up-to", "1e3"), "✗ --up-to: the value is no amount"),
        (("--up-to", "nan"), "✗ --up-to: the value is no amount"),
        (("--up-to", "-5"), '✗ --up-to: "-5" is no amount'),
    ],
)
def test_an_approval_that_opens_nothing_is_not_written(
    desk: Command, belt: Belt, options: tuple[str, ...], told: str
) -> None:
    """It says why, with the words of the core, and quotes no word that may be a key."""
    ran = desk.call("approve", belt.upload(DEAR, NAME, HELD), "--yes", *options)
    assert (ran.exit, ran.out, written(belt)) == (2, "", {})
    assert ran.error.startswith(told)


def test_nobody_approves_a_price_that_json_does_not_show(desk: Command, belt: Belt) -> None:
    """A question would come without what it is about; and an amount that is empty is none."""
    belt.upload(DEAR, NAME, HELD)
    ran = desk.call_in_terminal("approve", "labels", "--json", typed="approve\n")
    assert (ran.exit, json.loads(ran.out)["error"]["code"], written(belt)) == (2, "no-amount", {})
    ran = desk.call_in_terminal("approve", "labels", "--up-to", "", typed="approve\n")
    assert (ran.exit, written(belt)) == (2, {})


@pytest.mark.parametrize("decides", ["approve", "stop"])
def test_what_was_shown_is_what_is_decided(desk: Command, belt: Belt, aws: Served, decides: str) -> None:
    """If the run waits at another gate by then, or has ended, nothing is written."""
    run = belt.upload(DEAR, NAME, HELD)
    belt.poll(run)
    aws.asked.clear()
    desk.call_in_terminal(decides, "labels", typed="no\n")
    left = [aws.asked["LIST"]]

    def goes_on() -> None:
        left[0] -= 1
        if left[0] == -1 and decides == "approve":
            say(belt, run, "up-to 5")
            belt.poll(run)
            pause(belt, run)
            belt.poll(run)
        elif left[0] == -1:
            say(belt, run, "no-limit")
            belt.finish(run)

    aws.reactions["LIST"] = goes_on
    before = written(belt)
    ran = desk.call_in_terminal(decides, "labels", typed=f"{decides}\n")
    assert ran.exit == 2, ran.out
    told = "✗ support/labels has changed since it was shown" if decides == "approve" else "✗ support/labels has ended"
    assert told in ran.plain
    assert not {key for key in written(belt).keys() - before.keys() if key.startswith("control/default/")}


def test_a_bound_is_never_shown_lower_than_what_may_be_paid(desk: Command, belt: Belt) -> None:
    """Cents are rounded up: what may cost $0.0009 costs not $0.00."""
    run = belt.upload(drop_of(4), NAME, HELD)
    ran = desk.call("watch", run)
    assert (ran.exit, "validated 4 requests, at most $0.01" in ran.error) == (4, True), ran.error
    assert "you allow     $5.01" in desk.call("approve", run, "--yes", "--up-to", "5.001").out


def test_any_amount_and_a_pause(desk: Command, belt: Belt) -> None:
    """After a pause the amount in force stays, so none is named."""
    run = belt.upload(DEAR, NAME, HELD)
    assert desk.call("approve", run, "--yes", "--no-limit").exit == 0
    pause(belt, run)
    belt.poll(run)
    assert desk.call("approve", run, "--yes").out.splitlines()[-2] == "✓ Approved: approve"
    assert written(belt)[f"control/default/{run}/approve-1"] == b"no-limit\n"
    assert written(belt)[f"control/default/{run}/approve-2"] == b"approve\n"


def test_the_control_of_a_project_is_under_its_name(desk: Command, belt: Belt) -> None:
    """There IAM can grant it by project."""
    run = belt.upload(drop_of(3), "inbox/three.jsonl", {"project": "legal", **HELD})
    desk.call("stop", "three", "--yes")
    assert written(belt) == {f"control/legal/{run}/cancel": b"stop\n"}


def test_a_run_that_waits_for_nothing_is_not_approved(desk: Command, belt: Belt) -> None:
    """Its state is said instead."""
    belt.upload(drop_of(3), NAME)
    ran = desk.call("approve", "labels", *YES)
    assert (ran.exit, ran.out) == (2, "")
    assert ran.error.startswith("✗ support/labels waits for no approval; it is with the provider\n")


def test_a_stop_shows_what_becomes_of_the_requests(desk: Command, belt: Belt) -> None:
    """The run then ends as stopped."""
    run = belt.upload(drop_of(3), NAME)
    ran = desk.call("stop", "labels", "--yes")
    assert ran.out == (
        "► support/labels: with the provider\n\n"
        "  with the provider  3  requests: canceled; what is finished is charged\n"
        "  not sent           0  requests: stay unsent\n"
        "  done               0  requests: are kept\n\n"
        "✓ Stop requested\n"
        "  It takes effect at the next look, within a few minutes.\n"
    )
    assert written(belt) == {f"control/default/{run}/cancel": b"stop\n"}
    assert belt.finish(run)["status"] == "stopped"
    assert desk.call("stop", "labels", "--yes").error.startswith("✗ support/labels has ended: stopped\n")


@pytest.mark.parametrize("word", ["stop", "pause"])
def test_requests_whose_call_was_lost_are_not_said_to_be_unsent(desk: Command, belt: Belt, word: str) -> None:
    """They may be with the provider, and charged."""
    inject_faults(belt, {"call": "create", "do": {"kind": "lose", "when": "after"}})
    belt.upload(drop_of(3), NAME)
    said = desk.call(word, "labels", "--yes").out
    assert re.search(r"unknown +3  requests: may be with the provider, and charged", said)
    assert re.search("not sent +0  ", said)


def test_a_pause_names_the_command_that_ends_it(desk: Command, belt: Belt) -> None:
    """A run that waits already is not paused."""
    run = belt.upload(drop_of(3), NAME)
    ran = desk.call("pause", "support/labels", "--yes")
    assert ran.out.endswith("    conveyor approve support/labels --yes\n")
    assert written(belt) == {f"control/default/{run}/pause": b"pause\n"}
    held = belt.upload(drop_of(3), "inbox/held.jsonl", HELD)
    assert desk.call("pause", held, "--yes").error.startswith("✗ held is waiting for approval already\n")


def test_a_name_means_its_newest_run(desk: Command, belt: Belt) -> None:
    """The id of an older one is always accepted."""
    old = belt.upload(request("a") + b"\n", NAME)
    new = belt.upload(request("b") + b"\n", NAME)
    older, newest = sorted((old, new))
    assert json.loads(desk.call("stop", "labels", "--yes", "--json").out)["run"] == newest
    assert json.loads(desk.call("stop", older, "--yes", "--json").out)["run"] == older


def test_a_name_that_does_not_exist(desk: Command, belt: Belt) -> None:
    """A likely one is named."""
    belt.upload(drop_of(3), NAME)
    ran = desk.call("stop", "labls", "--yes")
    assert (ran.exit, ran.out) == (2, "")
    assert ran.error.startswith('✗ No run "labls"; did you mean "labels"?\n')
    assert desk.call("stop", "20261130T001253Z-3cb302623e0f", "--yes").exit == 2
