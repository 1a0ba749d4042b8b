"""Runs share the provider's queue: batches are sent when it has space, and every run gets its turn."""

import time
from itertools import pairwise

import httpx
import pytest

from tests.functions.conftest import API_KEY
from tests.support.belt import Belt, drop_of
from tests.support.promises import check

KEY = {"x-api-key": API_KEY, "anthropic-version": "2023-06-01"}
LARGE, SMALL = "inbox/large.jsonl", "inbox/small.jsonl"


@pytest.fixture
def stack_settings(stack_settings: dict[str, str]) -> dict[str, str]:
    """Set three requests per batch, and two batches in the queue."""
    return stack_settings | {"MAX_REQUESTS_PER_BATCH": "3", "MAX_QUEUED_REQUESTS": "6"}


@pytest.fixture(autouse=True)
def endless(belt: Belt) -> None:
    """Let no batch end by itself, all requests succeed, and the provider refuse batches beyond its queue limit."""
    belt.provider.configure(seconds=None, finished_share=1, queue_limit=6)


def end(belt: Belt, run: str, number: int) -> None:
    """End a batch of a run at the provider, by a cancel after all its requests are done."""
    batch = belt.fact(run, f"batches/{number}/batch-1.json")["id"]
    url = f"{belt.provider.url}/v1/messages/batches/{batch}/cancel"
    httpx.post(url, headers=KEY).raise_for_status()


def wait_for_next_second() -> None:
    """Wait a second, since S3's times, which order the runs, have whole seconds."""
    time.sleep(1)


def split(belt: Belt, run: str) -> list[int]:
    """Split the batches that poll returns, and return their numbers."""
    state = belt.poll(run)
    assert state["next"] == "split"
    for batch in state["batches"]:
        belt.split(run, batch)
    batches: list[int] = state["batches"]
    return batches


def sent(belt: Belt, run: str) -> int:
    """Run submit, as the state machine does while there is a batch to send; return how many were sent so far."""
    before = belt.creates()
    belt.submit({"run": run})
    belt.pass_time(1)
    after = belt.creates()
    assert after[0] - before[0] == after[1] - before[1], "a call was made that created no batch"
    return len(belt.facts(run, "batch-1.json"))


def ended(belt: Belt, runs: dict[str, int]) -> None:
    """Run everything to its end, and check each run by its number of requests."""
    belt.provider.configure(seconds=0)
    for run, count in runs.items():
        check(belt, run, belt.finish(run), drop_of(count))


def test_batches_are_sent_when_the_provider_has_space(belt: Belt) -> None:
    """There are no refusals, since the list of batches shows how full the queue is."""
    belt.provider.configure(seconds=3600)
    run = belt.upload(drop_of(10))
    check(belt, run, belt.finish(run), drop_of(10))
    assert belt.creates() == (4, 4)


def test_a_run_that_may_have_only_one_batch_in_the_queue_ends(belt: Belt, monkeypatch: pytest.MonkeyPatch) -> None:
    """Batches are sent one after the other, each once."""
    monkeypatch.setenv("CONVEYOR_MAX_QUEUED_REQUESTS", "3")
    belt.provider.configure(seconds=3600, queue_limit=3)
    run = belt.upload(drop_of(12))
    receipt = check(belt, run, belt.finish(run), drop_of(12))
    assert belt.creates() == (4, 4)
    lives = [(batch["created_at"], batch["ended_at"]) for batch in receipt["batches"]]
    assert all(before[1] <= after[0] for before, after in pairwise(lives))


def test_no_batch_is_larger_than_the_queue(belt: Belt, monkeypatch: pytest.MonkeyPatch) -> None:
    """It would always be refused."""
    monkeypatch.setenv("CONVEYOR_MAX_QUEUED_REQUESTS", "2")
    belt.provider.configure(seconds=3600, queue_limit=2)
    run = belt.upload(drop_of(6))
    check(belt, run, belt.finish(run), drop_of(6))
    assert belt.creates() == (3, 3)


def test_a_small_drop_is_not_held_up_by_a_large_one_that_came_first(belt: Belt) -> None:
    """It is sent before the large drop's third batch, since it has fewer batches in progress."""
    large = belt.upload(drop_of(12), LARGE)
    assert sent(belt, large) == 2
    assert sent(belt, large) == 2, "the queue is full"
    small = belt.upload(drop_of(3), SMALL)
    assert sent(belt, small) == 0, "the queue is full"
    end(belt, large, 1)
    assert sent(belt, large) == 2, "there is space, but the small one is first"
    assert sent(belt, small) == 1
    end(belt, small, 1)
    assert sent(belt, large) == 3, "no other run waits"
    ended(belt, {large: 12, small: 3})
    assert belt.creates() == (5, 5)


def test_a_large_drop_is_not_held_up_by_others_that_came_later(belt: Belt) -> None:
    """If both have the same number of batches in progress, the older run is first."""
    large = belt.upload(drop_of(12), LARGE)
    wait_for_next_second()
    second = belt.upload(drop_of(6), "inbox/second.jsonl")
    assert [len(belt.facts(run, "batch-1.json")) for run in (large, second)] == [1, 1]
    assert [sent(belt, run) for run in (second, large)] == [1, 1], "the queue is full"
    end(belt, second, 1)
    assert sent(belt, second) == 1, "its batch has ended, but its results are not split: it is still in progress"
    assert sent(belt, large) == 2
    assert split(belt, second) == [1]
    assert [sent(belt, run) for run in (large, second)] == [2, 1], "the queue is full"
    end(belt, large, 1)
    assert split(belt, large) == [1]
    assert sent(belt, large) == 2, "it has one batch in progress, and the other none"
    assert sent(belt, second) == 2
    ended(belt, {large: 12, second: 6})
    assert belt.creates() == (6, 6)


def test_many_small_drops_do_not_starve_a_large_one(belt: Belt) -> None:
    """A new small drop polls first whenever a batch ends, but each batch of the large one still gets its turn."""
    large = belt.upload(drop_of(12), LARGE)
    wait_for_next_second()
    smalls = [belt.upload(drop_of(3), SMALL)]
    running, order = [large, *smalls], list[str]()
    for number in range(6):
        smalls.append(belt.upload(drop_of(3), f"inbox/{number}/small.jsonl"))
        assert sent(belt, large) == len(belt.facts(large, "part.json")) + running.count(large), "the queue is full"
        ends = running.pop(0)
        end(belt, ends, len(belt.facts(ends, "batch-1.json")))
        split(belt, ends)
        for run in reversed([large, *smalls]):
            if sent(belt, run) > len(belt.facts(run, "part.json")) + running.count(run):
                running.append(run)
                order.append("large" if run == large else "small")
    assert order == ["small", "large", "small", "small", "large", "small"]


def test_sent_runs_do_not_hold_up_others(belt: Belt) -> None:
    """Waiting runs are sent as soon as there is space, not only after old wait marks expire."""
    large = belt.upload(drop_of(6), LARGE)
    assert sent(belt, large) == 2
    smalls = [belt.upload(drop_of(3), f"inbox/{number}/small.jsonl") for number in range(4)]
    assert [sent(belt, run) for run in smalls] == [0, 0, 0, 0]
    began = belt.moment
    belt.provider.configure(seconds=0)
    belt.provider.configure(seconds=None)
    for run in sorted(smalls):
        assert sent(belt, run) == 1
        end(belt, run, 1)
    assert (belt.moment - began).total_seconds() < 60
