"""Crashes in a drop of several batches that wait for queue space, whose run needs several executions."""

from functools import partial
from uuid import uuid4

import orjson
import pytest

from tests.faults.test_crashes import ASKED
from tests.support.belt import Belt, drop_of
from tests.support.faults.copies import crash_at_each
from tests.support.faults.dialects import DIALECTS, IN_DOUBT
from tests.support.faults.history import History
from tests.support.faults.taps import Taps
from tests.support.promises import check

DATA = drop_of(5)
LOTS = 4
"""Tests that share the points. Half of them run only if `HISTORIES` is set."""


@pytest.fixture
def stack_settings(stack_settings: dict[str, str]) -> dict[str, str]:
    """Set three batches, two of which fit into the queue, and a few polls per execution."""
    return stack_settings | {"MAX_REQUESTS_PER_BATCH": "2", "MAX_QUEUED_REQUESTS": "4", "MAX_EVENTS": "50"}


def line_of(custom_id: str) -> int:
    """Return the line number in a custom_id."""
    return int(custom_id.rpartition("-")[2])


def play(belt: Belt, taps: Taps) -> None:
    """Run the history and check its ending."""
    belt.reset()
    belt.provider.configure(seconds=1500, queue_limit=4, every={"2": "errored:api_error"})
    ending = History(belt, taps).play(DATA, f"inbox/{uuid4().hex}.jsonl")
    receipt = check(belt, ending.run, ending.notice, DATA)
    assert (receipt["results"], receipt["failures"]) == (3, 2)
    batches = belt.provider.stats()["batches"]  # one whose call was interrupted may be sent after later ones
    created = [batch["id"] for batch in sorted(batches, key=lambda batch: line_of(batch["first_custom_id"]))]
    assert [batch["id"] for batch in receipt["batches"]] == created, "not exactly the three planned batches"
    for number, batch in enumerate(created, 1):
        assert orjson.loads(belt.read(f"claims/batches/{batch}")) == {
            "run": ending.run,
            "batch": number,
            "project": "default",
        }
    retry = belt.read(f"failures/{receipt['name']}/{ending.run}/retry.jsonl")
    assert retry.splitlines() == [DATA.splitlines()[number] for number in (1, 3)]


@pytest.mark.parametrize("dialect", DIALECTS if ASKED else IN_DOUBT, indirect=True)
@pytest.mark.parametrize("lot", range(LOTS if ASKED else LOTS // 2))
def test_a_crash_at_any_one_point_changes_nothing_for_several_batches(belt: Belt, lot: int) -> None:
    """Before and after each side effect, including wait marks, joins and new executions."""
    whole = Taps(count_reads=False)
    play(belt, whole)
    assert belt.steps.count("continue") > 1
    assert any("claims/waiting/" in call for call in whole.seen)
    points = sorted(whole.distinct_points())
    assert len(points) > len(whole.seen) > 50
    crash_at_each(partial(play, belt), whole, points[lot::LOTS])
