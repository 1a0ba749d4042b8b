"""A gate that is closed because the limits cannot be read ends by itself once they can."""

import pytest

from tests.functions.budgets.test_broken_budgets import BROKEN
from tests.functions.budgets.test_days import ONE, TWO
from tests.support.belt import Belt
from tests.support.budgets import set_budgets
from tests.support.gates import DEAR, HOUR, message, say, send_one, stop
from tests.support.promises import plain

RIGHT = b'{"default": {"usd_per_day": 9}}'


@pytest.fixture
def held(belt: Belt) -> str:
    """Return a run that stands at such a gate after its first batch, which ends soon."""
    belt.provider.configure(seconds=600)
    run = belt.upload(ONE + TWO)
    set_budgets(belt, BROKEN)
    send_one(belt, run)
    assert belt.facts(run, "gate") == ["gate-1.json", "gate-2.json"]
    return run


def test_a_repaired_file_lets_the_run_go_on_and_its_receipt_says_so(belt: Belt, held: str) -> None:
    """The message said what is wrong, and the command that repairs it."""
    text = plain(message(belt, held)["message"])
    assert "config/budgets.json: default.usd_per_day is" in text
    assert "Repair config/budgets.json: the run goes on by itself once it is right." in text
    assert f"aws s3 cp budgets.json s3://{belt.bucket}/config/budgets.json" in text
    for _ in range(3):
        assert belt.poll(held)["next"] == "wait"
    set_budgets(belt, RIGHT)
    send_one(belt, held)
    assert belt.creates() == (2, 2)
    assert belt.finish(held)["status"] == "completed"
    (gate,) = belt.receipt(held)["gates"]
    assert (gate["how"], gate["up_to_usd"]) == ("repaired", None)


def test_a_file_that_is_removed_sets_no_limits_any_more(belt: Belt, held: str) -> None:
    """Then nobody needs to know them."""
    belt.s3.delete_object(Bucket=belt.bucket, Key="config/budgets.json")
    send_one(belt, held)
    assert belt.creates() == (2, 2)


def test_what_was_approved_before_stays_in_force(belt: Belt) -> None:
    """A repair is no approval: what is above the amount asks again."""
    run = belt.upload(ONE + TWO, metadata={"hold": "always"})
    say(belt, run, "up-to 0.33")
    send_one(belt, run)
    set_budgets(belt, BROKEN)
    send_one(belt, run)
    set_budgets(belt, RIGHT)
    send_one(belt, run)
    gates = [belt.fact(run, name) for name in belt.facts(run, "gate")]
    assert [(gate["up_to"], gate["approved"]) for gate in gates] == [(None, False), (0.33, True)]
    assert belt.creates() == (2, 2)


@pytest.mark.parametrize(
    ("words", "ending", "status"), [("stop", "stopped", "stopped"), ("approve", "approved", "completed")]
)
def test_what_a_person_says_comes_before_a_repair(belt: Belt, held: str, words: str, ending: str, status: str) -> None:
    """If both are there when the run looks."""
    set_budgets(belt, RIGHT)
    if words == "stop":
        stop(belt, held)
    else:
        say(belt, held, words, gate=2)
    belt.poll(held)
    assert belt.fact(held, "passed-2.json")["how"] == ending
    assert belt.finish(held)["status"] == status


def test_a_repair_comes_before_the_clock(belt: Belt, held: str) -> None:
    """Also if nobody looked between the repair and the end of the gate."""
    belt.pass_time(80 * HOUR)
    set_budgets(belt, RIGHT)
    assert belt.finish(held)["status"] == "completed"


def test_a_run_whose_limits_nobody_repairs_is_declined_and_says_why(belt: Belt, held: str) -> None:
    """Every closed gate ends."""
    belt.pass_time(73 * HOUR)
    end = belt.finish(held)
    assert end["status"] == "declined"
    assert "config/budgets.json could not be read for 72 hours (HoldHours)" in plain(end["message"])


def test_a_gate_with_another_reason_waits_for_a_person(belt: Belt) -> None:
    """The faults of the drop's own limits were written into its plan."""
    set_budgets(belt, BROKEN)
    run = belt.upload(ONE)
    set_budgets(belt, RIGHT)
    assert "approve-1" in message(belt, run)["message"]
    assert belt.poll(run)["next"] == "wait"


def test_a_repair_lets_every_run_go_on_without_a_person(belt: Belt) -> None:
    """However many stand there."""
    runs = [belt.upload(DEAR, f"inbox/{number}.jsonl") for number in range(10)]
    set_budgets(belt, BROKEN)
    for run in runs:
        send_one(belt, run)
        message(belt, run)
    set_budgets(belt, b'{"default": {"usd_per_day": 1000}}')
    for run in runs:
        send_one(belt, run)
    assert belt.creates() == (20, 20)
    assert {belt.fact(run, "passed-2.json")["how"] for run in runs} == {"repaired"}
