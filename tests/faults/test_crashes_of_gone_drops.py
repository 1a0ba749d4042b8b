"""Crashes in the run of a deleted drop: nothing is paid twice, and paid results come back."""

from functools import partial
from typing import Literal
from uuid import uuid4

import pytest

from tests.functions.drops.test_unreadable_drops import delete
from tests.support.belt import Belt, drop_of
from tests.support.faults.history import Ending, History
from tests.support.faults.taps import At, Point, Taps, meanwhile

DATA = drop_of(4)


def play(belt: Belt, points: set[Point], when: Literal["before", "after"], call: str) -> tuple[Taps, Ending]:
    """Run the history of a drop that is deleted at a call, with crashes at some points and a repeated event."""
    belt.reset()
    belt.provider.configure(outcomes={"2": "expired"})
    key, taps = f"inbox/{uuid4().hex}.jsonl", Taps(set(points), count_reads=False)
    with meanwhile(belt.clients, At(when, call, partial(delete, belt, key))):
        ending = History(belt, taps, deliveries=2).play(DATA, key)
    receipt = belt.receipt(ending.run)
    assert {stored.split("/")[-2] for stored in belt.stored(f"results/{ending.notice['name']}/")} == {ending.run}
    assert receipt["status"] == ending.notice["status"]
    return taps, ending


@pytest.mark.parametrize("dialect", ["messages"], indirect=True)
@pytest.mark.parametrize(
    ("when", "call"), [("before", "HeadObject "), ("after", "/run.json"), ("after", "/plan.jsonl")]
)
def test_a_crash_at_any_one_point_changes_nothing_for_a_drop_that_is_gone(
    belt: Belt, when: Literal["before", "after"], call: str
) -> None:
    """Deleted before HeadObject, reading or sending: one run, refused, and nothing is charged."""
    whole, _ = play(belt, set(), when, call)
    assert any("refused.json" in name for name in whole.seen)
    for point in sorted(whole.distinct_points()):
        taps, ending = play(belt, {point}, when, call)
        assert taps.crashed, f"{point} of {whole.seen} happened only once"
        assert (ending.notice["status"], belt.receipt(ending.run)["code"]) == ("refused", "drop-gone")
        assert ending.creates == 0


@pytest.mark.parametrize("dialect", ["messages", "bare files"], indirect=True)
def test_a_crash_at_any_one_point_loses_no_answer_of_a_drop_that_is_gone(belt: Belt) -> None:
    """Deleted after its batch is recorded: every result has its line number, and one call was paid."""
    call = "/batch-1.json"
    whole, _ = play(belt, set(), "after", call)
    for point in sorted(whole.distinct_points()):
        taps, ending = play(belt, {point}, "after", call)
        assert taps.crashed, f"{point} of {whole.seen} happened only once"
        name = ending.notice["name"]
        results = [line["line"] for line in belt.lines(f"results/{name}/", "results.jsonl")]
        failures = [(line["line"], line["outcome"]) for line in belt.lines(f"failures/{name}/", "failures.jsonl")]
        assert (results, failures) == ([1, 3, 4], [(2, "expired")])
        receipt = belt.receipt(ending.run)
        assert (receipt["status"], receipt["requests"], receipt["retryable"]) == ("completed", 4, 0)
        assert "was deleted" in receipt["drop_unreadable"]
        assert ending.created == 1
