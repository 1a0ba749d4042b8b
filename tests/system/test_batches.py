"""Drops of many batches, many drops at once, and runs of many executions, on the deployed stack."""

from __future__ import annotations

import json
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.belt import request
from tests.support.system.runs import LOW_LIMITS, LiveRun

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from local.stack.messages import Message
    from local.stack.stack import Stack

MANY = int(LOW_LIMITS["MaxRequestsPerDrop"])
ONE_BATCH = int(LOW_LIMITS["max-requests-per-batch"])
ROOM = int(LOW_LIMITS["MaxQueuedRequests"])
MOST_EVENTS = int(LOW_LIMITS["max-events"])
FAILING = 100
"""Every n-th request fails, and is worth sending again."""
LONG = 900.0
"""Timeout in seconds; the test takes minutes on a busy machine."""


def line_of(number: int) -> bytes:
    """Write a line of the large drop."""
    return request(f"r-{number}", max_tokens=1, messages=[{"role": "user", "content": "?"}]) + b"\n"


def stored_lines(stack: Stack, key: str) -> Iterator[bytes]:
    """Read an object of any size, line by line."""
    body = stack.s3.get_object(Bucket=stack.bucket, Key=key)["Body"]
    return body.iter_lines(chunk_size=1024 * 1024)


def ids(lines: Iterator[bytes]) -> Iterator[str]:
    """Read the custom_ids."""
    return (json.loads(line)["custom_id"] for line in lines)


def at_once(batches: list[dict[str, Any]]) -> int:
    """Return the maximum number of batches that ran at the provider at the same time."""
    times = [(datetime.fromisoformat(batch[name]), name) for batch in batches for name in ("created_at", "ended_at")]
    most = now = 0
    for _, name in sorted(times, key=lambda time: (time[0], time[1] == "created_at")):
        now += 1 if name == "created_at" else -1
        most = max(most, now)
    return most


@pytest.mark.parametrize("stack", ["files"], indirect=True)
def test_a_drop_of_ten_batches_comes_back_whole_and_in_order(stack: Stack, tmp_path: Path) -> None:
    """The queue takes two batches at a time; each is paid once, and the outputs are joined.

    Tested in one dialect, the one with an upload before each batch: plan, queue and order are the same in both.
    """
    provider = {"queue_limit": ROOM, "every": {str(FAILING): "errored:overloaded_error"}}
    stack.provider_settings(provider | {"seconds": None})
    before = stack.provider_stats()
    drop = tmp_path / "many.jsonl"
    with drop.open("wb") as file:
        file.writelines(line_of(number) for number in range(1, MANY + 1))
    version = stack.drop(drop, "inbox/many.jsonl", {"probe": "no"})
    run = LiveRun(stack, stack.wait_for(lambda: stack.run_of("inbox/many.jsonl", version), LONG, "run"))
    run.fact("batches/2/batch-1.json")  # while no batch ends: so two are there at once
    stack.provider_settings(provider | {"seconds": 0.5})
    message = stack.wait_for_message("inbox/many.jsonl", LONG)
    good, bad = MANY - MANY // FAILING, MANY // FAILING
    assert message.subject.startswith(f"Conveyor: done many ({good:,} answered, {bad} failed, $")
    after = stack.provider_stats()
    posts = after["calls"]["create"] - before["calls"]["create"]
    assert posts == after["created"] - before["created"] == MANY // ONE_BATCH, (
        "a call was refused because the queue was full"
    )
    receipt = json.loads(stack.object(f"results/many/{message.run}/receipt.json"))
    assert (receipt["requests"], receipt["results"], receipt["failures"]) == (MANY, good, bad)
    assert receipt["ordered"] is True
    assert at_once(receipt["batches"]) <= ROOM // ONE_BATCH

    results = ids(stored_lines(stack, f"results/many/{message.run}/results.jsonl"))
    failures = ids(stored_lines(stack, f"failures/many/{message.run}/failures.jsonl"))
    for number in range(1, MANY + 1):
        assert next(results if number % FAILING else failures) == f"r-{number}"
    assert [next(results, None), next(failures, None)] == [None, None]
    retry = stored_lines(stack, f"failures/many/{message.run}/retry.jsonl")
    assert [line + b"\n" for line in retry] == [line_of(number) for number in range(FAILING, MANY + 1, FAILING)]
    assert LiveRun(stack, message.run).ended() == "SUCCEEDED"


@pytest.mark.parametrize("stack", ["messages"], indirect=True)
def test_a_run_of_many_executions_is_paid_once_and_reported_once(stack: Stack) -> None:
    """Each execution ends well before its history is full, and the next one continues.

    Tested in one dialect: the state machine passes on the state in the same way in both.
    """
    stack.provider_settings({"seconds": None})
    before = stack.provider_stats()["calls"]["create"]
    version = stack.drop(b"".join(map(line_of, range(3))), "inbox/long.jsonl")
    run = LiveRun(stack, stack.wait_for(lambda: stack.run_of("inbox/long.jsonl", version), LONG, "run"))
    stack.wait_for(lambda: len(run.executions()) >= 4 or None, LONG, "fourth execution")
    assert not run.messages()
    stack.provider_settings({"seconds": 0})
    assert run.ended(LONG) == "SUCCEEDED"
    *full, _ = map(len, run.histories())
    assert len(full) >= 3
    assert all(MOST_EVENTS * 0.7 < events < MOST_EVENTS + 30 for events in full)  # the local AWS leaves out TaskStarted
    assert [message.status for message in run.messages()] == ["completed"]
    assert stack.provider_stats()["calls"]["create"] == before + 1


def runs_of(stack: Stack, versions: set[str]) -> dict[str, str] | None:
    """Return the runs of all these drops by version; None while one is missing."""
    keys = [key for key in stack.keys("runs/") if key.endswith("/run.json")]
    every = (json.loads(stack.object(key)) for key in keys[-2 * len(versions) :])
    found = {run["drop"]["version"]: run["run"] for run in every if run["drop"]["version"] in versions}
    return found if len(found) == len(versions) else None


def final_messages(stack: Stack) -> list[Message]:
    """Return the final messages of runs.

    With ten functions on two processors, an upload may fail. It is retried after ten seconds, which is longer than
    trouble-seconds here, so that a message reports it.
    """
    return [message for message in stack.messages() if message.status != "troubled"]


@pytest.mark.parametrize("stack", ["messages"], indirect=True)
def test_ten_drops_at_once_end_with_one_message_each(stack: Stack) -> None:
    """Valid drops, invalid drops, and the same content twice under one key, of which the first is paid for.

    Tested in one dialect: concurrent drops are handled in the same way in both.
    """
    stack.provider_settings({"seconds": 1})
    before = stack.provider_stats()
    good = [(f"inbox/soak/good-{number}.jsonl", line_of(number)) for number in range(6)]
    invalid = [(f"inbox/soak/invalid-{number}.jsonl", line_of(number) + b"nonsense") for number in range(2)]
    twice = [("inbox/soak/twice-0.jsonl", line_of(0))] * 2
    drops = [drop for some in zip(good[::3], good[1::3], good[2::3], invalid, twice, strict=True) for drop in some]
    assert len(drops) == 10
    with ThreadPoolExecutor(10) as pool:
        versions = list(pool.map(lambda drop: stack.drop(drop[1], drop[0]), drops))
    found = stack.wait_for(lambda: runs_of(stack, set(versions)), LONG, "all runs")

    def messages_by_run() -> Counter[str] | None:
        every = Counter(message.run for message in final_messages(stack))
        return every if all(every[run] for run in found.values()) else None

    stack.wait_for(messages_by_run, LONG, "message about each run")
    assert {LiveRun(stack, run).ended(LONG) for run in found.values()} == {"SUCCEEDED"}
    messages = [message for message in final_messages(stack) if message.run in found.values()]
    assert Counter(message.run for message in messages) == dict.fromkeys(found.values(), 1), "one message each"
    statuses = {message.run: message.status for message in messages}
    ends = Counter(
        (key.rpartition("-")[0], statuses[found[version]]) for (key, _), version in zip(drops, versions, strict=True)
    )
    assert ends == {
        ("inbox/soak/good", "completed"): 6,
        ("inbox/soak/invalid", "refused"): 2,
        ("inbox/soak/twice", "completed"): 1,
        ("inbox/soak/twice", "refused"): 1,
    }
    # With ten functions on two processors, calls may fail; they create no batch.
    assert stack.provider_stats()["created"] - before["created"] == 7, "not every accepted drop was paid once"
