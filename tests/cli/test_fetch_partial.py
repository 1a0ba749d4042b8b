"""What can be read of a run before it ends."""

import json
from typing import Any

import pytest

from tests.functions.rounds.test_merging import fail, mend
from tests.support.belt import Belt, drop_of
from tests.support.command import Command
from tests.support.fetched import files_in
from tests.support.memory_aws.served import Served
from tests.support.settings import STACK_SETTINGS

OVERLOADED = "errored:overloaded_error"
FILES = {"partial.json", "results.partial.jsonl", "failures.partial.jsonl"}


@pytest.fixture
def stack_settings() -> dict[str, str]:
    """Return the settings of a stack with small batches and a round."""
    return STACK_SETTINGS | {
        "MAX_REQUESTS_PER_BATCH": "3",
        "RETRY_ROUNDS": "1",
        "POLL_MIN_SECONDS": "600",
        "POLL_MAX_SECONDS": "600",
    }


def sent(belt: Belt) -> str:
    """Drop eight requests, and send the three batches of them; return the run."""
    run = belt.upload(drop_of(8))
    for _ in range(2):
        belt.submit({"run": run})
    belt.poll(run)
    return run


def partial(desk: Command) -> tuple[dict[str, Any], dict[str, list[str]]]:
    """Fetch the parts; return what the command says, and the ids in each file."""
    ran = desk.call("fetch", "three", "--partial", "--json")
    assert (ran.exit, ran.error) == (0, "")
    files = files_in(desk.home / "three")
    ids = {
        name: [json.loads(line)["custom_id"] for line in files[name].splitlines()] for name in FILES if "l" in name[-1]
    }
    return json.loads(ran.out), ids


def test_parts_are_joined_in_the_order_of_the_drop(desk: Command, belt: Belt, aws: Served) -> None:
    """Later only new ones are fetched, also one that belongs before those that are there."""
    belt.provider.configure(outcomes={"2": "errored:invalid_request_error"})
    run = sent(belt)
    belt.split(run, 3)
    said, ids = partial(desk)
    assert ids == {"results.partial.jsonl": ["r-7"], "failures.partial.jsonl": ["r-8"]}
    assert (said["partial"]["missing"], said["partial"]["there"], said["partial"]["requests"]) == ([1, 2], 2, 8)
    assert said["partial"]["batches"] == [{"batch": 3, "results": 1, "failures": 1, "again": 0}]
    belt.split(run, 1)
    aws.reset()
    said, ids = partial(desk)
    assert ids == {"results.partial.jsonl": ["r-1", "r-3", "r-7"], "failures.partial.jsonl": ["r-2", "r-8"]}
    assert (said["partial"]["new_parts"], aws.asked["HEAD"]) == (2, 2)
    assert {file["file"]: file["verified"] for file in said["files"]} == {
        "results.partial.jsonl": True, "failures.partial.jsonl": True,
    }  # fmt: skip
    account = json.loads(files_in(desk.home / "three")["partial.json"])
    assert (account["run"], account["missing"]) == (run, [2])


def test_what_a_round_may_change_is_said_and_then_replaced(desk: Command, belt: Belt) -> None:
    """A person must not take these failures for the last word."""
    run = fail(belt, drop_of(8), {"1": OVERLOADED, "2": "canceled"})
    ran = desk.call("fetch", "three", "--partial")
    assert ran.exit == 0
    assert ran.out.splitlines()[:3] == [
        "► 8 of 8 requests in three/, checksums match",
        "  3 of 3 batches so far, 6 parts new. The run has not ended.",
        "  3 of 6 failures go again in a round, and may become results.",
    ]
    assert ran.out.endswith("    conveyor fetch three --partial\n")
    mend(belt, run)
    ran = desk.call("fetch", "three", "--partial")
    assert ran.out.startswith("✓ 5 files in three/, ")
    files = files_in(desk.home / "three")
    assert FILES | {"results.jsonl", "failures.jsonl", "retry.jsonl", "receipt.json"} <= files.keys()
    assert len(files["results.jsonl"].splitlines()) == 5


def test_a_run_that_has_not_ended_names_the_command(desk: Command, belt: Belt) -> None:
    """With the folder that was named."""
    run = sent(belt)
    belt.split(run, 1)
    ran = desk.call("fetch", "three", "--to", "my files")
    assert (ran.exit, ran.out) == (2, "")
    assert ran.error == (
        "✗ three has not ended: 1 of 3 batches done\n"
        "  Its files appear at its end. 3 of 8 requests can be read before:\n"
        "    conveyor fetch three --to 'my files' --partial\n"
    )


def test_missing_batches_are_named_as_ranges(desk: Command, belt: Belt) -> None:
    """A drop may have thousands."""
    run = sent(belt)
    belt.split(run, 1)
    ran = desk.call("fetch", "three", "--partial")
    assert "  Missing: batches 2 to 3.\n" in ran.out


def test_the_parts_of_another_run_are_not_mixed(desk: Command, belt: Belt) -> None:
    """A folder is of one run."""
    first = sent(belt)
    belt.split(first, 1)
    desk.call("fetch", "three", "--partial")
    second = belt.upload(drop_of(7), "inbox/other.jsonl")
    belt.poll(second)
    belt.split(second, 1)
    ran = desk.call("fetch", "other", "--partial", "--to", "three")
    assert (ran.exit, ran.error.splitlines()[0]) == (2, f"✗ three has the files of another run, {first}")
