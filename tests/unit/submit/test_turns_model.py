"""Any projects, runs and batches share a queue that drains: all are sent, and nobody waits for a flood."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conveyor.ledger.part import Part
from tests.support.shared_queue import ROOM, SharedQueue, sent

STEP = timedelta(seconds=30)
"""Between two looks of a run: in a whole example nobody waits for so long that others may go first."""
LONGEST = 3
"""Steps that a batch takes at most."""


@dataclass
class Waiter:
    """A run of a project, and what becomes of it."""

    run: str
    project: str
    batches: list[int]
    """Their requests."""
    comes: int
    """The step in which it looks for the first time."""
    sent: int = 0
    """How many of its batches were sent."""
    sent_since: Counter[str] = field(default_factory=Counter)
    """How many batches of each other project were sent while it waited for its first one."""


@st.composite
def waiters(draw: st.DrawFn, room: int) -> list[Waiter]:
    """Draw runs, oldest first: most of one project, which floods the queue."""
    project = st.sampled_from(["flood", "flood", "flood", "other", "third"])
    runs = draw(
        st.lists(
            st.tuples(project, st.lists(st.integers(1, room), min_size=1, max_size=3), st.integers(0, 6)),
            min_size=2,
            max_size=7,
        )
    )
    ids = [f"20261122T09000{number}Z-00" for number in range(len(runs))]
    return [Waiter(run, *drawn) for run, drawn in zip(ids, runs, strict=True)]


class Workspace:
    """The runs of an example, and the queue that they share."""

    def __init__(self, runs: list[Waiter], foreign: int, chance: Random) -> None:
        """`foreign`: requests of another program that are always in the queue."""
        self.queue, self.runs, self.chance = SharedQueue(), runs, chance
        self.ends: dict[str, tuple[int, Waiter, int]] = {}
        """By batch: the step in which it ends, its run, its number."""
        if foreign:
            self.queue.add_batch(foreign)

    def play(self, steps: int) -> int:
        """Let time pass until all is sent, for so many steps at most; return how many it took."""
        for step in range(steps):
            self._end(step)
            looking = [run for run in self.runs if run.comes <= step and run.sent < len(run.batches)]
            self.chance.shuffle(looking)
            for run in looking:
                self._look(run, step)
            if all(run.sent == len(run.batches) for run in self.runs):
                return step
            self.queue.now += STEP
        raise AssertionError(
            f"not sent after {steps} steps: {[run for run in self.runs if run.sent < len(run.batches)]}"
        )

    def _end(self, step: int) -> None:
        """End the batches whose time is over, and split them."""
        for batch in [batch for batch, (end, _, _) in self.ends.items() if end == step]:
            _, run, number = self.ends.pop(batch)
            self.queue.end_batches(batch)
            self.queue.writes(Part.key(run.run, number))

    def _look(self, run: Waiter, step: int) -> None:
        """Send the next batch of a run if it is admitted."""
        requests = run.batches[run.sent]
        if not self.queue.admits(run.run, requests, run.project):
            return
        run.sent += 1
        self.queue.writes(*sent(run.run, run.sent))
        batch = self.queue.add_batch(requests, project=run.project)
        self.ends[batch] = step + self.chance.randint(1, LONGEST), run, run.sent
        for other in self.runs:
            if other.comes < step and not other.sent and other.project != run.project:
                other.sent_since[run.project] += 1


@pytest.mark.slow
@given(st.data(), st.integers(0, ROOM - 1), st.randoms(use_true_random=False))
@settings(max_examples=30)
def test_all_are_sent_and_no_project_waits_for_the_flood_of_another(
    data: st.DataObject, foreign: int, chance: Random
) -> None:
    """The queue never idles for longer than a batch takes to end, and two looks.

    While the first drop of a project waits, each other project sends one batch at most.
    """
    runs = data.draw(waiters(ROOM - foreign))
    batches = sum(len(run.batches) for run in runs)
    Workspace(runs, foreign, chance).play(max(run.comes for run in runs) + batches * (LONGEST + 2))
    by_project = Counter(run.project for run in runs)
    for run in runs:
        if by_project[run.project] == 1:
            assert all(count <= 1 for count in run.sent_since.values()), run
