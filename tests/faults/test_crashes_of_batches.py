"""The same for a drop of several batches, which wait for room, and whose run goes on in several executions."""

from uuid import uuid4

import orjson
import pytest

from tests.faults.test_crashes import ASKED
from tests.support.belt import Belt, drop_of
from tests.support.faults.history import History
from tests.support.faults.taps import Point, Taps
from tests.support.promises import check

DATA = drop_of(5)
LOTS = 4
"""Tests that share the points. Half of them are left to whoever asks for all."""


@pytest.fixture
def stack_settings(stack_settings: dict[str, str]) -> dict[str, str]:
    """Let there be three batches, of which the queue takes two, and an execution have room for a few looks."""
    return stack_settings | {"MAX_REQUESTS_PER_BATCH": "2", "MAX_QUEUED_REQUESTS": "4", "MAX_EVENTS": "50"}


def line_of(custom_id: str) -> int:
    """Return the line that is sent under an id."""
    return int(custom_id.rpartition("-")[2])


def play(belt: Belt, points: set[Point]) -> Taps:
    """Play the history with crashes at some points, hold its ending against the promises, and return what was seen."""
    belt.reset()
    belt.provider.configure(seconds=1500, queue_limit=4, every={"2": "errored:api_error"})
    taps = Taps(set(points), count_reads=False)
    ending = History(belt, taps).play(DATA, f"inbox/{uuid4().hex}.jsonl")
    receipt = check(belt, ending.run, ending.notice, DATA)
    assert (receipt["results"], receipt["failures"]) == (3, 2)
    batches = belt.provider.stats()["batches"]  # one whose call was broken off may be sent after those behind it
    created = [batch["id"] for batch in sorted(batches, key=lambda batch: line_of(batch["first_custom_id"]))]
    assert [batch["id"] for batch in receipt["batches"]] == created, "three batches for the three that were planned"
    for number, batch in enumerate(created, 1):
        assert orjson.loads(belt.read(f"claims/batches/{batch}")) == {"run": ending.run, "batch": number}
    retry = belt.read(f"failures/{receipt['name']}/{ending.run}/retry.jsonl")
    assert retry.splitlines() == [DATA.splitlines()[number] for number in (1, 3)]
    return taps


@pytest.mark.parametrize("lot", range(LOTS if ASKED else LOTS // 2))
def test_a_crash_at_any_one_point_changes_nothing_for_several_batches(belt: Belt, lot: int) -> None:
    """Before and after each call that changes the world, those of marks, joins and new executions included."""
    whole = play(belt, set())
    assert belt.steps.count("continue") > 1
    assert any("claims/waiting/" in call for call in whole.seen)
    points = sorted(whole.distinct_points())
    assert len(points) > len(whole.seen) > 50
    for point in points[lot::LOTS]:
        assert play(belt, {point}).crashed, f"{point} of {whole.seen} happened only once"
