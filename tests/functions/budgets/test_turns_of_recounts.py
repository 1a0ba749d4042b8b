"""A recount reads all claims of a day, so few are made, and none for nothing."""

from concurrent.futures import ThreadPoolExecutor

from tests.functions.budgets.test_days import MOST, ONE, TWO
from tests.support.belt import Belt, request
from tests.support.budgets import day_ceiling, the_log
from tests.support.faults.taps import At, Call, When, crash_at, meanwhile, tapped, together

FIRST_CLAIM = "GetObject claims/spend/default/2026-11-30/00000001"
MANY = 12


def test_of_many_that_find_no_room_at_the_same_time_one_counts(belt: Belt) -> None:
    """Each would read all claims of the day, and the ledgers of all runs, and only one could write what it counts."""
    day_ceiling(belt, "0.20")
    belt.upload(ONE + TWO)
    drops = [belt.drop(request(f"r-{n}", max_tokens=64_000), f"inbox/{n}.jsonl") for n in range(MANY)]
    runs, read = [belt.submit(drop)["run"] for drop in drops], list[str]()
    belt.pass_time(400)

    def note(call: Call, when: When) -> None:
        if when == "before" and call.name == FIRST_CLAIM:
            read.append(call.name)

    at_once = together(belt.clients, MANY, "/recount-")
    with tapped(belt.clients, note), at_once, ThreadPoolExecutor(MANY) as pool:
        list(pool.map(lambda run: belt.submit({"run": run}), runs))
    assert len(read) == 1
    assert [each.is_recount for each in the_log(belt)] == [False, True, True]


def test_what_others_reserve_while_a_day_is_counted_is_added(belt: Belt) -> None:
    """Where small batches come all the time, a large one would else never be counted room for."""
    belt.provider.configure(seconds=60)
    day_ceiling(belt, "0.20")
    belt.finish(belt.upload(ONE, "inbox/one.jsonl"))

    def small() -> None:
        belt.upload(request("r-9", max_tokens=1000), "inbox/small.jsonl")

    with meanwhile(belt.clients, At("before", "PutObject claims/spend/default/2026-11-30/00000002", small)):
        belt.upload(TWO, "inbox/two.jsonl")
    assert belt.creates() == (3, 3)
    one, other, counted, own = the_log(belt)
    assert (one.usd, counted.is_recount) == (MOST, True)
    assert other.usd < counted.total_usd < other.usd + one.usd / 10
    assert own.total_usd == counted.total_usd + MOST


def test_a_recount_that_crashes_is_made_again_after_five_minutes(belt: Belt) -> None:
    """It holds up nobody for longer."""
    belt.provider.configure(seconds=60)
    day_ceiling(belt, "0.20")
    belt.finish(belt.upload(ONE, "inbox/one.jsonl"))
    event = belt.drop(TWO, "inbox/two.jsonl")
    with crash_at(belt.clients, "before", FIRST_CLAIM, nth=2):
        belt.submit(event)
    belt.submit(event)
    assert belt.creates() == (1, 1)
    belt.pass_time(300)
    belt.submit(event)
    assert belt.creates() == (2, 2)
