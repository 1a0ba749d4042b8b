"""Crashes while trouble with the provider is written down, and its end: there is one of it, and it is over."""

from functools import partial
from itertools import cycle
from uuid import uuid4

import pytest

from tests.support.belt import Belt, drop_of
from tests.support.faults.copies import crash_at_each
from tests.support.faults.dialects import DIALECTS
from tests.support.faults.history import Ending, History
from tests.support.faults.taps import At, Taps, meanwhile
from tests.support.promises import check

DATA = drop_of(4)
STATUSES = {"the provider is away": 503, "the provider refuses the key": 401, "the batch is gone": 404}


def play(belt: Belt, status: int, taps: Taps) -> None:
    """Let the provider answer nothing about a batch until that is written down, and check the ending."""
    belt.reset()
    away = {"call": "retrieve", "do": {"kind": "answer", "status": status}, "times": None}
    belt.provider.configure(seconds=600, faults=[away])
    well = At("after", "/trouble-", lambda: belt.provider.configure(faults=[]))
    with meanwhile(belt.clients, well):
        ending = History(belt, taps).play(DATA, f"inbox/{uuid4().hex}.jsonl")
    check_ending(belt, ending)


def check_ending(belt: Belt, ending: Ending) -> None:
    """Check that all is delivered, and that the ledger has one trouble with its end."""
    assert check(belt, ending.run, ending.notice, DATA)["results"] == 4
    (begun,), (over,) = belt.facts(ending.run, "trouble-"), belt.facts(ending.run, "over-")
    assert begun.removeprefix("trouble-") == over.removeprefix("over-")
    assert belt.fact(ending.run, begun)["at"] < belt.fact(ending.run, over)["at"]


@pytest.mark.parametrize(("dialect", "name"), list(zip(cycle(DIALECTS), STATUSES, strict=False)), indirect=["dialect"])
def test_a_crash_at_any_one_point_changes_nothing(belt: Belt, name: str) -> None:
    """From the first look that meets trouble to the one after its end; before and after that all is as without it."""
    whole = Taps(count_reads=False)
    play(belt, STATUSES[name], whole)
    begun, over = (next(at for at, call in enumerate(whole.seen) if kind in call) for kind in ("/trouble-", "/over-"))
    points = sorted(point for point in whole.all_points() if begun - 1 <= point.number <= over + 1)
    assert len(points) >= 4
    crash_at_each(partial(play, belt, STATUSES[name]), whole, points)
