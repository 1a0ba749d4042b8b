"""Each function crashes before and after each of its side effects and is retried; nothing is paid twice or lost."""

import os
from base64 import b64encode
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from itertools import cycle
from random import Random
from typing import Any
from uuid import uuid4

import pytest

from tests.support.belt import Belt, drop_of
from tests.support.faults.copies import crash_at_each
from tests.support.faults.dialects import DIALECTS, TELLING
from tests.support.faults.history import History
from tests.support.faults.hostile_s3 import conflicting
from tests.support.faults.paid_once import check
from tests.support.faults.taps import Point, Taps

DATA = drop_of(4)
ASKED = os.environ.get("HISTORIES")
"""How many histories with two or three crashes to draw. If set, every point of every scenario is tested. If not, only
points that differ: between two side effects of a function it does not matter where it crashes, and up to its first own
event a scenario equals the plain one."""
HISTORIES = int(ASKED or "72")
LOT = 24
"""Histories that share a bucket."""
SHORTEST, LONGEST = 20, 32
"""Number of calls in the shortest and in the longest histories."""


@dataclass
class Scenario:
    """The behaviour of provider, S3 and upload event in a history, besides the crashes."""

    settings: dict[str, Any] = field(default_factory=dict)
    faults: list[dict[str, Any]] = field(default_factory=list)
    deliveries: int = 1
    conflicts: bool = False
    strange: tuple[int, int] = (0, 0)
    """Expected counts of foreign and repeated result lines in the receipt."""

    @property
    def loses_a_response(self) -> bool:
        """Whether it is unknown for a while if a batch was created."""
        return any(fault["call"] == "create" and _may_have_created(fault) for fault in self.faults)


def _may_have_created(fault: dict[str, Any]) -> bool:
    """Whether the client cannot know if the call created a batch: HTTP 429 says that it did not."""
    actions = fault["do"] if isinstance(fault["do"], list) else [fault["do"]]
    return not all(action["kind"] == "answer" and action["status"] == 429 for action in actions)


def at_create(*actions: dict[str, Any]) -> list[dict[str, Any]]:
    """Return a fault of the first create call."""
    return [{"call": "create", "do": list(actions)}]


HOSTILE = {
    "kind": "spoil",
    "foreign": ["stranger", "other-1"],
    "repeated": [1, 3],
    "repeated_as": "expired",
    "shuffle": 7,
    "crlf": True,
    "final_newline": False,
}
ODD = b'{"custom_id":"<wire id>","result":{"type":"succeeded","message":{"content":"\xff"}}}'
"""A result that is not valid UTF-8, in a form that both dialects read."""
SCENARIOS = {
    "plain": Scenario({"outcomes": {"2": "errored:api_error", "3": "expired"}}),
    "delivered three times": Scenario(deliveries=3),
    "a line comes late": Scenario(faults=[{"call": "results", "do": [{"kind": "spoil", "missing": [2]}], "times": 1}]),
    "the results break off": Scenario(faults=[{"call": "results", "do": [{"kind": "cut", "at": 700}], "times": 2}]),
    "the results are hostile": Scenario(
        {"outcomes": {"2": "canceled"}}, faults=[{"call": "results", "do": HOSTILE, "times": None}], strange=(2, 2)
    ),
    "an answer is repaired and another is cut off": Scenario(
        faults=[
            {
                "call": "results",
                "do": [{"kind": "spoil", "lines": {"1": b64encode(ODD).decode()}, "malformed": [2]}],
                "times": None,
            }
        ]
    ),
    "a line is missing": Scenario({"outcomes": {"1": "missing"}}),
    "the answer is lost after creating": Scenario(faults=at_create({"kind": "lose", "when": "after"})),
    "the answer is lost before creating": Scenario(faults=at_create({"kind": "lose", "when": "before"})),
    "the answer is lost and the batch listed late": Scenario(
        faults=at_create({"kind": "unlist", "looks": 1}, {"kind": "lose", "when": "after"})
    ),
    "an error comes after creating": Scenario(faults=at_create({"kind": "answer", "status": 529, "when": "after"})),
    "the provider is busy": Scenario(faults=at_create({"kind": "answer", "status": 429})),
    "the provider says when to come back": Scenario(
        faults=[
            {"call": call, "do": {"kind": "answer", "status": status, "headers": {"retry-after": "100"}}}
            for call, status in (("list", 429), ("create", 429), ("retrieve", 503), ("results", 429))
        ]
    ),
    "another writer is always at it": Scenario(conflicts=True),
}


def play(belt: Belt, scenario: Scenario, taps: Taps) -> None:
    """Run a scenario and check its ending."""
    belt.reset()
    belt.provider.configure(**scenario.settings, faults=scenario.faults)
    with ExitStack() as stack:
        if scenario.conflicts:
            stack.enter_context(conflicting(belt.clients))
        ending = History(belt, taps, deliveries=scenario.deliveries).play(DATA, f"inbox/{uuid4().hex}.jsonl")
    (batch,) = check(belt, ending, DATA)["batches"]
    assert (batch["foreign"], batch["repeated"]) == scenario.strange


EVERYWHERE = [
    (dialect, name)
    for name, scenario in SCENARIOS.items()
    for dialect in DIALECTS
    if dialect not in TELLING or scenario.loses_a_response or name == "plain"
]
"""A server that tells whose a batch is differs only after a lost response."""


@pytest.mark.parametrize(("dialect", "name"), EVERYWHERE, indirect=["dialect"])
def test_a_crash_at_any_one_point_changes_nothing(belt: Belt, name: str) -> None:
    """The points are before and after each call, found by running the scenario once without a crash."""
    scenario, every = SCENARIOS[name], ASKED is not None
    whole = Taps(count_reads=every)
    play(belt, scenario, whole)
    points = sorted(whole.all_points() if every else differing_points(belt, scenario, whole))
    assert len(points) > 5
    crash_at_each(partial(play, belt, scenario), whole, points)


def differing_points(belt: Belt, scenario: Scenario, whole: Taps) -> set[Point]:
    """Return the points of a scenario that differ from each other and from those of the plain scenario."""
    if scenario is SCENARIOS["plain"] or scenario.deliveries > 1:
        return whole.distinct_points()
    plain = Taps(count_reads=False)
    play(belt, SCENARIOS["plain"], plain)
    same_calls = whole.matching_calls(plain)
    return {point for point in whole.distinct_points() if point.number >= same_calls - 1}


LOTS = range(-(-HISTORIES // LOT))


@pytest.mark.parametrize(
    ("dialect", "lot"),
    [(dialect, lot) for dialect in DIALECTS for lot in LOTS if dialect not in TELLING or not lot or ASKED],
    indirect=["dialect"],
)
def test_crashes_at_two_or_three_points_change_nothing(belt: Belt, lot: int) -> None:
    """Later crashes may hit the recovery from the first. Most of the drawn points must be reached."""
    drawn = reached = 0
    for number in range(lot * LOT, min(lot * LOT + LOT, HISTORIES)):
        random = Random(number)  # noqa: S311  # the same histories every time
        name, points = random.choice(list(SCENARIOS)), draw(random)
        taps = Taps(set(points))
        play(belt, SCENARIOS[name], taps)
        assert taps.crashed, f"history {number} of {name} reached none of {points}"
        drawn, reached = drawn + len(points), reached + len(taps.crashed)
    assert reached > drawn * 0.7


def draw(random: Random) -> set[Point]:
    """Draw two or three points, the first of which every history reaches."""
    others = [Point(number, when) for number in range(LONGEST) for when in ("before", "after")]
    return {Point(random.randrange(SHORTEST), "before"), *random.sample(others, random.choice((1, 2)))}


@pytest.mark.local_aws
@pytest.mark.parametrize(("dialect", "name"), list(zip(cycle(DIALECTS), SCENARIOS, strict=False)), indirect=["dialect"])
def test_each_scenario_ends_the_same_on_the_local_aws(belt: Belt, name: str) -> None:
    """The histories above use an AWS in memory. Here the scenarios are spread over the dialects."""
    play(belt, SCENARIOS[name], Taps())
