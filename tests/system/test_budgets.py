"""Projects that share the provider's queue, on the deployed stack."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from tests.support.belt import request
from tests.support.system.runs import LOW_LIMITS, LiveRun, dropped

if TYPE_CHECKING:
    from local.stack.stack import Stack

ONE_BATCH = int(LOW_LIMITS["MaxRequestsPerBatch"])
ROOM = int(LOW_LIMITS["MaxQueuedRequests"]) // ONE_BATCH
"""Batches that the queue takes."""
FLOOD = 8
LONG = 900.0
"""Timeout in seconds; the test takes a minute on a busy machine."""


def drop_of_one_batch(stack: Stack, name: str, project: str) -> LiveRun:
    """Drop as many requests as one batch takes."""
    lines = b"".join(request(f"{name}-{number}", max_tokens=1) + b"\n" for number in range(ONE_BATCH))
    return dropped(stack, f"inbox/turns/{name}.jsonl", lines, {"project": project, "probe": "no"})


def waiting(stack: Stack, runs: list[LiveRun]) -> set[str]:
    """Return which runs have said that they wait."""
    marks = stack.keys("claims/waiting/")
    return {run.run for run in runs if any(f"-{run.run}@" in mark for mark in marks)}


@pytest.mark.parametrize("stack", ["messages"], indirect=True)
def test_two_projects_of_which_one_is_flooded_take_turns(stack: Stack) -> None:
    """The last drop of nine is sent before the flood that came first, as the provider's own record shows.

    Tested in one dialect: the list of batches and the claims are the same in both.
    """
    stack.provider_settings({"seconds": None})
    before = stack.provider_stats()
    flood = [drop_of_one_batch(stack, f"flood-{number}", "team-a") for number in range(FLOOD)]
    stack.wait_for(lambda: len(waiting(stack, flood)) >= FLOOD - ROOM or None, LONG, "flood that waits")
    time.sleep(1)  # runs are ordered by seconds
    small = drop_of_one_batch(stack, "small", "team-b")
    stack.wait_for(lambda: waiting(stack, [small]) or None, LONG, "small drop that waits")
    created = stack.provider_stats()["created"]
    assert created >= before["created"] + ROOM
    stack.provider_settings({"seconds": 1})
    assert {run.ended(LONG) for run in (small, *flood)} == {"SUCCEEDED"}
    batches = [batch["id"] for batch in stack.provider_stats()["batches"]]
    assert len(batches) - len(before["batches"]) == FLOOD + 1, "not every drop was paid once"
    assert batches.index(small.fact("batches/1/batch-1.json")["id"]) <= created + ROOM, "it waited for the flood"
