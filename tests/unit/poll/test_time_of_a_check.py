"""A check ends within the time of its function, however long the provider keeps silent."""

from collections import Counter
from datetime import timedelta

import httpx
import pytest

from conveyor.ledger.batch_facts import AttemptAbsent, Cancel
from tests.support.examples import NOW
from tests.support.sent_runs import SentRun, shown

MOST = timedelta(minutes=2)
"""The timeout of poll."""
SILENCE = timedelta(seconds=30)
"""How long a response is awaited."""


def silent_run(batches: int, split: int = 0) -> SentRun:
    """Return a run whose provider takes connections, and answers nothing. `split`: how many batches are split."""

    def keep_silent(_: httpx.Request) -> httpx.Response:
        run.now += SILENCE
        raise httpx.ReadTimeout("")

    run = SentRun(keep_silent, batches=batches, split=range(1, split + 1))
    return run


def check(run: SentRun) -> str:
    """Poll five minutes after the last check, and return what is next; its function must not have been ended."""
    run.now += timedelta(minutes=5)
    began = run.now
    step: str = run.poll()["next"]
    assert run.now - began < MOST
    return step


@pytest.mark.parametrize("are_cancelled", [False, True])
def test_a_provider_that_keeps_silent_is_trouble_also_of_many_batches(*, are_cancelled: bool) -> None:
    """A poll that waited for each of them would be ended, and nothing would be known for a day but that it fails."""
    run = silent_run(batches=40)
    if are_cancelled:
        for number in range(1, 41):
            run.write(Cancel.key("run-1", number), Cancel("w", NOW))
    assert [check(run) for _ in range(3)] == ["wait"] * 3
    (trouble,) = [key for key in run.bucket.objects if "/trouble-" in key]
    assert trouble.startswith("runs/run-1/trouble-unavailable-")
    assert run.read(trouble)["reason"] == "ReadTimeout"
    assert not [key for key in run.bucket.objects if "/over-" in key]


@pytest.mark.parametrize("batches", [2, 7, 12, 30])
def test_each_batch_is_asked_about_in_turn_while_there_is_trouble(batches: int) -> None:
    """Else one whose results are there would wait until the others answer."""
    run = silent_run(batches)
    for _ in range(3 * batches):
        check(run)
    asked = Counter(path for _, path in run.asked)
    assert len(asked) == batches
    assert max(asked.values()) <= 4 * min(asked.values())


def test_a_run_whose_batches_are_split_is_not_kept_from_its_end() -> None:
    """What would still be looked for is a duplicate of them."""
    run = silent_run(batches=9, split=9)
    for number in range(1, 10):
        run.write(AttemptAbsent.key("run-1", number, 1), AttemptAbsent("w", NOW))
    assert check(run) == "report"


def test_the_next_check_asks_about_the_batches_for_which_a_slow_provider_left_no_time() -> None:
    """A provider that takes its time with each answer is well."""

    def slow(request: httpx.Request) -> httpx.Response:
        run.now += timedelta(seconds=20)
        number = int(request.url.path.rpartition("_")[2])
        return httpx.Response(200, json=shown("messages", number, ended=number == 1))

    run = SentRun(slow, batches=6)
    run.now += timedelta(minutes=5)
    state = run.poll()
    assert (state["next"], state["batches"], state["trouble"]) == ("split", [1], None)
