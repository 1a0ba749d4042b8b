"""A run continues in a new execution when the history of the old one becomes long."""

import pytest

from tests.functions.sending.test_pay_once import executions
from tests.support.belt import FIRST, Belt, drop_of
from tests.support.promises import check


@pytest.fixture
def stack_settings(stack_settings: dict[str, str]) -> dict[str, str]:
    """Set three requests per batch, one batch in the queue, and six polls per execution."""
    return stack_settings | {"MAX_REQUESTS_PER_BATCH": "3", "MAX_QUEUED_REQUESTS": "3", "MAX_EVENTS": "60"}


def test_a_run_of_many_executions_pays_once_splits_once_and_ends_once(belt: Belt, machine: str) -> None:
    """Each execution continues where the previous one stopped."""
    belt.provider.configure(seconds=3600)
    run = belt.upload(drop_of(12))
    notice = belt.finish(run)
    check(belt, run, notice, drop_of(12))
    assert belt.creates() == (4, 4)
    assert len(belt.facts(run, "split")) == belt.steps.count("split") == 4
    continued = belt.steps.count("continue")
    assert continued > 10
    assert sorted(executions(belt, machine)) == sorted(
        [run, *(f"{run}-{number}" for number in range(2, continued + 2))]
    )
    assert belt.notices == []


def test_trouble_is_reported_once_however_many_executions_it_lasts(belt: Belt) -> None:
    """The state passes on which message was sent."""
    belt.provider.configure(seconds=None)
    run = belt.upload(drop_of(3))
    belt.provider.fail("retrieve", {"kind": "answer", "status": 503}, times=150)
    belt.provider.configure(seconds=0)
    check(belt, run, belt.finish(run), drop_of(3))
    assert [notice["status"] for notice in belt.notices] == ["troubled"]
    notified = belt.steps.index("notify")
    assert min(belt.steps[:notified].count("continue"), belt.steps[notified:].count("continue")) > 3


def test_an_execution_is_continued_once_however_often_submit_is_called(belt: Belt, machine: str) -> None:
    """If submit's response is lost, the state machine retries it; the name of an execution is used once."""
    run = belt.upload(drop_of(3))
    state = FIRST | {"run": run, "wait_seconds": 30, "execution": {"number": 2, "events": 0}}
    for _ in range(3):
        assert belt.submit({"run": run, "continue": state}) == {"run": run}
    assert sorted(executions(belt, machine)) == [run, f"{run}-2"]
    assert belt.go_on(run, 2) == state
    assert belt.creates() == (1, 1), "continuing must not send a batch"


def test_more_batches_than_one_execution_has_room_for_are_split_in_several(belt: Belt) -> None:
    """All of them end at once; one poll returns only as many as fit into the execution's history."""
    belt.provider.configure(seconds=0)
    run = belt.upload(drop_of(3 * 14))
    for _ in range(13):
        belt.submit({"run": run})
    assert belt.creates() == (14, 14)
    state = belt.poll(run)
    assert (state["next"], state["batches"]) == ("split", [1, 2, 3, 4, 5, 6])
    check(belt, run, belt.finish(run), drop_of(3 * 14))
    assert len(belt.facts(run, "split")) == 14


def test_an_invalid_decision_is_reported_once_whatever_trouble_other_batches_have(
    belt: Belt, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Trouble of another batch that comes and goes does not repeat the message."""
    monkeypatch.setenv("CONVEYOR_MAX_QUEUED_REQUESTS", "6")
    belt.provider.configure(seconds=None)
    run = belt.upload(drop_of(6))
    belt.provider.fail("create", {"kind": "lose", "when": "before"})
    belt.submit({"run": run})
    belt.s3.put_object(Bucket=belt.bucket, Key=f"control/{run}/batches/2/attempt-1", Body=b"whatever you like")
    for _ in range(4):
        belt.provider.fail("retrieve", {"kind": "answer", "status": 529}, times=1)
        belt.poll(run)
        belt.pass_time(30)
        belt.poll(run)
        belt.pass_time(30)
    assert [notice["status"] for notice in belt.notices] == ["undecided"]
