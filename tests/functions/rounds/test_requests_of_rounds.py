"""A run without failures that pass pays next to nothing for rounds."""

from collections import Counter

import pytest

from tests.support.belt import Belt, drop_of
from tests.support.faults.taps import Call, When, tapped
from tests.support.rounds import ROUNDS
from tests.support.settings import STACK_SETTINGS, tune

A_RANGE, A_RUN = 4, 2
"""Calls more that rounds may cost."""


@pytest.fixture
def stack_settings() -> dict[str, str]:
    """Return the settings of a stack with rounds."""
    return STACK_SETTINGS | ROUNDS


def calls(belt: Belt, key: str, rounds: str) -> int:
    """Play a drop without failures, and return how many calls its functions make."""
    seen: Counter[str] = Counter()

    def count(call: Call, when: When) -> None:
        seen[call.name.split(" ")[0]] += when == "before"

    with tapped(belt.clients, count):
        run = belt.upload(drop_of(12), key, {"retry-rounds": rounds})
        assert belt.finish(run)["status"] == "completed"
    return seen.total()


@pytest.mark.parametrize("batches", [1, 3])
def test_a_run_without_failures_makes_at_most_four_calls_more_a_range_and_two_a_run(
    belt: Belt, monkeypatch: pytest.MonkeyPatch, batches: int
) -> None:
    """Whether it has one batch, which writes the user's files itself, or several."""
    tune(monkeypatch, max_requests_per_batch=12 // batches)
    calls(belt, "inbox/warm.jsonl", "0")
    without = calls(belt, "inbox/a.jsonl", "0")
    assert without > 10
    assert calls(belt, "inbox/b.jsonl", "2") <= without + batches * A_RANGE + A_RUN
