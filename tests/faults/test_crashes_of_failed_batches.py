"""Crashes around a batch that fails because the queue is full and is sent again: no request runs twice."""

from functools import partial
from uuid import uuid4

import pytest

from tests.support.belt import Belt, drop_of
from tests.support.faults.copies import crash_at_each
from tests.support.faults.history import History
from tests.support.faults.taps import Call, Taps, When, tapped
from tests.support.promises import check

DATA = drop_of(4)
LOTS = 2
"""Tests that share the points."""


def play(belt: Belt, taps: Taps) -> None:
    """Run the history and check its ending."""
    belt.reset()
    belt.provider.configure(queue_limit=3, every={"2": "errored:api_error"})

    def make_room(call: Call, when: When) -> None:
        if when == "after" and "/failed-" in call.name:
            belt.provider.configure(queue_limit=None)

    with tapped(belt.clients, make_room):
        ending = History(belt, taps).play(DATA, f"inbox/{uuid4().hex}.jsonl")
    receipt = check(belt, ending.run, ending.notice, DATA)
    assert (receipt["results"], receipt["failures"]) == (2, 2)
    batches = belt.provider.stats()["batches"]
    ran = [batch["id"] for batch in batches if not batch["failed"]]
    assert [batch["id"] for batch in receipt["batches"]] == ran, "not exactly one batch ran for this run"
    assert len(batches) > len(ran)


@pytest.mark.parametrize("dialect", ["files", "bare files"], indirect=True)
@pytest.mark.parametrize("lot", range(LOTS))
def test_a_crash_at_any_one_point_runs_no_batch_twice_after_one_has_failed(belt: Belt, lot: int) -> None:
    """Before and after each side effect, including the upload and both create calls."""
    whole = Taps(count_reads=False)
    play(belt, whole)
    assert sum("POST /v1/batches" in call for call in whole.seen) == 2
    assert any("/failed-1.json" in call for call in whole.seen)
    assert any("/batch-2.json" in call for call in whole.seen)
    crash_at_each(partial(play, belt), whole, sorted(whole.distinct_points())[lot::LOTS])
