"""Crashes in runs that stand at gates: a gate has one end, and nothing is paid that it does not allow."""

from contextlib import ExitStack
from functools import partial
from typing import NamedTuple
from uuid import uuid4

import orjson
import pytest

from tests.support.belt import Belt, drop_of
from tests.support.faults.copies import crash_at_each
from tests.support.faults.history import Ending, History
from tests.support.faults.scenes import write_control
from tests.support.faults.taps import At, Point, Taps, meanwhile
from tests.support.promises import agree, check

DATA = drop_of(3)
DURATION = 600
"""Seconds of a batch at the provider."""


class Scenario(NamedTuple):
    """What people do at a run, and how it ends."""

    says: tuple[tuple[str, str, str], ...]
    """After the call with such a name: the object that a person writes under `control/<run>/`, and its words."""
    hows: tuple[str, ...]
    """How each closed gate ended."""
    status: str
    paid: tuple[int, int]
    """The fewest and the most batches that are paid for."""
    holds: bool = True
    """Whether the drop asks for an approval."""


PAUSED = ("/batch-1.json", "pause", "")
SCENARIOS = {
    "approved": Scenario((("/gate-1.json", "approve-1", "approve"),), ("approved",), "completed", (3, 3)),
    "declined": Scenario((), ("declined",), "declined", (0, 0)),
    "stopped": Scenario((("/gate-1.json", "cancel", ""),), ("stopped",), "stopped", (0, 0)),
    "paused and resumed": Scenario(
        (PAUSED, ("/gate-2.json", "approve-2", "approve")), ("approved",), "completed", (3, 3), holds=False
    ),
    "paused and declined": Scenario((PAUSED,), ("declined",), "declined", (1, 2), holds=False),
    "paused at its first gate and stopped at its second": Scenario(
        (
            ("/gate-1.json", "pause", ""),
            ("/gate-1.json", "approve-1", "up-to 1"),
            ("/gate-2.json", "cancel", ""),
        ),
        ("approved", "stopped"),
        "stopped",
        (0, 0),
    ),
}


@pytest.fixture
def stack_settings(stack_settings: dict[str, str]) -> dict[str, str]:
    """Set one request per batch, and gates that end after a few polls."""
    return stack_settings | {"MAX_REQUESTS_PER_BATCH": "1", "HOLD_HOURS": "3"}


def play(belt: Belt, scenario: Scenario, taps: Taps) -> None:
    """Run a scenario and check its ending."""
    belt.reset()
    belt.provider.configure(seconds=DURATION)
    before = set(belt.stored("runs/"))

    def write(name: str, words: str) -> None:
        (run,) = {key.split("/")[1] for key in set(belt.stored("runs/")) - before}
        write_control(belt, run, name, words.encode())

    people = [At("after", call, partial(write, name, words)) for call, name, words in scenario.says]
    with ExitStack() as stack:
        stack.enter_context(meanwhile(belt.clients, *people))
        history = History(belt, taps, deliveries=2)
        metadata = {"hold": "always"} if scenario.holds else {}
        ending = history.play(DATA, f"inbox/{uuid4().hex}.jsonl", metadata)
    check_ending(belt, scenario, ending)


def check_ending(belt: Belt, scenario: Scenario, ending: Ending) -> None:
    """Check what was paid, delivered and told; also after an event that came after the end."""
    run, fewest, most = ending.run, *scenario.paid
    is_sent = ending.created > 0
    receipt = check(belt, run, ending.notice, DATA, scenario.status) if is_sent else agree(belt, run)
    assert ending.notice["status"] == receipt["status"] == scenario.status
    assert tuple(gate["how"] for gate in receipt["gates"]) == scenario.hows
    assert fewest <= ending.created <= most
    created = [batch["id"] for batch in belt.provider.stats()["batches"]]
    assert sorted(batch["id"] for batch in receipt["batches"]) == sorted(created), "a batch was paid for twice"
    for batch in receipt["batches"]:
        assert orjson.loads(belt.read(f"claims/batches/{batch['id']}")) == {
            "run": run,
            "batch": batch["number"],
            "project": "default",
        }
    calls = len(belt.facts(run, "attempt"))
    assert ending.created <= ending.creates <= calls, "a create call without a recorded attempt"
    told = {notice["status"] for notice in belt.notices if notice["run"] == run}
    assert told <= {"waiting-for-approval"}
    assert told or scenario.hows != ("declined",), "nobody was told of the gate"


def gate_points(whole: Taps) -> list[Point]:
    """Return the points at the facts of gates, and at the first paid call: the rest is as in runs without gates."""
    names = ("/gate-", "/passed-", "/refused.json")
    near = {number for number, call in enumerate(whole.seen) if any(name in call for name in names)}
    near |= {next((number for number, call in enumerate(whole.seen) if call.startswith("POST ")), -1)}
    return sorted(point for point in whole.distinct_points() if point.number in near)


@pytest.mark.parametrize("dialect", ["messages"], indirect=True)
@pytest.mark.parametrize("name", SCENARIOS)
def test_a_crash_at_any_one_point_changes_nothing_at_a_gate(belt: Belt, name: str) -> None:
    """Before and after each fact of a gate, and the first paid call. Gates do not depend on the dialect."""
    scenario = SCENARIOS[name]
    whole = Taps(count_reads=False)
    play(belt, scenario, whole)
    points = gate_points(whole)
    assert len(points) >= 4
    crash_at_each(partial(play, belt, scenario), whole, points)
