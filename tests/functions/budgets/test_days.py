"""What the runs of a project may spend in one day, together, whatever comes at once."""

from decimal import Decimal

import pytest

from conveyor.spend.claim import Day
from conveyor.spend.spent import Taken, taken
from tests.functions.budgets.conftest import NOON
from tests.support.belt import Belt, request
from tests.support.budgets import day_ceiling, set_budgets, the_log
from tests.support.faults.scenes import inject_faults
from tests.support.faults.taps import At, crash_at, meanwhile
from tests.support.gates import DEAR, HOUR, say, send_one, the_run

ONE, TWO, THREE = DEAR.splitlines(keepends=True)
MOST = Decimal("0.160064")
"""What each of these requests may cost."""
REFUSED = {"call": "create", "do": {"kind": "answer", "status": 429}}


def test_each_batch_reserves_what_it_may_cost_right_before_its_intent(belt: Belt) -> None:
    """The claim names the attempt, and what is taken of the day with it."""
    day_ceiling(belt, "0.50")
    run = belt.upload(DEAR)
    send_one(belt, run)
    claims = the_log(belt, day="2026-11-30")
    assert [(each.run, each.batch, each.attempt) for each in claims] == [(run, 1, 1), (run, 2, 1)]
    assert [each.usd for each in claims] == [MOST, Decimal("0.160063")]
    assert [each.total_usd for each in claims] == [MOST, Decimal("0.320127")]
    assert [each.ceiling_usd for each in claims] == [Decimal("0.5")] * 2


def test_a_project_without_a_ceiling_keeps_no_log(belt: Belt) -> None:
    """It costs no request more than the listing that shows that there is no ceiling."""
    belt.upload(ONE)
    assert (belt.creates(), the_log(belt)) == ((1, 1), [])


def test_a_batch_that_does_not_fit_waits_and_goes_on_the_next_day(belt: Belt) -> None:
    """It leaves no mark in the queue, where it would hold up runs of other projects."""
    day_ceiling(belt, "0.40")
    run = belt.upload(DEAR)
    send_one(belt, run)
    for _ in range(5):
        assert belt.poll(run)["next"] in {"submit", "notify"}
        belt.submit({"run": run})
        belt.pass_time(300)
    assert belt.creates() == (2, 2)
    assert belt.facts(run, "budget") == ["budget-2026-11-30.json"]
    assert belt.stored("claims/waiting/") == []
    belt.pass_time(12 * HOUR)
    belt.submit({"run": run})
    assert belt.creates() == (3, 3)
    assert [each.total_usd for each in the_log(belt, day="2026-12-01")] == [MOST]


def test_what_does_not_fit_is_written_down_with_its_amounts(belt: Belt) -> None:
    """Messages take them from there."""
    day_ceiling(belt, "0.20")
    belt.upload(ONE, "inbox/one.jsonl")
    run = belt.upload(TWO, "inbox/two.jsonl")
    fact = belt.fact(run, "budget-2026-11-30.json")
    assert (fact["log"], fact["ceiling_usd"], fact["need_usd"]) == ("default", 0.2, float(MOST))
    assert (fact["taken_usd"], fact["until"]) == (float(MOST), "2026-12-01T00:00:00Z")
    assert belt.fact(run, "reached-2026-11-30-100.json")["percent"] == 100


def test_a_run_that_passes_80_percent_writes_that_down(belt: Belt) -> None:
    """One that does not pass it does not, nor does any once a message was claimed."""
    day_ceiling(belt, "0.40")
    first, second = belt.upload(ONE, "inbox/one.jsonl"), belt.upload(TWO, "inbox/two.jsonl")
    assert [belt.facts(run, "reached") for run in (first, second)] == [[], ["reached-2026-11-30-80.json"]]
    day_ceiling(belt, "0.60")
    belt.s3.put_object(Bucket=belt.bucket, Key="claims/spend/default/2026-11-30/reached-80", Body=second.encode())
    third = belt.upload(THREE, "inbox/three.jsonl")
    assert (belt.creates(), belt.facts(third, "reached")) == ((3, 3), [])


def test_where_there_is_no_room_the_day_is_counted_again_with_real_costs(belt: Belt) -> None:
    """A split batch counts with what it has cost: the next goes on by itself, on the same day."""
    belt.provider.configure(seconds=60)
    day_ceiling(belt, "0.20")
    first = belt.upload(ONE, "inbox/one.jsonl")
    second = belt.upload(TWO, "inbox/two.jsonl")
    assert belt.creates() == (1, 1)
    belt.finish(first)
    belt.submit({"run": second})
    assert belt.creates() == (2, 2)
    reserved, early, counted, own = the_log(belt)
    assert (early.is_recount, early.total_usd, counted.is_recount) == (True, MOST, True)
    assert reserved.total_usd == MOST
    assert float(counted.total_usd) == pytest.approx(belt.receipt(first)["cost_usd"], abs=1e-6)
    assert 0 < counted.total_usd < Decimal("0.01")
    assert own.total_usd == counted.total_usd + MOST


def test_a_day_is_counted_again_at_most_once_in_five_minutes(belt: Belt) -> None:
    """Each count reads all claims of the day."""
    day_ceiling(belt, "0.20")
    belt.upload(ONE, "inbox/one.jsonl")
    run = belt.upload(TWO, "inbox/two.jsonl")
    for _ in range(3):
        belt.submit({"run": run})
    assert len(the_log(belt)) == 2
    belt.pass_time(300)
    belt.submit({"run": run})
    assert len(the_log(belt)) == 3


def test_attempts_that_created_nothing_cost_nothing(belt: Belt) -> None:
    """Each attempt has its claim, and those of refused ones are taken off where room is needed."""
    day_ceiling(belt, "0.40")
    inject_faults(belt, REFUSED | {"times": 4})
    run = belt.upload(ONE, "inbox/one.jsonl")
    for _ in range(4):
        belt.pass_time(2000)
        belt.submit({"run": run})
    assert belt.creates() == (5, 1)
    belt.upload(TWO, "inbox/two.jsonl")
    assert belt.creates() == (6, 2)
    assert the_log(belt)[-1].total_usd == 2 * MOST


def test_a10_an_attempt_after_midnight_reserves_on_its_own_day(belt: Belt) -> None:
    """A10: what was reserved for an attempt that came to nothing before midnight does not pay for one after it."""
    day_ceiling(belt, "0.40")
    belt.set_clock(NOON.replace(hour=23, minute=59))
    inject_faults(belt, REFUSED)
    run = belt.upload(ONE)
    belt.pass_time(120)
    belt.submit({"run": run})
    assert belt.creates() == (2, 1)
    assert [each.attempt for each in the_log(belt, day="2026-11-30")] == [1]
    assert [each.attempt for each in the_log(belt, day="2026-12-01")] == [2]


def test_a10_no_call_begins_on_another_day_than_it_was_reserved_for(belt: Belt) -> None:
    """A10: midnight may come between the two."""
    day_ceiling(belt, "0.40")
    belt.set_clock(NOON.replace(hour=23, minute=59, second=59))
    with meanwhile(belt.clients, At("after", "claims/spend", lambda: belt.pass_time(2))):
        run = belt.upload(ONE)
    assert (belt.creates(), belt.facts(run, "attempt")) == ((0, 0), [])
    belt.submit({"run": run})
    assert belt.creates() == (1, 1)
    assert len(the_log(belt, day="2026-12-01")) == 1


def test_a_function_that_dies_after_its_claim_takes_room_once(belt: Belt) -> None:
    """It claims again, and where that leaves no room, the attempt is counted once."""
    day_ceiling(belt, "0.40")
    with crash_at(belt.clients, "after", "PutObject claims/spend"), pytest.raises(ConnectionError):
        belt.upload(ONE, "inbox/one.jsonl")
    (run,) = {key.split("/")[1] for key in belt.stored("runs/")}
    belt.submit({"run": run})
    belt.upload(TWO, "inbox/two.jsonl")
    assert belt.creates() == (2, 2)
    assert the_log(belt)[-1].total_usd == 2 * MOST


@pytest.mark.parametrize("words", ["", "up-to 0.17"])
def test_a_function_that_dies_after_its_claim_does_not_wait_for_its_own_room(belt: Belt, words: str) -> None:
    """Its claim is in what is taken of the day: also where the batch has the day for itself, as a person said."""
    day_ceiling(belt, "0.10" if words else "0.20")
    if words:
        run = belt.upload(ONE)
        say(belt, run, words, 2)
        assert belt.poll(run)["next"] == "submit"
        with crash_at(belt.clients, "after", "PutObject claims/spend"):
            belt.submit({"run": run})
    else:
        with crash_at(belt.clients, "after", "PutObject claims/spend"):
            belt.upload(ONE)
        run = the_run(belt)
    belt.submit({"run": run})
    assert (belt.creates(), belt.facts(run, "budget")) == ((1, 1), [])
    assert [each.usd for each in the_log(belt) if not each.is_recount] == [MOST]
    belt.upload(TWO, "inbox/two.jsonl")
    assert belt.creates() == (1, 1)


def test_a_lowered_ceiling_counts_for_what_is_reserved_and_not_sent(belt: Belt) -> None:
    """A claim of a function that died gives no right to more than there is by now."""
    day_ceiling(belt, "0.20")
    with crash_at(belt.clients, "after", "PutObject claims/spend"):
        belt.upload(ONE)
    run = the_run(belt)
    day_ceiling(belt, "0.40")
    belt.upload(TWO, "inbox/two.jsonl")
    day_ceiling(belt, "0.30")
    belt.submit({"run": run})
    assert belt.creates() == (1, 1)


def test_what_a_stopped_run_has_reserved_and_not_sent_is_free(belt: Belt) -> None:
    """Its function died between claim and intent, and a person stops the run."""
    day_ceiling(belt, "0.20")
    with crash_at(belt.clients, "after", "PutObject claims/spend"), pytest.raises(ConnectionError):
        belt.upload(ONE, "inbox/one.jsonl")
    (run,) = {key.split("/")[1] for key in belt.stored("runs/")}
    other = belt.upload(TWO, "inbox/two.jsonl")
    assert belt.creates() == (0, 0)
    belt.s3.put_object(Bucket=belt.bucket, Key=f"control/{run}/cancel", Body=b"")
    belt.poll(run)
    belt.pass_time(300)
    belt.submit({"run": other})
    assert belt.creates() == (1, 1)


def test_a_raised_ceiling_counts_at_the_next_look(belt: Belt) -> None:
    """It is read anew for each paid call."""
    day_ceiling(belt, "0.20")
    belt.upload(ONE, "inbox/one.jsonl")
    run = belt.upload(TWO, "inbox/two.jsonl")
    day_ceiling(belt, "0.40")
    belt.submit({"run": run})
    assert belt.creates() == (2, 2)


def test_a16_projects_without_limits_of_their_own_share_one_day(belt: Belt) -> None:
    """A16: another name in the metadata gives nobody another ceiling."""
    set_budgets(belt, {"default": {"usd_per_day": 0.2}, "projects": {"team": {}}})
    for number, project in enumerate(("a", "b"), 1):
        belt.upload(request(f"r-{number}", max_tokens=64_000), f"inbox/{project}.jsonl", {"project": project})
    assert belt.creates() == (1, 1)
    belt.upload(ONE, "inbox/team/one.jsonl")
    assert belt.creates() == (2, 2)
    assert (len(the_log(belt, "default")), len(the_log(belt, "team"))) == (2, 1)


def test_a_raced_last_number_of_the_log_is_taken_once(belt: Belt) -> None:
    """The other's claim leaves no room: this batch waits."""
    day_ceiling(belt, "0.20")
    runs = list[str]()

    def other() -> None:
        runs.append(belt.upload(TWO, "inbox/two.jsonl"))

    with meanwhile(belt.clients, At("before", "PutObject claims/spend", other)):
        belt.upload(ONE, "inbox/one.jsonl")
    assert belt.creates() == (1, 1)
    assert [each.run for each in the_log(belt) if not each.is_recount] == runs


def test_what_is_taken_of_a_day_is_read_from_its_log(belt: Belt) -> None:
    """For a view of all projects; nothing is taken of a day without a log."""
    day_ceiling(belt, "0.50")
    day = Day.at(belt.moment)
    assert taken(belt.clients.bucket, "default", day) is None
    belt.upload(ONE)
    assert taken(belt.clients.bucket, "default", day) == Taken(MOST, Decimal("0.5"))


def test_two_functions_that_send_the_same_batch_reserve_it_once(belt: Belt) -> None:
    """The upload's function and the state machine's may run at the same time: one of them pays."""
    day_ceiling(belt, "0.50")

    def other() -> None:
        (run,) = {key.split("/")[1] for key in belt.stored("runs/")}
        belt.submit({"run": run})

    with meanwhile(belt.clients, At("before", "PutObject claims/spend", other)):
        belt.upload(ONE)
    assert (belt.creates(), len(the_log(belt))) == ((1, 1), 1)
