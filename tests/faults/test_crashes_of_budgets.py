"""Crashes of runs with a ceiling for a day: none is overrun, and no crash takes room for ever."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import Any
from uuid import uuid4

import pytest

from tests.functions.conftest import the_memory
from tests.support.belt import Belt, request
from tests.support.budgets import check_days, set_budgets, the_days
from tests.support.faults.copies import crash_at_each
from tests.support.faults.history import History
from tests.support.faults.scenes import LOST, UNSENT
from tests.support.faults.taps import Point, Taps
from tests.support.promises import check

NOON = datetime(2026, 11, 30, 12, tzinfo=UTC)
DAY = 7200
"""Seconds, from noon."""
DATA = b"".join(request(f"r-{number}", max_tokens=64_000) + b"\n" for number in range(1, 3))
"""Each request may cost $0.17, and costs far less."""
REFUSED = {"call": "create", "do": {"kind": "answer", "status": 429}}
BUSY = 4000
"""Seconds of a batch that is not split before the day ends."""


@dataclass
class Scenario:
    """What a project may spend in a day, and how the provider behaves."""

    usd_per_day: str
    seconds: int = BUSY
    """Of a batch at the provider."""
    since: int = 3600
    """Seconds of the day that are over when it begins."""
    faults: list[dict[str, Any]] = field(default_factory=list)
    days: int = 1
    """On how many days something is sent."""


SCENARIOS = {
    "all fits": Scenario("0.40"),
    "the last batch waits for tomorrow": Scenario("0.20", days=2),
    "each batch goes when the one before is split": Scenario("0.20", seconds=600, since=0),
    "the first call is refused": Scenario("0.20", seconds=600, since=0, faults=[REFUSED]),
    "the answer is lost after creating": Scenario("0.20", faults=[LOST], days=2),
    "the answer is lost before creating": Scenario("0.20", seconds=600, since=0, faults=[UNSENT], days=2),
}

PLAYED = [*[("messages", name) for name in SCENARIOS], ("bare files", "the answer is lost after creating")]
"""Dialects differ here only in how a batch is found again."""


@pytest.fixture
def stack_settings(stack_settings: dict[str, str]) -> dict[str, str]:
    """Set one request per batch."""
    return stack_settings | {"MAX_REQUESTS_PER_BATCH": "1", "BUDGET_DAY_SECONDS": str(DAY)}


def play(belt: Belt, scenario: Scenario, taps: Taps) -> None:
    """Run a scenario and check its ending.

    Each history has a project, and so a log, of its own.
    """
    belt.reset()
    the_memory().s3.buckets[belt.bucket].now = lambda: (
        belt.moment
    )  # else a drop is younger than its run on the day itself
    belt.set_clock(NOON + timedelta(seconds=scenario.since))
    belt.provider.configure(seconds=scenario.seconds, faults=scenario.faults)
    project = f"team-{uuid4().hex[:8]}"
    set_budgets(belt, {"projects": {project: {"usd_per_day": scenario.usd_per_day}}})
    ending = History(belt, taps, deliveries=2).play(DATA, f"inbox/{project}/drop.jsonl")
    check(belt, ending.run, ending.notice, DATA)
    check_days(belt, Decimal(scenario.usd_per_day), project, ending.run, seconds=DAY)
    assert len(the_days(belt, project)) <= scenario.days + bool(taps.crashed), "a crash blocked a day"
    assert ending.created == 2, "a batch was paid for twice"


def points_of_budgets(whole: Taps) -> list[Point]:
    """Return the points at the claims, at what is written about them, at the intents, and at the paid calls."""
    names = ("claims/spend/", "/budget-", "/reached-", "/attempt-", "POST ")
    near = {number for number, call in enumerate(whole.seen) if any(name in call for name in names)}
    return sorted(point for point in whole.distinct_points() if point.number in near)


@pytest.mark.parametrize(("dialect", "name"), PLAYED, indirect=["dialect"])
def test_a_crash_at_any_one_point_overruns_no_day_and_blocks_none(belt: Belt, name: str) -> None:
    """Before and after each claim, each fact about a day, each intent and each paid call."""
    scenario = SCENARIOS[name]
    whole = Taps(count_reads=False)
    play(belt, scenario, whole)
    points = points_of_budgets(whole)
    assert len(points) >= 6
    crash_at_each(partial(play, belt, scenario), whole, points)
