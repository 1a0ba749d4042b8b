"""What projects may spend in a day, and how they share the provider's queue, on the deployed stack.

Days are short here. Tested in one dialect: the log of a day, the list of batches and the claims are the same in both.
"""

from __future__ import annotations

import json
import time
from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING

import pytest

from tests.support.belt import request
from tests.support.budgets import claims_by_day
from tests.support.system.runs import DAY_SECONDS, LOW_LIMITS, WAITING, LiveRun, dropped

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conveyor.spend.claim import Claim
    from local.stack.stack import Stack

pytestmark = pytest.mark.parametrize("stack", ["messages"], indirect=True)
ONE_BATCH = int(LOW_LIMITS["max-requests-per-batch"])
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


def test_two_projects_of_which_one_is_flooded_take_turns(stack: Stack) -> None:
    """The last drop of nine is sent before the flood that came first, as the provider's own record shows."""
    stack.provider_settings({"seconds": None})
    before = stack.provider_stats()
    flood = [drop_of_one_batch(stack, f"flood-{number}", "team-a") for number in range(FLOOD)]

    def waits_or_is_sent() -> bool | None:
        """Whether all do; drops that look at the queue at the same moment may be more than it has room for."""
        return len(waiting(stack, flood)) + stack.provider_stats()["created"] - before["created"] >= FLOOD or None

    stack.wait_for(waits_or_is_sent, LONG, "flood that waits")
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


BUDGETS = "config/budgets.json"
MOST = Decimal("0.160064")
"""What a request of `costly` may cost. It costs far less than a cent."""


@pytest.fixture
def budgets(stack: Stack) -> Iterator[None]:
    """Remove the limits after a test."""
    yield
    stack.s3.delete_object(Bucket=stack.bucket, Key=BUDGETS)


def set_budgets(stack: Stack, project: str, usd_per_day: str) -> None:
    """Write what a project may spend in a day."""
    content = json.dumps({"projects": {project: {"usd_per_day": usd_per_day}}})
    stack.s3.put_object(Bucket=stack.bucket, Key=BUDGETS, Body=content.encode())


def costly(stack: Stack, project: str, number: int, requests: int = 1) -> LiveRun:
    """Drop a file of a project, each of whose requests may cost $0.17."""
    lines = (request(f"r-{number}-{line}", max_tokens=64_000) for line in range(requests))
    data = b"".join(line + b"\n" for line in lines)
    return dropped(stack, f"inbox/{project}/{number}.jsonl", data)


def costly_at_once(stack: Stack, project: str, count: int) -> list[LiveRun]:
    """Drop such files without a pause."""
    keys = [f"inbox/{project}/{number}.jsonl" for number in range(count)]
    data = [request(f"r-{number}", max_tokens=64_000) for number in range(count)]
    versions = [stack.drop(one, key) for one, key in zip(data, keys, strict=True)]
    return [
        LiveRun(stack, stack.wait_for(partial(stack.run_of, key, version), LONG, "run"))
        for key, version in zip(keys, versions, strict=True)
    ]


def days_of(stack: Stack, project: str) -> dict[str, list[Claim]]:
    """Return the claims of a project by day, in order."""
    return claims_by_day(stack.keys(f"claims/spend/{project}/"), stack.object)


def check_days(stack: Stack, project: str, ceiling: Decimal, runs: list[LiveRun]) -> None:
    """Check that the log and the provider's own record agree, and that neither shows more than the ceiling.

    A batch counts with what it may cost until it has ended, on the day of its claim: a slow machine creates it later.
    """
    days = days_of(stack, project)
    claims = [claim for of in days.values() for claim in of if not claim.is_recount]
    assert max(claim.total_usd for claim in claims) <= ceiling
    assert {claim.run for claim in claims} == {run.run for run in runs}
    ids = {run.fact("batches/1/batch-1.json")["id"] for run in runs}
    made = [batch for batch in stack.provider_stats()["batches"] if batch["id"] in ids]
    assert len(made) == len(runs) <= len(claims), "a batch was paid for twice, or without a claim"
    by_run = {claim.run: day for day, of in sorted(days.items()) for claim in of if not claim.is_recount}
    day_of = {run.fact("batches/1/batch-1.json")["id"]: by_run[run.run] for run in runs}
    for batch in made:
        alike = [each for each in made if day_of[each["id"]] == day_of[batch["id"]]]
        before = [each for each in alike if each["created_at"] <= batch["created_at"]]
        open_then = [each for each in before if not each["ended_at"] or each["ended_at"] > batch["created_at"]]
        assert len(open_then) * MOST <= ceiling, "a day was overrun"


@pytest.mark.usefixtures("budgets")
def test_ten_drops_at_once_keep_to_the_ceiling_of_a_day(stack: Stack) -> None:
    """Three fit into a day; the others wait, and go on by themselves as batches turn out to cost less.

    A machine that is busy takes a day of 30 s for seven drops: some of these must find no room.
    """
    ceiling = Decimal("0.50")
    stack.provider_settings({"seconds": None})
    set_budgets(stack, "ten", str(ceiling))
    runs = costly_at_once(stack, "ten", 10)
    waiting = "waiting-for-budget"
    stack.wait_for(lambda: any(waiting in run.statuses() for run in runs) or None, LONG, waiting)
    stack.provider_settings({"seconds": 0})
    assert {run.ended(LONG) for run in runs} == {"SUCCEEDED"}
    check_days(stack, "ten", ceiling, runs)
    assert any(claim.is_recount for claims in days_of(stack, "ten").values() for claim in claims)
    reached = [message for run in runs for message in run.messages() if message.status == "budget-reached"]
    assert reached
    assert len(reached) <= 2 * len(days_of(stack, "ten")), "more than one message for a day and a percentage"


@pytest.mark.usefixtures("budgets")
def test_a_run_that_does_not_fit_says_so_and_goes_on_after_midnight(stack: Stack) -> None:
    """What is under way keeps its room to the end of the day, and takes none of the next one."""
    stack.provider_settings({"seconds": None})
    set_budgets(stack, "midnight", "0.20")
    time.sleep(DAY_SECONDS - time.time() % DAY_SECONDS)  # a slow machine needs a whole day to see that it is full
    first = costly(stack, "midnight", 1)
    first.fact("batches/1/batch-1.json")
    second = costly(stack, "midnight", 2)
    text = second.message("waiting-for-budget", LONG).text
    assert "goes on by itself" in " ".join(text.split())
    second.wait(lambda: second.has("batches/1/batch-1.json") or None, "its batch")
    days = days_of(stack, "midnight")
    owners = [{claim.run for claim in claims if not claim.is_recount} for claims in days.values()]
    assert [owner for owner in owners if owner] == [{first.run}, {second.run}]
    stack.provider_settings({"seconds": 0})
    assert {run.ended(LONG) for run in (first, second)} == {"SUCCEEDED"}


@pytest.mark.usefixtures("budgets")
def test_limits_that_break_in_mid_run_hold_it_until_they_are_repaired(stack: Stack) -> None:
    """The message names the fault; the run goes on without a person once the file is right."""
    set_budgets(stack, "broken", "9")
    stack.provider_settings({"seconds": 5})
    run = dropped(stack, "inbox/broken/drop.jsonl", b"".join(request(f"r-{n}") + b"\n" for n in range(ONE_BATCH + 1)))
    run.fact("gate-1.json")
    stack.s3.put_object(Bucket=stack.bucket, Key=BUDGETS, Body=b'{"default": {"usd_per_day": "a lot"}}')
    text = " ".join(run.message(WAITING, LONG).text.split())
    assert 'config/budgets.json: default.usd_per_day is "a lot"' in text
    sent = stack.provider_stats()["created"]
    set_budgets(stack, "broken", "9")
    receipt = run.receipt(LONG)
    assert (receipt["status"], receipt["results"]) == ("completed", ONE_BATCH + 1)
    assert [gate["how"] for gate in receipt["gates"]] == ["repaired"]
    assert stack.provider_stats()["created"] > sent
