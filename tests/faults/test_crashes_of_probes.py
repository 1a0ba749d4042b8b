"""Crashes in runs with a probe: no leg is sent twice or taken for another, and no line is counted twice."""

from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from typing import Any
from uuid import uuid4

import orjson
import pytest

from conveyor.domain.keys import PROBE, leg_id
from tests.support.belt import Belt, drop_of
from tests.support.faults.copies import crash_at_each
from tests.support.faults.dialects import by_dialect
from tests.support.faults.history import Ending, History
from tests.support.faults.scenes import LOST, UNSENT, write_control
from tests.support.faults.taps import At, Point, Taps, meanwhile
from tests.support.probes import HOUR, IN_PROBE, PROBED, of_probe, of_rest, sent
from tests.support.promises import check

DATA = drop_of(53)
REST = 3


@dataclass
class Scenario:
    """How the provider behaves, what a person says, and how the run ends."""

    settings: dict[str, Any] = field(default_factory=dict)
    faults: list[dict[str, Any]] = field(default_factory=list)
    says: tuple[str, str, str] | None = None
    """After the call with such a name: the object that a person writes under `control/<run>/`, and its words."""
    data: bytes = DATA
    status: str = "completed"
    rest: int = REST
    """How many requests are sent besides the probe."""


REFUSED = {"every": {"1": "errored:invalid_request_error"}}
SCENARIOS = {
    "answered": Scenario({"outcomes": {"2": "errored:api_error", "3": "expired"}}),
    "its answer is lost after creating": Scenario(faults=[LOST]),
    "its answer is lost before creating": Scenario(faults=[UNSENT]),
    "the answer of the rest is lost": Scenario(faults=[LOST | {"after": 1}]),
    "no answer for an hour": Scenario({"seconds": 3 * HOUR}),
    "it fails and is approved": Scenario(REFUSED, says=("/gate-2.json", "approve-2", "approve"), status="failed"),
    "it fails and is declined": Scenario(REFUSED, status="declined", rest=0),
    "all lines are in it": Scenario(data=drop_of(3), rest=0),
}


@pytest.fixture
def stack_settings(stack_settings: dict[str, str]) -> dict[str, str]:
    """Set gates that end after a few polls."""
    return stack_settings | {"HOLD_HOURS": "3"}


def play(belt: Belt, scenario: Scenario, taps: Taps) -> None:
    """Run a scenario and check its ending."""
    belt.reset()
    belt.provider.configure(**scenario.settings, faults=scenario.faults)
    before = set(belt.stored("runs/"))

    def write(name: str, words: str) -> None:
        (run,) = {key.split("/")[1] for key in set(belt.stored("runs/")) - before}
        write_control(belt, run, name, words.encode())

    with ExitStack() as stack:
        if scenario.says:
            call, name, words = scenario.says
            stack.enter_context(meanwhile(belt.clients, At("after", call, partial(write, name, words))))
        ending = History(belt, taps, deliveries=2).play(scenario.data, f"inbox/{uuid4().hex}.jsonl", PROBED)
    check_ending(belt, scenario, ending)


def check_ending(belt: Belt, scenario: Scenario, ending: Ending) -> None:
    """Check what was sent, claimed and delivered."""
    run, in_probe = ending.run, min(IN_PROBE, scenario.data.count(b"\n"))
    receipt = check(belt, run, ending.notice, scenario.data, scenario.status)
    legs = [(of_probe(run), in_probe), *([(of_rest(run), scenario.rest)] if scenario.rest else [])]
    assert sent(belt) == legs, "a leg was sent twice, or not at all"
    for leg, batches in ((PROBE, receipt["probe"]["batches"]), ("", receipt["batches"])):
        for batch in batches:
            owner = orjson.loads(belt.read(f"claims/batches/{batch['id']}"))
            assert owner == {"run": leg_id(run, leg), "batch": batch["number"], "project": "default"}
            assert batch["duplicates"] == []
    assert ending.created <= ending.creates <= len(belt.facts(run, "attempt")), "a call without a recorded attempt"
    assert receipt["probe"]["requests"] == in_probe


def points_of_probe(whole: Taps) -> list[Point]:
    """Return the points at the facts and objects of the probe, at those of gates, and at paid calls."""
    names = ("/probe/", "/gate-", "/passed-", "/plan.jsonl", "/refused.json", "POST ")
    near = {number for number, call in enumerate(whole.seen) if any(name in call for name in names)}
    near |= {number for number, call in enumerate(whole.seen) if call.endswith("batches/1/part.json")}
    return sorted(point for point in whole.distinct_points() if point.number in near)


@pytest.mark.parametrize(("dialect", "name"), by_dialect(SCENARIOS), indirect=["dialect"])
def test_a_crash_at_any_one_point_changes_nothing(belt: Belt, name: str) -> None:
    """Before and after each write of the probe, each gate, and each paid call."""
    scenario = SCENARIOS[name]
    whole = Taps(count_reads=False)
    play(belt, scenario, whole)
    points = points_of_probe(whole)
    assert len(points) >= 8
    crash_at_each(partial(play, belt, scenario), whole, points)
