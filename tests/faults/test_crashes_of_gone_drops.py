"""Crashes in the run of a deleted drop: nothing is paid twice, and paid results come back."""

from functools import partial
from uuid import uuid4

import pytest

from tests.functions.drops.test_unreadable_drops import delete
from tests.support.belt import Belt, drop_of
from tests.support.faults.copies import crash_at_each
from tests.support.faults.history import Ending, History
from tests.support.faults.taps import At, Taps, When, meanwhile

DATA = drop_of(4)


def play(belt: Belt, when: When, call: str, taps: Taps) -> Ending:
    """Run the history of a drop that is deleted at a call, with a repeated event."""
    belt.reset()
    belt.provider.configure(outcomes={"2": "expired"})
    key = f"inbox/{uuid4().hex}.jsonl"
    with meanwhile(belt.clients, At(when, call, partial(delete, belt, key))):
        ending = History(belt, taps, deliveries=2).play(DATA, key)
    receipt = belt.receipt(ending.run)
    assert {stored.split("/")[-2] for stored in belt.stored(f"results/{ending.notice['name']}/")} == {ending.run}
    assert receipt["status"] == ending.notice["status"]
    return ending


@pytest.mark.parametrize("dialect", ["messages"], indirect=True)
@pytest.mark.parametrize(
    ("when", "call"), [("before", "HeadObject "), ("after", "/run.json"), ("after", "/plan.jsonl")]
)
def test_a_crash_at_any_one_point_changes_nothing_for_a_drop_that_is_gone(belt: Belt, when: When, call: str) -> None:
    """Deleted before HeadObject, reading or sending: one run, refused, and nothing is charged."""
    whole = Taps(count_reads=False)
    play(belt, when, call, whole)
    assert any("refused.json" in name for name in whole.seen)

    def play_and_check(taps: Taps) -> None:
        ending = play(belt, when, call, taps)
        assert (ending.notice["status"], belt.receipt(ending.run)["code"]) == ("refused", "drop-gone")
        assert ending.creates == 0

    crash_at_each(play_and_check, whole, sorted(whole.distinct_points()))


@pytest.mark.parametrize("dialect", ["messages", "bare files"], indirect=True)
def test_a_crash_at_any_one_point_loses_no_answer_of_a_drop_that_is_gone(belt: Belt) -> None:
    """Deleted after its batch is recorded: every result has its line number, and one call was paid."""
    whole = Taps(count_reads=False)
    play(belt, "after", "/batch-1.json", whole)

    def play_and_check(taps: Taps) -> None:
        ending = play(belt, "after", "/batch-1.json", taps)
        name = ending.notice["name"]
        results = [line["line"] for line in belt.lines(f"results/{name}/", "results.jsonl")]
        failures = [(line["line"], line["outcome"]) for line in belt.lines(f"failures/{name}/", "failures.jsonl")]
        assert (results, failures) == ([1, 3, 4], [(2, "expired")])
        receipt = belt.receipt(ending.run)
        assert (receipt["status"], receipt["requests"], receipt["retryable"]) == ("completed", 4, 0)
        assert "was deleted" in receipt["drop_unreadable"]
        assert ending.created == 1

    crash_at_each(play_and_check, whole, sorted(whole.distinct_points()))
