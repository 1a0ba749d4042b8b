"""Projects share the provider's queue: the one with the least in it goes first, and no flood starves another."""

import httpx
import orjson
import pytest

from tests.functions.sending.test_fair_queue import KEY, end, ended, sent, split, wait_for_next_second
from tests.support.belt import Belt, drop_of
from tests.support.budgets import set_budgets, take_the_day

A, B = {"project": "team-a"}, {"project": "team-b"}
ONE = drop_of(3)
"""One batch, which takes half of the queue."""


@pytest.fixture
def stack_settings(stack_settings: dict[str, str]) -> dict[str, str]:
    """Set three requests per batch, and two batches in the queue."""
    return stack_settings | {"MAX_REQUESTS_PER_BATCH": "3", "MAX_QUEUED_REQUESTS": "6"}


@pytest.fixture(autouse=True)
def endless(belt: Belt) -> None:
    """Let no batch end by itself, all requests succeed, and the provider refuse batches beyond its queue limit."""
    belt.provider.configure(seconds=None, finished_share=1, queue_limit=6)


def flood(belt: Belt, count: int, project: dict[str, str] = A) -> list[str]:
    """Drop many files of a project, and return their runs, the oldest first."""
    runs = [belt.upload(ONE, f"inbox/{project['project']}/{number}.jsonl", project) for number in range(count)]
    wait_for_next_second()
    return sorted(runs)


def sent_of(belt: Belt, runs: list[str]) -> list[str]:
    """Let each run look once, the last one first, and return those of which a batch was sent then."""
    return [run for run in reversed(runs) if len(belt.facts(run, "batch-1.json")) < sent(belt, run)]


def end_and_split(belt: Belt, run: str, number: int = 1) -> None:
    """End a batch of a run, and split it."""
    end(belt, run, number)
    assert split(belt, run) == [number]


def test_one_drop_is_sent_before_the_rest_of_a_flood_that_came_first(belt: Belt) -> None:
    """Ordered by age, it would wait for all of them."""
    runs = flood(belt, 6)
    small = belt.upload(ONE, "inbox/b.jsonl", B)
    running = [run for run in runs if belt.facts(run, "batch-1.json")]
    waiting = [run for run in runs if run not in running]
    assert (len(running), sent(belt, small)) == (2, 0), "the queue is full"
    end_and_split(belt, running[0])
    assert sent_of(belt, waiting) == [], "there is space, but the other project has nothing in the queue"
    assert sent(belt, small) == 1
    end_and_split(belt, running[1])
    assert sent_of(belt, waiting) == [waiting[0]]
    ended(belt, dict.fromkeys([*runs, small], 3))
    assert belt.creates() == (7, 7)


def test_one_drop_that_waited_before_a_flood_goes_first_and_its_second_one_takes_turns(belt: Belt) -> None:
    """Another program fills the queue at first, so that all of them wait."""
    foreign = [fill(belt), fill(belt)]
    first = belt.upload(ONE, "inbox/b-1.jsonl", B)
    wait_for_next_second()
    runs = flood(belt, 4)
    second = belt.upload(ONE, "inbox/b-2.jsonl", B)
    every = [first, *runs, second]
    assert sent_of(belt, every) == [], "the queue is full"
    cancel(belt, foreign[0])
    assert sent_of(belt, every) == [first], "neither project has anything in the queue, and its run is the oldest"
    cancel(belt, foreign[1])
    assert sent_of(belt, every) == [runs[0]]
    end_and_split(belt, runs[0])
    assert sent_of(belt, every) == [runs[1]], "the other project still has a batch in the queue"
    end_and_split(belt, first)
    assert sent_of(belt, every) == [second]
    ended(belt, dict.fromkeys(every, 3))
    assert belt.creates() == (8, 8), "six, and two of the other program"


def test_projects_alternate_where_the_queue_takes_one_batch_at_a_time(
    belt: Belt, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When there is space, no project has a request in the queue: the one that was sent last goes last."""
    monkeypatch.setenv("CONVEYOR_MAX_QUEUED_REQUESTS", "3")
    runs = flood(belt, 4)
    others = flood(belt, 2, B)
    (running,) = [run for run in runs if belt.facts(run, "batch-1.json")]
    order = list[str]()
    while len(order) < 5:
        assert sent_of(belt, runs + others) == [], "the queue is full"
        end_and_split(belt, running)
        (running,) = sent_of(belt, runs + others)
        order.append("a" if running in runs else "b")
    assert order == ["b", "a", "b", "a", "a"]
    ended(belt, dict.fromkeys(runs + others, 3))
    assert belt.creates() == (6, 6)


def test_runs_of_an_earlier_version_take_part_in_turns(belt: Belt) -> None:
    """Their marks and claims name no project; what such a run writes next does."""
    runs = flood(belt, 4)
    running = [run for run in runs if belt.facts(run, "batch-1.json")]
    waiting = [run for run in runs if run not in running]
    for key in belt.stored("claims/batches/"):
        claim = orjson.loads(belt.read(key))
        belt.s3.put_object(Bucket=belt.bucket, Key=key, Body=orjson.dumps({n: claim[n] for n in ("run", "batch")}))
    for mark in belt.stored("claims/waiting/"):
        belt.s3.put_object(Bucket=belt.bucket, Key=mark.removesuffix("@team-a"), Body=b"")
        belt.s3.delete_object(Bucket=belt.bucket, Key=mark)
    small = belt.upload(ONE, "inbox/b.jsonl", B)
    assert sent(belt, small) == 0, "the queue is full"
    end_and_split(belt, running[0])
    assert sent_of(belt, [*waiting, small]) == [waiting[0]], "the oldest: nothing says yet whose the other batch is"
    end_and_split(belt, running[1])
    assert sent_of(belt, [*waiting, small]) == [small], "it is known whose the new batch is"
    ended(belt, dict.fromkeys([*runs, small], 3))
    assert belt.creates() == (5, 5)


def test_batches_of_other_programs_take_room_and_count_for_no_project(belt: Belt) -> None:
    """The project whose run is older goes first, although another program has filled half of the queue."""
    foreign = [fill(belt), fill(belt)]
    runs = flood(belt, 2)
    small = belt.upload(ONE, "inbox/b.jsonl", B)
    cancel(belt, foreign[0])
    assert sent_of(belt, [*runs, small]) == [runs[0]]
    assert sent_of(belt, [*runs, small]) == [], "the queue is full"
    end_and_split(belt, runs[0])
    assert sent_of(belt, [*runs, small]) == [small], "the other project was sent last"
    ended(belt, dict.fromkeys([*runs, small], 3))


def fill(belt: Belt) -> str:
    """Create a batch of another program, and return its id."""
    lines = [orjson.loads(line) for line in ONE.splitlines()]
    url = f"{belt.provider.url}/v1/messages/batches"
    batch: str = httpx.post(url, headers=KEY, json={"requests": lines}).raise_for_status().json()["id"]
    return batch


def cancel(belt: Belt, batch: str) -> None:
    """End a batch of another program."""
    httpx.post(f"{belt.provider.url}/v1/messages/batches/{batch}/cancel", headers=KEY).raise_for_status()


def test_a_run_whose_day_is_full_keeps_nobody_waiting(belt: Belt) -> None:
    """It has waited for room in the queue before, and its mark is still there."""
    foreign = [fill(belt), fill(belt)]
    first = belt.upload(ONE, "inbox/team-a/1.jsonl", A)
    wait_for_next_second()
    second = belt.upload(ONE, "inbox/b.jsonl", B)
    set_budgets(belt, {"projects": {"team-a": {"usd_per_day": "0.01"}}})
    take_the_day(belt, "team-a", "0.01")
    assert sent_of(belt, [first, second]) == [], "the queue is full"
    cancel(belt, foreign[0])
    assert sent(belt, second) == 1
    assert sent(belt, first) == 0
