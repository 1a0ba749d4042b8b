"""Faults and actions that the named histories share."""

import re
import shlex
from datetime import timedelta
from functools import partial
from typing import Any

from conveyor.domain.drop import nonce
from tests.support.belt import MAX_POLLS, Belt, request
from tests.support.faults.history import Ending, with_retries

LOST = {"call": "create", "do": {"kind": "lose", "when": "after"}}
"""The batch is created, and the response is lost."""
UNSENT = {"call": "create", "do": {"kind": "lose", "when": "before"}}
"""No batch is created, and there is no response."""
UNREADABLE = {"call": "results", "do": {"kind": "answer", "status": 404}, "times": None}
GONE = {"call": "results", "do": {"kind": "archive"}, "times": None}
HOUR = timedelta(hours=1)
STOP = b"stop\n"


def inject_faults(belt: Belt, *faults: dict[str, Any], **settings: Any) -> None:
    """Replace the provider's faults with these, and change its settings."""
    belt.provider.configure(faults=list(faults), **settings)


def finish_with_retries(belt: Belt, run: str) -> Ending:
    """Run the loop to the final message, retrying functions as the state machine does."""
    notice = belt.finish(run, partial(with_retries, belt))
    return Ending(run, notice, *belt.creates())


def run_loop(belt: Belt, run: str, longest: timedelta) -> dict[str, Any]:
    """Run the loop until there is something to split or report, or time is up; return the last state."""
    end = belt.moment + longest
    for _ in range(MAX_POLLS):
        state = belt.poll(run)
        if state["next"] in {"split", "report"} or belt.moment >= end:
            return state
        if state["next"] == "submit":
            state = belt.submit({"run": run})
        belt.pass_time(min(state["wait_seconds"], (end - belt.moment).total_seconds()))
    raise AssertionError(f"more than {MAX_POLLS} polls in {longest}")


def large_drop() -> bytes:
    """Write a drop of nine 1 MB lines, which is read in two ranges."""
    return b"".join(request(f"r-{number}", system="x" * 1_000_000) + b"\n" for number in range(1, 10))


def batch_of(belt: Belt, run: str) -> str:
    """Return the provider's id of the run's batch, and check that it has this run's requests."""
    fact = belt.fact(run, "batches/1/batch-1.json")
    (made,) = [batch for batch in belt.provider.stats()["batches"] if batch["id"] == fact["id"]]
    assert made["first_custom_id"].startswith(nonce(run))
    batch_id: str = fact["id"]
    return batch_id


def write_control(belt: Belt, run: str, name: str, text: bytes) -> None:
    """Write an operator's decision under `control/`."""
    belt.s3.put_object(Bucket=belt.bucket, Key=f"control/{run}/{name}", Body=text)


def commands(notice: dict[str, Any]) -> list[str]:
    """Return the commands in a message that need no `conveyor`: commands are indented by four spaces."""
    lines = [line for line in notice["message"].splitlines() if line.startswith("    ") and line[4] != " "]
    return [line.strip() for line in lines if not line.startswith("    conveyor ")]


def run_command(belt: Belt, command: str) -> None:
    """Do what the command `echo … | aws s3 cp - s3://…` does."""
    said, pipe, stored = re.split(r" (\|) ", command)
    echo, words = shlex.split(said)
    *copy, url = shlex.split(stored)
    assert (echo, pipe, copy) == ("echo", "|", ["aws", "s3", "cp", "-"])
    bucket, key = url.removeprefix("s3://").split("/", 1)
    belt.s3.put_object(Bucket=bucket, Key=key, Body=f"{words}\n".encode())
