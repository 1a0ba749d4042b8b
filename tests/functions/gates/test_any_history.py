"""Whatever people do, and in whatever order: nothing is paid that they do not allow, and every run ends."""

from random import Random

import pytest

from tests.support.belt import Belt, drop_of
from tests.support.gates import HELD, HOUR, pause, say, stop
from tests.support.promises import agree

DATA = drop_of(4)
STEPS = 40
SEEDS = range(24)
WORDS = ["approve", "up-to 5", "up-to 0.000001", "no-limit", "up-to 1,5", "yes"]


@pytest.fixture
def stack_settings(stack_settings: dict[str, str]) -> dict[str, str]:
    """Set one request per batch, and hours at gates, not days: the times below stand to them as hours to days."""
    return stack_settings | {"MAX_REQUESTS_PER_BATCH": "1", "HOLD_HOURS": "12"}


class People:
    """Those who write about one run, the clock, and the functions, at random."""

    def __init__(self, belt: Belt, random: Random) -> None:
        """Drop a file."""
        self.belt, self.random = belt, random
        self.event = belt.drop(DATA, metadata=random.choice([HELD, {}]))
        self.run: str = belt.submit(self.event)["run"]

    @property
    def gate(self) -> int:
        """The number of the latest gate."""
        return len(self.belt.facts(self.run, "gate"))

    def may_pay(self) -> bool:
        """Tell from the facts alone whether the run may pay."""
        if self.belt.fact(self.run, f"gate-{self.gate}.json")["open"]:
            return True
        passed = f"passed-{self.gate}.json"
        return passed in self.belt.facts(self.run) and self.belt.fact(self.run, passed)["how"] == "approved"

    def act(self) -> None:
        """Do one thing."""
        does = [self.poll, self.send, self.approve, self.pause, self.wait, self.stop]
        self.random.choices(does, [40, 20, 20, 8, 11, 1])[0]()

    def poll(self) -> None:
        """Poll, and split what is due; `submit` is called as often as it happens to be."""
        state = self.belt.poll(self.run)
        for number in state["batches"]:
            self.belt.split(self.run, number)

    def send(self) -> None:
        """Call submit as the state machine does, or as a repeated upload event does."""
        self.belt.submit(self.random.choice([{"run": self.run}, self.event]))

    def approve(self) -> None:
        """Write an approval, mostly of the latest gate."""
        say(self.belt, self.run, self.random.choice(WORDS), max(1, self.gate + self.random.choice([-1, 0, 0, 0, 1])))

    def pause(self) -> None:
        """Pause the run."""
        pause(self.belt, self.run)

    def wait(self) -> None:
        """Let time pass."""
        self.belt.pass_time(self.random.choice([600, HOUR, 5 * HOUR]))

    def stop(self) -> None:
        """Stop the run."""
        stop(self.belt, self.run)


@pytest.mark.parametrize("seed", SEEDS)
def test_nothing_is_paid_at_a_closed_gate_and_every_run_ends(belt: Belt, seed: int) -> None:
    """Whether it may pay follows from the facts; a batch is paid for once; the messages have no other status."""
    people = People(belt, Random(seed))  # noqa: S311  # the same histories every time
    for _ in range(STEPS):
        before = belt.creates()
        people.act()
        if belt.creates() != before:
            assert people.may_pay(), "paid at a closed gate"
    end = belt.finish(people.run)
    receipt = agree(belt, people.run)
    assert end["status"] == receipt["status"] in {"completed", "stopped", "declined", "failed"}
    assert belt.creates()[0] == belt.creates()[1] == len(receipt["batches"]) <= 4
    if receipt["status"] == "completed":
        assert len(receipt["batches"]) == 4
    for number in range(1, people.gate + 1):
        gate = belt.fact(people.run, f"gate-{number}.json")
        assert gate["open"] or gate["until"]
    assert {notice["status"] for notice in belt.notices} <= {"waiting-for-approval"}
