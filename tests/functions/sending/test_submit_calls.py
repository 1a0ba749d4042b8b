"""Submit's calls to S3: it reads nothing it has just written, and uses objects that another invocation wrote."""

from collections import Counter
from typing import Any

import pytest
from msgspec.structs import replace

from tests.support.belt import Belt, drop_of
from tests.support.faults.taps import At, Call, When, meanwhile, tapped


def calls_of(belt: Belt, event: dict[str, Any]) -> tuple[str, list[str]]:
    """Run submit on an upload; return the run and all calls, in order: `PutObject runs/<run>/run.json`."""
    calls = list[str]()

    def record(call: Call, when: When) -> None:
        if when == "before":
            calls.append(call.name)

    with tapped(belt.clients, record):
        run: str = belt.submit(event)["run"]
    return run, calls


@pytest.mark.parametrize("status", [200, 400, 429, 500])
def test_submit_reads_nothing_that_it_has_just_written(belt: Belt, status: int) -> None:
    """Check all calls from the event to the response of the paid call: run, plan and refused attempt.

    The ledger is listed before validation, after it, and after the attempt is written, to see what others wrote.
    """
    answer = {"call": "create", "do": {"kind": "answer", "status": status}}
    belt.provider.configure(faults=[answer] if status != 200 else [])
    run, calls = calls_of(belt, belt.drop(drop_of(3)))
    written = {call.split()[1] for call in calls if call.startswith("PutObject ")}
    read = {call.split()[1] for call in calls if call.startswith("GetObject ")}
    assert {f"runs/{run}/{name}" for name in ("run.json", "plan.jsonl", "batches/1/attempt-1.json")} <= written
    assert read == {"inbox/three.jsonl"}
    assert Counter(calls)[f"ListObjectsV2 runs/{run}/"] == 3
    assert Counter(calls)["ListObjectsV2 config/"] == 2
    assert belt.creates()[0] == 1
    expected = {400: f"runs/{run}/refused.json", 429: f"runs/{run}/batches/1/refused-1.json"}
    assert expected.get(status, f"runs/{run}/plan.jsonl") in written


def test_submit_reads_limits_once_for_a_drop_and_once_for_each_paid_call(belt: Belt) -> None:
    """A run that has begun has what it needs, but for the ceiling of the day; prices are read once."""
    for name in ("budgets", "prices"):
        belt.s3.put_object(Bucket=belt.bucket, Key=f"config/{name}.json", Body=b"{}")
    limits = ["ListObjectsV2 config/", "GetObject config/budgets.json"]
    run, calls = calls_of(belt, belt.drop(drop_of(3)))
    assert [call for call in calls if "config/" in call] == [*limits, "GetObject config/prices.json", *limits]
    _, calls = calls_of(belt, {"run": run})
    assert [call for call in calls if "config/" in call] == []


def test_submit_sends_the_plan_that_another_invocation_wrote(belt: Belt) -> None:
    """An invocation of another version may plan other batches, but both must send the same ones."""
    settings = belt.clients.settings
    belt.clients.settings = replace(settings, max_requests_per_batch=2)
    plan = belt.read(f"runs/{belt.upload(drop_of(3), 'inbox/first.jsonl')}/plan.jsonl")
    belt.clients.settings = settings

    def write_first() -> None:
        (run,) = {key.split("/")[1] for key in belt.stored("runs/")} - before
        belt.s3.put_object(Bucket=belt.bucket, Key=f"runs/{run}/plan.jsonl", Body=plan)

    before = {key.split("/")[1] for key in belt.stored("runs/")}
    with meanwhile(belt.clients, At("before", "plan.jsonl", write_first)):
        run = belt.upload(drop_of(3), "inbox/second.jsonl")
    assert belt.read(f"runs/{run}/plan.jsonl") == plan
    assert belt.fact(run, "batches/1/attempt-1.json")["requests"] == 2


def test_submit_uses_the_run_that_another_invocation_wrote(belt: Belt) -> None:
    """If the settings changed between two events of one upload, those of the first event apply."""
    event = belt.drop(drop_of(3))
    run = belt.submit(event)["run"]
    settings = belt.clients.settings
    belt.clients.settings = replace(settings, poll_min_seconds=settings.poll_min_seconds + 1)
    for name in belt.facts(run):
        if name != "run.json":
            belt.s3.delete_object(Bucket=belt.bucket, Key=f"runs/{run}/{name}")
    assert belt.submit(event)["wait_seconds"] == settings.poll_min_seconds
