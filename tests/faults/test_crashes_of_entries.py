"""Crashes while a run that begins, or has ended, is written into the index."""

from functools import partial
from typing import Any

import pytest

from tests.support.belt import Belt, Task, drop_of
from tests.support.faults.taps import When, crash_at
from tests.support.promises import agree


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("metadata", [{}, {"dry-run": "yes"}], ids=["sent", "estimated"])
@pytest.mark.parametrize("dialect", ["messages"], indirect=True)
def test_a_crash_around_the_entry_of_a_run_leaves_one_entry(belt: Belt, when: When, metadata: dict[str, str]) -> None:
    """The next report writes the same key, or finds it: no run is left out of a sum, or counted twice."""
    run = belt.upload(drop_of(3), metadata=metadata)

    def crash_first(task: Task) -> dict[str, Any]:
        if isinstance(task, partial) and task.func == belt.report:
            with crash_at(belt.clients, when, "PutObject index/"):
                task()
            assert len(belt.stored("index/")) == 1 + (when == "after")
        return task()

    belt.finish(run, crash_first)
    agree(belt, run)


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("metadata", [{}, {"dry-run": "yes"}], ids=["sent", "estimated"])
@pytest.mark.parametrize("dialect", ["messages"], indirect=True)
def test_a_crash_around_the_first_entry_of_a_run_leaves_one(belt: Belt, when: When, metadata: dict[str, str]) -> None:
    """Lambda invokes submit again: no run goes on that a listing lacks."""
    event = belt.drop(drop_of(3), metadata=metadata)
    with crash_at(belt.clients, when, "PutObject index/"):
        belt.submit(event)
    assert len(belt.stored("index/")) == (when == "after")
    assert not belt.states.list_executions(stateMachineArn=belt.clients.environment.state_machine_arn)["executions"]
    run = belt.submit(event)["run"]
    assert len(belt.stored("index/")) == 1
    belt.finish(run)
    agree(belt, run)
