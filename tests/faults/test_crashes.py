"""Each function is broken off before and after each of its side effects; AWS repeats; nothing is paid twice or lost."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.faults.history import History, check
from tests.faults.taps import Point, Taps
from tests.functions.belt import Belt, drop_of

DATA = drop_of(4)


@dataclass
class Scenario:
    """What the provider does in a history, beside the crashes."""

    settings: dict[str, Any] = field(default_factory=dict)
    faults: list[dict[str, Any]] = field(default_factory=list)
    deliveries: int = 1


SCENARIOS = {
    "plain": Scenario({"outcomes": {"2": "errored:api_error", "3": "expired"}}),
    "delivered three times": Scenario(deliveries=3),
    "a line comes late": Scenario(faults=[{"call": "results", "do": [{"kind": "spoil", "missing": [2]}], "times": 1}]),
    "the results break off": Scenario(faults=[{"call": "results", "do": [{"kind": "cut", "at": 700}], "times": 2}]),
    "a line is missing": Scenario({"outcomes": {"1": "missing"}}),
    "the answer is lost after creating": Scenario(
        faults=[{"call": "create", "do": [{"kind": "lose", "when": "after"}]}]
    ),
    "the answer is lost before creating": Scenario(
        faults=[{"call": "create", "do": [{"kind": "lose", "when": "before"}]}]
    ),
    "the provider is busy": Scenario(faults=[{"call": "create", "do": [{"kind": "answer", "status": 429}]}]),
}


def play(belt: Belt, scenario: Scenario, points: set[Point]) -> Taps:
    """Play a scenario with crashes at some points, check its ending, and return what was seen."""
    belt.provider.reset()
    belt.provider.configure(**scenario.settings, faults=scenario.faults)
    belt.set_clock(datetime.now(UTC))
    taps = Taps(set(points))
    ending = History(belt, taps, deliveries=scenario.deliveries).play(DATA, f"inbox/{uuid4().hex}.jsonl")
    check(belt, ending, DATA)
    return taps


@pytest.mark.parametrize("name", SCENARIOS)
def test_a_crash_at_any_one_point_changes_nothing(belt: Belt, name: str) -> None:
    """All points of a scenario, before and after: found by playing it once without a crash."""
    scenario = SCENARIOS[name]
    seen = play(belt, scenario, set()).seen
    assert len(seen) > 10
    for number in range(len(seen)):
        crashed = [play(belt, scenario, {Point(number, when)}).crashed for when in ("before", "after")]
        assert crashed[0], f"{seen[number]} happened only once"
        assert crashed[1] or "POST" in seen[number], f"{seen[number]} was not answered"


@given(data=st.data(), name=st.sampled_from(sorted(SCENARIOS)))
@settings(
    max_examples=40,
    deadline=None,
    derandomize=True,
    phases=[Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_crashes_at_two_points_change_nothing(belt: Belt, data: st.DataObject, name: str) -> None:
    """The second may fall into what repairs the first."""
    point = st.builds(Point, st.integers(0, 30), st.sampled_from(["before", "after"]))
    play(belt, SCENARIOS[name], data.draw(st.sets(point, min_size=2, max_size=2)))
