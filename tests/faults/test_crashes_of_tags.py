"""Crashes while the content of a run that has ended is tagged, so that it may expire."""

from functools import partial
from typing import Any

import pytest

from tests.functions.results.test_content import tags
from tests.support.belt import Belt, Task, drop_of
from tests.support.faults.taps import When, crash_at
from tests.support.settings import tune


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("dialect", ["messages"], indirect=True)
def test_content_that_a_crash_left_untagged_is_tagged_by_the_next_report(
    belt: Belt, monkeypatch: pytest.MonkeyPatch, when: When
) -> None:
    """Else it would stay for as long as that of a run that never ends."""
    tune(monkeypatch, max_requests_per_batch=1)
    run = belt.upload(drop_of(3))

    def crash_first(task: Task) -> dict[str, Any]:
        if isinstance(task, partial) and task.func == belt.report:
            with crash_at(belt.clients, when, "PutObjectTagging ", nth=2):
                task()
        return task()

    belt.finish(run, crash_first)
    content = [*belt.stored("content/"), *(key for key in belt.stored("results/") if "/parts/" in key)]
    assert len(content) > 3
    assert all(tags(belt, key) for key in content)
