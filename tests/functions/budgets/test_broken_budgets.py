"""A file with limits that breaks while runs go on: nobody knows the ceiling, which is not the same as none."""

import pytest

from tests.functions.budgets.test_days import ONE, TWO
from tests.support.belt import Belt
from tests.support.budgets import day_ceiling, set_budgets, the_log
from tests.support.faults.taps import At, meanwhile
from tests.support.gates import DEAR, pause, say, send_one, stop

BROKEN = b'{"default": {"usd_per_day": "a lot"}}'


def code_of(belt: Belt, run: str, number: int = 2) -> str:
    """Return the code of the only reason of a gate."""
    (reason,) = belt.fact(run, f"gate-{number}.json")["reasons"]
    assert "config/budgets.json: default.usd_per_day is" in reason["message"]
    return str(reason["code"])


@pytest.mark.parametrize("before", [b'{"default": {"usd_per_day": 9}}', None])
def test_it_closes_the_gate_before_the_next_batch(belt: Belt, before: bytes | None) -> None:
    """A15: also where there was no ceiling before, since there may be one now."""
    if before:
        set_budgets(belt, before)
    run = belt.upload(DEAR)
    set_budgets(belt, BROKEN)
    send_one(belt, run)
    assert (belt.creates(), code_of(belt, run)) == ((1, 1), "budgets-unread")
    belt.submit({"run": run})
    assert belt.creates() == (1, 1)


def test_it_is_seen_between_validation_and_the_first_call(belt: Belt) -> None:
    """The limits of the drop were read; those of the day are read right before the call."""
    with meanwhile(belt.clients, At("after", "gate-1.json", lambda: set_budgets(belt, BROKEN))):
        run = belt.upload(DEAR)
    assert (belt.creates(), code_of(belt, run)) == ((0, 0), "budgets-unread")


def test_prices_that_break_in_mid_run_change_nothing(belt: Belt) -> None:
    """The plan has those of the run."""
    run = belt.upload(DEAR)
    belt.s3.put_object(Bucket=belt.bucket, Key="config/prices.json", Body=b"{]")
    send_one(belt, run)
    assert belt.creates() == (2, 2)


def test_who_approves_it_lets_the_run_go_on_as_long_as_the_file_is_wrong(belt: Belt) -> None:
    """A person may have to decide before an administrator is there. A ceiling that is known again counts again."""
    run = belt.upload(DEAR)
    set_budgets(belt, BROKEN)
    send_one(belt, run)
    belt.poll(run)
    say(belt, run, "approve", 2)
    send_one(belt, run)
    assert (belt.creates(), the_log(belt)) == ((2, 2), [])
    day_ceiling(belt, "0.01")
    send_one(belt, run)
    assert belt.creates() == (2, 2)
    assert belt.fact(run, "gate-3.json")["reasons"][0]["code"] == "day"


@pytest.mark.parametrize(("wrong", "made"), [("prices.json", 1), ("budgets.json", 2)])
def test_who_approves_wrong_prices_does_not_lift_the_limits(belt: Belt, wrong: str, made: int) -> None:
    """Only an approval of a gate that says that the limits are not known is for going on without them."""
    belt.s3.put_object(Bucket=belt.bucket, Key=f"config/{wrong}", Body=b"{]")
    run = belt.upload(ONE + TWO)
    say(belt, run, "up-to 0.33")
    belt.poll(run)
    day_ceiling(belt, "9")
    belt.submit({"run": run})
    assert belt.creates() == (1, 1)
    set_budgets(belt, BROKEN)
    send_one(belt, run)
    assert belt.creates() == (made, made)


def test_other_runs_go_on_where_the_file_is_right_again(belt: Belt) -> None:
    """A drop that comes after the repair meets no gate."""
    set_budgets(belt, BROKEN)
    belt.upload(ONE, "inbox/one.jsonl")
    day_ceiling(belt, "1")
    belt.upload(DEAR, "inbox/other.jsonl")
    assert belt.creates() == (1, 1)


def test_a_pause_at_the_same_time_is_not_passed_over(belt: Belt) -> None:
    """`poll` closes the gate of the pause right before `submit` finds the file wrong: a repair does not end a pause."""
    run = belt.upload(DEAR)
    set_budgets(belt, BROKEN)

    def pause_and_poll() -> None:
        pause(belt, run)
        belt.poll(run)

    with meanwhile(belt.clients, At("after", "GetObject config/budgets.json", pause_and_poll)):
        belt.submit({"run": run})
    day_ceiling(belt, "9")
    assert belt.facts(run, "gate") == ["gate-1.json", "gate-2.json"]
    assert belt.poll(run)["next"] == "wait"
    belt.submit({"run": run})
    assert belt.creates() == (1, 1)
    say(belt, run, "approve", 2)
    send_one(belt, run)
    assert belt.creates() == (2, 2)


def test_a_stop_at_the_same_time_leaves_no_gate_behind(belt: Belt) -> None:
    """Nobody would end it."""
    run = belt.upload(DEAR)
    set_budgets(belt, BROKEN)

    def stop_and_poll() -> None:
        stop(belt, run)
        belt.poll(run)

    with meanwhile(belt.clients, At("after", "GetObject config/budgets.json", stop_and_poll)):
        belt.submit({"run": run})
    assert belt.facts(run, "gate") == ["gate-1.json"]
