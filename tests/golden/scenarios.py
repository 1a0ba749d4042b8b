"""The states in which runs are kept: how a run gets there, and how it goes on."""

import gzip
from collections.abc import Callable
from typing import Any, NamedTuple

from tests.golden import histories
from tests.golden.histories import FILES, SELDOM, until
from tests.support.belt import Belt, drop_of, request
from tests.support.budgets import day_ceiling
from tests.support.faults.scenes import LOST, UNREADABLE, UNSENT, inject_faults
from tests.support.faults.taps import crash_at
from tests.support.gates import DEAR, HELD, message, pause, say, send_one, stop, the_run
from tests.support.probes import PROBED, answer_probe
from tests.support.rounds import failing_at_first

THREE, SIX = drop_of(3), drop_of(6)
BY_TWO = {"MAX_REQUESTS_PER_BATCH": "2"}
BY_TWELVE = {"MAX_REQUESTS_PER_BATCH": "12"}
BY_ONE = {"MAX_REQUESTS_PER_BATCH": "1"}
AT_ONCE: dict[str, Any] = {"seconds": 0, "batch_seconds": {}, "faults": [], "outcomes": {}, "queue_limit": None}
"""The provider answers everything, and batches end at once."""
LATER = {"kind": "answer", "status": 429, "headers": {"retry-after": "600"}}


class Scenario(NamedTuple):
    """How a run gets into a state, and how it goes on."""

    says: str
    play: Callable[[Belt], str]
    """Leaves a run in the state, and returns its id."""
    stack: dict[str, str] = {}  # noqa: RUF012  # never changed
    status: str = "completed"
    people: dict[str, str] = {}  # noqa: RUF012  # never changed
    """What people write under `control/<run>/` before it goes on."""
    mended: dict[str, Any] = AT_ONCE


def validated(belt: Belt) -> str:
    """Crash after the plan is written."""
    event = belt.drop(THREE)
    with crash_at(belt.clients, "before", "gate-1.json"):
        belt.submit(event)
    return the_run(belt)


def packed(belt: Belt) -> str:
    """Send a packed drop."""
    belt.provider.configure(seconds=1800)
    return until(belt, belt.upload(gzip.compress(THREE, mtime=0), "inbox/three.jsonl.gz"), "batch-1.json")


def held(belt: Belt) -> str:
    """Wait for an approval."""
    run = belt.upload(THREE, metadata=HELD)
    message(belt, run)
    return run


def approved(belt: Belt) -> str:
    """Approve it, and send it."""
    belt.provider.configure(seconds=1800)
    run = held(belt)
    say(belt, run, "approve")
    return until(belt, run, "batches/1/batch-1.json")


def probing(belt: Belt) -> str:
    """Send the probe."""
    belt.provider.configure(seconds=1800)
    return until(belt, belt.upload(drop_of(60), metadata=PROBED), "probe/batches/1/batch-1.json")


def probed(belt: Belt) -> str:
    """Split the probe, and send the rest."""
    run = belt.upload(drop_of(60), metadata=PROBED)
    answer_probe(belt, run)
    belt.provider.configure(seconds=1800)
    return until(belt, run, "batches/1/batch-1.json")


def sent(belt: Belt) -> str:
    """Send one batch."""
    belt.provider.configure(seconds=1800)
    return until(belt, belt.upload(THREE), "batches/1/batch-1.json")


def some_split(belt: Belt) -> str:
    """Send three batches, of which one has ended."""
    belt.provider.configure(seconds=None, batch_seconds={"1": 60})
    return until(belt, belt.upload(SIX), "batches/1/part.json", "batches/3/batch-1.json")


def in_round(belt: Belt) -> str:
    """Send the first round."""
    with failing_at_first(belt, batch_seconds={"2": None}):
        return until(belt, belt.upload(SIX), "round-1/batches/1/batch-1.json")


def merged(belt: Belt) -> str:
    """Merge what the round has answered."""
    with failing_at_first(belt):
        return until(belt, belt.upload(SIX), "batches/1/merged.json")


def undecided(belt: Belt) -> str:
    """Tell a person that nobody knows whether a call created a batch."""
    inject_faults(belt, LOST, UNREADABLE)
    run = until(belt, belt.upload(THREE), "batches/1/unknown-1.json")
    while not belt.notices:
        belt.step(run)
    return run


def absent(belt: Belt) -> str:
    """Conclude that a lost call created nothing."""
    inject_faults(belt, UNSENT)
    return until(belt, belt.upload(THREE), "batches/1/absent-1.json")


def budget(belt: Belt) -> str:
    """Wait for the next day."""
    day_ceiling(belt, "0.40")
    belt.provider.configure(seconds=1800)
    run = belt.upload(DEAR)
    send_one(belt, run)
    return until(belt, run, "budget-2026-11-30.json", "reached-2026-11-30-80.json")


def paused(belt: Belt) -> str:
    """Pause between two batches."""
    belt.provider.configure(seconds=1800)
    run = belt.upload(drop_of(2))
    pause(belt, run)
    return until(belt, run, "gate-2.json")


def without_room(belt: Belt) -> str:
    """Wait for room in the provider's queue."""
    belt.provider.configure(seconds=1800)
    run = belt.upload(drop_of(4))
    until(belt, run, "batches/1/batch-1.json")
    while not belt.stored("claims/waiting/"):
        belt.step(run)
    return run


def told_to_wait(belt: Belt) -> str:
    """Get a Retry-After."""
    belt.provider.configure(faults=[{"call": "create", "do": LATER}])
    return until(belt, belt.upload(THREE), "batches/1/refused-1.json")


def account(belt: Belt) -> str:
    """Read in results that the account is refused."""
    belt.provider.configure(outcomes={"2": "errored:billing_error"})
    return until(belt, belt.upload(SIX), "batches/1/account.json", "gate-2.json")


def ended(belt: Belt) -> str:
    """End with results and failures of several batches."""
    belt.provider.configure(outcomes={"2": "errored:invalid_request_error"})
    run = belt.upload(SIX)
    belt.finish(run)
    return run


def joined(belt: Belt) -> str:
    """Join large results, and crash before the receipt."""
    belt.provider.configure(answer_chars=250_000)
    lines = (request(f"r-{number}", max_tokens=64_000) + b"\n" for number in range(1, 25))
    run = until(belt, belt.upload(b"".join(lines)), "batches/1/part.json", "batches/2/part.json")
    with crash_at(belt.clients, "before", "receipt.json"):
        belt.report(run)
    return run


def refused(belt: Belt) -> str:
    """End before anything is sent."""
    run = belt.upload(THREE + request("r-4", max_tokens=-1) + b"\n")
    belt.finish(run)
    return run


def stopping(belt: Belt) -> str:
    """Cancel a batch that takes its time to end."""
    belt.provider.configure(seconds=None, canceling_seconds=1800)
    run = belt.upload(THREE)
    stop(belt, run)
    return until(belt, run, "batches/1/cancel.json")


SCENARIOS = {
    "validated": Scenario("the plan is written, and no gate", validated),
    "packed": Scenario("a packed drop is sent", packed),
    "held": Scenario("it waits for an approval", held, people={"approve-1": "approve\n"}),
    "held-and-declined": Scenario("it waits for an approval, and nobody approves", held, SELDOM, status="declined"),
    "approved": Scenario("it was approved, and its batch is under way", approved),
    "probing": Scenario("the probe is under way", probing),
    "probed": Scenario("the probe is answered, and the rest is under way", probed),
    "sent": Scenario("its batch is under way", sent),
    "sent-as-file": Scenario("its batch of a file is under way", sent, FILES),
    "some-split": Scenario("one of three batches is split", some_split, BY_TWO),
    "in-round": Scenario("a round is under way", in_round, {"RETRY_ROUNDS": "2"}),
    "merged": Scenario("a round is merged", merged, {"RETRY_ROUNDS": "2"}),
    "undecided": Scenario("nobody knows whether a call created a batch", undecided, SELDOM),
    "absent": Scenario("a lost call created nothing", absent, SELDOM),
    "budget": Scenario("it waits for its budget", budget, BY_ONE),
    "paused": Scenario("it is paused between two batches", paused, BY_ONE, people={"approve-2": "approve\n"}),
    "without-room": Scenario(
        "it waits for room in the provider's queue", without_room, {"MAX_QUEUED_REQUESTS": "3"} | BY_TWO
    ),
    "told-to-wait": Scenario("the provider asked not to be called", told_to_wait),
    "account": Scenario(
        "the provider refuses the account, in results",
        account,
        {"MAX_QUEUED_REQUESTS": "2"} | BY_TWO,
        people={"approve-2": "approve\n", "approve-3": "approve\n"},
    ),
    "stopping": Scenario("a person stopped it, and its batch is being cancelled", stopping, status="stopped"),
    "joined": Scenario(
        "its large results are joined, and there is no receipt", joined, {"MAX_REQUESTS_PER_BATCH": "12"}
    ),
    "ended": Scenario("it has ended", ended, BY_TWO),
    "refused": Scenario("it was refused", refused, status="refused"),
} | {name: Scenario(*parts) for name, parts in histories.ODD.items()}
