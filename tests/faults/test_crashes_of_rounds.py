"""Crashes in runs with rounds: none is sent twice or taken for its predecessor, no line is lost or counted twice."""

from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from typing import Any
from uuid import uuid4

import orjson
import pytest

from conveyor.domain.drop import nonce
from tests.support.belt import Belt, drop_of
from tests.support.faults.copies import crash_at_each
from tests.support.faults.dialects import by_dialect
from tests.support.faults.history import Ending, History
from tests.support.faults.scenes import LOST, UNSENT
from tests.support.faults.taps import Point, Taps, meanwhile
from tests.support.promises import check
from tests.support.rounds import ROUNDS, mended, of_round, prefixes

DATA = drop_of(4)
FAILS = {"2": "errored:overloaded_error", "3": "expired"}


@dataclass
class Scenario:
    """How the provider behaves, and how many requests each batch has."""

    sent: tuple[int, ...]
    faults: list[dict[str, Any]] = field(default_factory=list)
    outcomes: dict[str, str] = field(default_factory=lambda: FAILS)
    mended_after: int = 1
    """The split with failures after which the provider answers everything; 0: never."""
    results: int = 4
    metadata: dict[str, str] = field(default_factory=dict)


SCENARIOS = {
    "the first round is answered": Scenario((4, 2)),
    "the second round is answered": Scenario((4, 2, 1), mended_after=2),
    "no round is answered": Scenario(
        (4, 2, 2), outcomes={"1": "expired", "2": "errored:api_error"}, mended_after=0, results=2
    ),
    "all failed at first": Scenario((4, 4), outcomes={str(place): "expired" for place in range(1, 5)}),
    "the answer of the round is lost after creating": Scenario((4, 2), faults=[LOST | {"after": 1}]),
    "the answer of the round is lost before creating": Scenario((4, 2), faults=[UNSENT | {"after": 1}]),
    "all lines are in the probe": Scenario((4, 2), metadata={"probe": "yes"}),
}


@pytest.fixture
def stack_settings(stack_settings: dict[str, str]) -> dict[str, str]:
    """Set two rounds."""
    return stack_settings | ROUNDS


def play(belt: Belt, scenario: Scenario, taps: Taps) -> None:
    """Run a scenario and check its ending."""
    belt.reset()
    belt.provider.configure(outcomes=scenario.outcomes, faults=scenario.faults)
    with ExitStack() as stack:
        if scenario.mended_after:
            stack.enter_context(meanwhile(belt.clients, mended(belt, nth=scenario.mended_after)))
        history = History(belt, taps, deliveries=2)
        ending = history.play(DATA, f"inbox/{uuid4().hex}.jsonl", scenario.metadata)
    check_ending(belt, scenario, ending)


def check_ending(belt: Belt, scenario: Scenario, ending: Ending) -> None:
    """Check what was sent, claimed and delivered."""
    run = ending.run
    receipt = check(belt, run, ending.notice, DATA)
    assert [requests for _, requests in prefixes(belt)] == list(scenario.sent), "a leg was sent twice, or not at all"
    first = nonce(f"{run}/probe" if scenario.metadata else run)
    rounds = range(1, len(scenario.sent))
    assert [prefix for prefix, _ in prefixes(belt)] == [first, *(of_round(run, number) for number in rounds)]
    assert receipt["results"] == scenario.results
    assert [each["requests"] for each in receipt["rounds"]] == list(scenario.sent[1:])
    for each in receipt["rounds"]:
        (batch,) = each["batches"]
        owner = {"run": f"{run}/round-{each['number']}", "batch": 1, "project": "default"}
        assert orjson.loads(belt.read(f"claims/batches/{batch['id']}")) == owner
        assert batch["duplicates"] == []
    assert ending.created <= ending.creates <= len(belt.facts(run, "attempt")), "a call without a recorded attempt"


def points_of_rounds(whole: Taps) -> list[Point]:
    """Return the points from the first split on: before that it is as in runs without rounds."""
    first = next(number for number, call in enumerate(whole.seen) if "/split-1.json" in call)
    return sorted(point for point in whole.distinct_points() if point.number > first)


@pytest.mark.parametrize(("dialect", "name"), by_dialect(SCENARIOS), indirect=["dialect"])
def test_a_crash_at_any_one_point_changes_nothing(belt: Belt, name: str) -> None:
    """Before and after each write of a split, a round, a merge and the report, and each paid call."""
    scenario = SCENARIOS[name]
    whole = Taps(count_reads=False)
    play(belt, scenario, whole)
    points = points_of_rounds(whole)
    assert len(points) >= 12
    crash_at_each(partial(play, belt, scenario), whole, points)
