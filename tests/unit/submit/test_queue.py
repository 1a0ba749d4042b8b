"""Room in the provider's queue: who is sent now, and who goes first."""

from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest
from msgspec.structs import replace

from conveyor.context import RunContext
from conveyor.domain import keys
from conveyor.domain.invocation import Invocation
from conveyor.ledger.batch_facts import Attempt, AttemptRefused, Submitted
from conveyor.ledger.ledger import Ledger
from conveyor.ledger.part import Part
from conveyor.ledger.run_facts import Refusal
from conveyor.provider.credentials import ApiKey, KeyHeader
from conveyor.provider.messages.api import MessageBatches
from conveyor.provider.transport import Transport
from conveyor.s3.bucket import Bucket
from conveyor.submit.queue import PATIENCE, WINDOW, admit_or_wait
from tests.support.examples import NOW, RUN, SETTINGS
from tests.support.fake_aws import FakeBucket

FIRST, SECOND, THIRD = "20261122T090000Z-00", "20261122T090001Z-00", "20261122T090002Z-00"
"""Runs, by age."""


class Queue:
    """A provider whose queue takes ten requests, and runs that look for room in it."""

    def __init__(self) -> None:
        """Hold nothing."""
        self.bucket = FakeBucket()
        self.listed: list[dict[str, Any]] = []
        self.status = 200
        self.now = NOW

    def holds(self, requests: int, status: str = "in_progress", created_at: datetime = NOW) -> None:
        """Let the provider list a batch, of whatever program."""
        batch = {
            "id": f"msgbatch_{len(self.listed)}",
            "processing_status": status,
            "request_counts": {"processing": requests},
            "created_at": created_at.isoformat(),
            "expires_at": (created_at + timedelta(days=1)).isoformat(),
        }
        self.listed.insert(0, batch)

    def ends(self) -> None:
        """Let all batches end."""
        self.listed = [batch | {"processing_status": "ended"} for batch in self.listed]

    def admits(self, run: str, requests: int = 4) -> bool:
        """Let a run ask for room for its next batch."""
        bucket = Bucket(self.bucket.client, "bucket")
        ledger = Ledger(bucket, run)
        provider = httpx.Client(transport=httpx.MockTransport(self._answer))
        key = KeyHeader(lambda *, renew=False: ApiKey(f"key {renew}"))
        api = MessageBatches(Transport(provider, SETTINGS.api_url, key))
        run_fact = replace(RUN, run=run, settings=replace(SETTINGS, max_queued_requests=10))
        context = RunContext(run_fact, ledger, bucket, api, Invocation(timedelta(minutes=15), lambda: self.now))
        return admit_or_wait(context, requests, ledger.run_state())

    def writes(self, *facts: str) -> None:
        """Write down facts of runs."""
        self.bucket.objects |= dict.fromkeys(facts, b"")

    def marks(self) -> list[str]:
        """List all that was written in looking for room."""
        return [key for key in self.bucket.objects if not key.startswith(keys.RUNS)]

    def _answer(self, request: httpx.Request) -> httpx.Response:
        assert request.url.path == "/v1/messages/batches"
        return httpx.Response(self.status, json={"data": self.listed, "has_more": False})


@pytest.fixture
def queue() -> Queue:
    """Give an empty queue."""
    return Queue()


@pytest.fixture
def full(queue: Queue) -> Queue:
    """Give a queue that had no room when the second run came, and has room now."""
    queue.holds(10)
    assert not queue.admits(SECOND)
    queue.ends()
    return queue


def sent(run: str, batch: int) -> tuple[str, str]:
    """Name the facts of a batch that was sent."""
    return Attempt.key(run, batch, 1), Submitted.key(run, batch, 1)


@pytest.mark.parametrize(("requests", "admitted"), [(1, True), (6, True), (7, False)])
def test_a_batch_is_sent_if_the_queue_has_room_for_all_of_it(queue: Queue, requests: int, *, admitted: bool) -> None:
    """To the last request."""
    queue.holds(3)
    queue.holds(1)
    assert queue.admits(FIRST, requests) is admitted


def test_batches_that_have_ended_or_could_no_longer_run_take_no_room(queue: Queue) -> None:
    """The provider gives a batch a day; one that is being cancelled still counts."""
    queue.holds(10, created_at=NOW - timedelta(hours=26, seconds=1))
    queue.holds(10, "ended")
    queue.holds(2, "canceling", created_at=NOW - timedelta(hours=26))
    assert queue.admits(FIRST, 8)
    assert not queue.admits(FIRST, 9)


def test_trouble_in_asking_admits(queue: Queue) -> None:
    """The provider itself will say whether it has room; a list that fails for days must not hold up a drop."""
    queue.holds(10)
    assert not queue.admits(FIRST)
    queue.status = 503
    assert queue.admits(SECOND, 11)


def test_a_run_that_is_admitted_leaves_no_mark(queue: Queue) -> None:
    """It does not wait."""
    assert queue.admits(FIRST)
    assert queue.marks() == []


def test_a_run_that_waits_says_so_once_in_each_stretch_of_time(queue: Queue) -> None:
    """However often it looks."""
    queue.holds(10)
    for _ in range(3):
        assert not queue.admits(FIRST)
    assert len(queue.marks()) == 1
    queue.now += WINDOW
    assert not queue.admits(FIRST)
    assert len(queue.marks()) == 2


def test_who_came_first_goes_first(full: Queue) -> None:
    """Among runs with as many batches under way."""
    assert not full.admits(THIRD)
    assert full.admits(SECOND)
    assert full.admits(FIRST), "nobody waits who came before"


def test_a_run_does_not_wait_for_itself(full: Queue) -> None:
    """Whatever it said before."""
    full.writes(*sent(SECOND, 1))
    full.holds(10)
    assert not full.admits(SECOND)
    full.ends()
    assert full.admits(SECOND)


def test_a_run_that_waits_goes_before_older_ones_that_have_more_batches_under_way(full: Queue) -> None:
    """A large drop does not hold up a small one."""
    full.writes(*sent(FIRST, 1))
    assert not full.admits(FIRST)
    assert full.admits(SECOND)


def test_a_batch_that_is_split_is_no_longer_under_way(full: Queue) -> None:
    """So the older run goes first again."""
    full.writes(*sent(FIRST, 1), Part.key(FIRST, 1))
    assert full.admits(FIRST)


def test_more_than_nine_batches_under_way_are_more_than_two(queue: Queue) -> None:
    """Marks are compared as numbers."""
    queue.writes(*(fact for batch in range(1, 11) for fact in sent(FIRST, batch)))
    queue.writes(*sent(SECOND, 1), *sent(SECOND, 2))
    queue.holds(10)
    assert [queue.admits(run) for run in (FIRST, SECOND)] == [False, False]
    queue.ends()
    assert [queue.admits(run) for run in (FIRST, SECOND)] == [False, True]


def test_a_younger_run_waits_its_turn_even_where_only_it_would_fit(queue: Queue) -> None:
    """Otherwise small batches would keep the queue too full for a large one for ever."""
    queue.holds(7)
    assert not queue.admits(FIRST, 4)
    assert not queue.admits(SECOND, 3)


def test_a_mark_serves_in_its_own_stretch_of_time_and_the_next(full: Queue) -> None:
    """A run that was broken off says nothing any more, and is forgotten."""
    full.now += WINDOW
    assert not full.admits(THIRD)
    full.now += WINDOW
    assert full.admits(THIRD)


@pytest.mark.parametrize(
    "facts",
    [
        pytest.param(sent(SECOND, 1), id="sent"),
        pytest.param((Attempt.key(SECOND, 1, 1),), id="being-sent"),
        pytest.param((Attempt.key(SECOND, 1, 1), AttemptRefused.key(SECOND, 1, 1)), id="sent-in-vain"),
        pytest.param((Refusal.key(SECOND),), id="stopped"),
    ],
)
def test_a_mark_of_a_run_that_waits_no_longer_holds_up_nobody(full: Queue, facts: tuple[str, ...]) -> None:
    """Nobody may delete it; each run that was sent would hold up all others for half an hour."""
    assert not full.admits(THIRD)
    full.writes(*facts)
    assert full.admits(THIRD)


def test_a_run_that_waits_for_its_next_batch_says_so_anew(full: Queue) -> None:
    """Its earlier mark, which would put it first, is no longer true; its new one puts it behind."""
    full.writes(*sent(SECOND, 1))
    full.holds(10)
    assert not full.admits(SECOND)
    full.ends()
    full.writes(*sent(THIRD, 1))
    assert not full.admits(THIRD), "the older of two with one batch under way goes first"
    assert full.admits(FIRST)


@pytest.mark.parametrize("note", ["", "a-note.txt", "1", "0-0", "0-x-run", "\N{SUPERSCRIPT TWO}-0-run", "-0-run"])
def test_a_strange_key_among_the_marks_holds_up_no_run(full: Queue, note: str) -> None:
    """Somebody's note is not a reason to fail for a day."""
    full.writes(*sent(SECOND, 1))
    (mark,) = full.marks()
    full.writes(mark.rpartition("/")[0] + "/" + note)
    assert full.admits(THIRD)


@pytest.mark.slow
def test_a_run_that_does_not_fit_for_hours_lets_others_go_in_turns(queue: Queue) -> None:
    """Other programs may fill half the queue for days: neither waits for ever for the other."""
    queue.holds(5)
    hours = []
    for step in range(4 * 24):
        queue.now = NOW + step * WINDOW
        queue.listed = []
        queue.holds(5, created_at=queue.now)
        assert not queue.admits(FIRST, requests=8)
        hours.append(queue.admits(SECOND, requests=1))
    assert hours == ([False] * PATIENCE + [True] * PATIENCE) * 2
    queue.ends()
    assert queue.admits(FIRST, requests=8)
