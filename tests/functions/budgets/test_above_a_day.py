"""A batch that may cost more than a whole day's ceiling is a person's to decide on."""

import pytest

from tests.functions.budgets.test_days import ONE, THREE, TWO
from tests.support.belt import Belt, request
from tests.support.budgets import day_ceiling, set_budgets, the_log
from tests.support.faults.taps import When, crash_at
from tests.support.gates import DEAR, HOUR, say, stop
from tests.support.settings import tune

URL = {"type": "image", "source": {"type": "url", "url": "https://example.com/a.png"}}
CHEAP = request("r-1", max_tokens=1_000) + b"\n"
WITHOUT_BOUND = request("r-1", messages=[{"role": "user", "content": [URL]}])


def gate_of(belt: Belt, run: str, number: int = 2) -> dict[str, object]:
    """Return the code and the words of the only reason of a gate."""
    (reason,) = belt.fact(run, f"gate-{number}.json")["reasons"]
    return dict(reason)


def test_it_closes_the_gate_and_says_by_how_much(belt: Belt) -> None:
    """It would wait for ever otherwise."""
    day_ceiling(belt, "0.10")
    run = belt.upload(ONE)
    assert belt.creates() == (0, 0)
    text = 'batch 1 may cost $0.17, and the project "default" may spend $0.10 a day (usd_per_day)'
    assert gate_of(belt, run) == {"code": "day", "message": text}


def test_approved_it_takes_a_day_on_which_nothing_else_is_spent(belt: Belt) -> None:
    """On a day that has begun it waits for the next; then it leaves no room for others."""
    set_budgets(belt, {"default": {"usd_per_day": 0.2}})
    belt.upload(ONE, "inbox/one.jsonl")
    day_ceiling(belt, "0.16")
    run = belt.upload(TWO, "inbox/two.jsonl")
    belt.poll(run)
    say(belt, run, "up-to 0.17", 2)
    belt.poll(run)
    belt.submit({"run": run})
    assert belt.creates() == (1, 1)
    belt.pass_time(12 * HOUR)
    belt.submit({"run": run})
    assert belt.creates() == (2, 2)
    belt.upload(THREE, "inbox/three.jsonl")
    assert belt.creates() == (2, 2)


def approved(belt: Belt, data: bytes, name: str) -> str:
    """Drop what may cost more than a day, and approve that; return its run."""
    run = belt.upload(data, f"inbox/{name}.jsonl")
    belt.poll(run)
    say(belt, run, "up-to 5", 2)
    belt.poll(run)
    belt.submit({"run": run})
    return run


def attempts(belt: Belt, *runs: str) -> list[int]:
    """Return how many paid calls each run has announced."""
    return [len(belt.facts(run, "attempt")) for run in runs]


def test_approved_it_has_the_next_day_also_if_others_come_first_on_each(belt: Belt) -> None:
    """Else small batches, sent soon after each midnight, would keep it waiting for ever."""
    set_budgets(belt, {"default": {"usd_per_day": 0.2}})
    belt.upload(ONE, "inbox/today.jsonl")
    day_ceiling(belt, "0.16")
    large = approved(belt, TWO, "large")
    small = belt.upload(CHEAP, "inbox/small.jsonl")
    belt.submit({"run": large})  # looks again and again
    assert [each.is_ahead for each in the_log(belt, day="2026-12-01")] == [True]
    belt.pass_time(12 * HOUR + 60)
    belt.submit({"run": small})
    assert attempts(belt, large, small) == [0, 0]
    belt.submit({"run": large})
    belt.submit({"run": small})
    assert attempts(belt, large, small) == [1, 0]
    belt.pass_time(24 * HOUR)
    belt.submit({"run": small})
    assert attempts(belt, large, small) == [1, 1]


def test_two_of_them_have_a_day_each(belt: Belt) -> None:
    """Whichever looks first; the day after is not reserved before it is needed."""
    day_ceiling(belt, "0.16")
    runs = [approved(belt, data, name) for data, name in ((ONE, "one"), (TWO, "two"), (THREE, "three"))]
    assert attempts(belt, *runs) == [1, 0, 0]
    belt.pass_time(12 * HOUR + 60)
    for run in reversed(runs):
        belt.submit({"run": run})
    assert attempts(belt, *runs) == [1, 1, 0]
    belt.pass_time(24 * HOUR)
    belt.submit({"run": runs[2]})
    assert attempts(belt, *runs) == [1, 1, 1]


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_function_that_dies_at_the_claim_of_the_next_day_takes_that_day_once(belt: Belt, when: When) -> None:
    """Its batch is sent on that day, by the next look."""
    day_ceiling(belt, "0.16")
    approved(belt, ONE, "one")
    with crash_at(belt.clients, when, "PutObject claims/spend/default/2026-12-01/"), pytest.raises(ConnectionError):
        approved(belt, TWO, "large")
    (large,) = {key.split("/")[1] for key in belt.stored("runs/") if "gate-2" in key} - {the_log(belt)[0].run}
    belt.submit({"run": large})
    assert len(the_log(belt, day="2026-12-01")) == 1
    belt.pass_time(12 * HOUR + 60)
    belt.submit({"run": large})
    assert attempts(belt, large) == [1]


@pytest.mark.parametrize("what", ["stopped", "sent"])
def test_the_day_that_it_does_not_need_is_free_again(belt: Belt, what: str) -> None:
    """It was stopped, or sent today since the limit was raised. A recount, at most five minutes later, sees it."""
    day_ceiling(belt, "0.16")
    approved(belt, ONE, "one")
    large = approved(belt, TWO, "large")
    if what == "sent":
        day_ceiling(belt, "1")
        belt.submit({"run": large})
    else:
        stop(belt, large)
        belt.poll(large)
    assert attempts(belt, large) == [int(what == "sent")]
    day_ceiling(belt, "0.16")
    belt.pass_time(12 * HOUR + 60)
    small = belt.upload(CHEAP, "inbox/small.jsonl")
    assert attempts(belt, small) == [1]


def test_without_a_bound_it_is_as_if_it_took_the_whole_day(belt: Belt) -> None:
    """Nobody knows what it will cost: it has a day for itself, once a person says so."""
    day_ceiling(belt, "0.30")
    run = belt.upload(WITHOUT_BOUND)
    assert "batch 1 has no bound of its cost, and" in str(gate_of(belt, run)["message"])
    belt.poll(run)
    say(belt, run, "no-limit", 2)
    belt.poll(run)
    belt.submit({"run": run})
    assert belt.creates() == (1, 1)
    assert [float(each.total_usd) for each in the_log(belt)] == [0.3]


def test_an_approval_for_another_reason_does_not_lift_it(belt: Belt) -> None:
    """D2: whoever approves what a run costs has not said that a day's ceiling may be passed."""
    day_ceiling(belt, "0.10")
    run = belt.upload(ONE, metadata={"hold": "always"})
    say(belt, run, "up-to 5", 1)
    belt.poll(run)
    belt.submit({"run": run})
    assert (belt.creates(), gate_of(belt, run)["code"]) == ((0, 0), "day")


def test_a_drop_whose_at_most_is_above_a_day_is_probed_first(belt: Belt, monkeypatch: pytest.MonkeyPatch) -> None:
    """The probe may show that it costs far less than a day's ceiling."""
    monkeypatch.setenv("CONVEYOR_PROBE_ABOVE", "1000")
    tune(monkeypatch, max_requests_per_batch=0)
    belt.provider.configure(seconds=60)
    day_ceiling(belt, "3")
    data = b"".join(request(f"r-{number}", max_tokens=8_000) + b"\n" for number in range(300))
    run = belt.upload(data)
    assert belt.facts(run, "attempt") == ["probe/batches/1/attempt-1.json"]
    end = belt.finish(run)
    assert (end["status"], end["results"]) == ("completed", 300)
    legs = [(each.leg, each.batch) for each in the_log(belt) if not each.is_recount]
    assert legs == [("probe", 1), ("", 1)]
    assert the_log(belt)[-1].total_usd < 3


def test_a_batch_of_a_round_reserves_like_any_other(belt: Belt, monkeypatch: pytest.MonkeyPatch) -> None:
    """Decision 10: on the day on which it is sent."""
    monkeypatch.setenv("CONVEYOR_RETRY_ROUNDS", "1")
    belt.provider.configure(seconds=60, outcomes={"1": "errored:overloaded_error"})
    day_ceiling(belt, "1")
    run = belt.upload(DEAR)
    belt.finish(run)
    assert {each.leg for each in the_log(belt)} == {"", "round-1"}
