"""Room in the provider's queue: which run may send a batch now, and which run is first."""

from datetime import timedelta

import pytest

from conveyor.ledger.batch_facts import Attempt, AttemptRefused, AttemptUnknown
from conveyor.ledger.gate_facts import Ending, Gate, GateEnd
from conveyor.ledger.ledger import Ledger
from conveyor.ledger.part import Part
from conveyor.ledger.run_facts import Refusal
from conveyor.s3.bucket import Bucket
from conveyor.submit.turns import PATIENCE, WINDOW, WaitingRun, window_of
from tests.support.examples import NOW
from tests.support.shared_queue import ROOM, SharedQueue, sent

FIRST, SECOND, THIRD = "20261122T090000Z-00", "20261122T090001Z-00", "20261122T090002Z-00"
"""Runs, oldest first."""


@pytest.fixture
def queue() -> SharedQueue:
    """Return an empty queue."""
    return SharedQueue()


@pytest.fixture
def full(queue: SharedQueue) -> SharedQueue:
    """Return a queue that had no room when the second run asked, and has room now."""
    queue.add_batch(10)
    assert not queue.admits(SECOND)
    queue.end_batches()
    return queue


@pytest.mark.parametrize(("requests", "admitted"), [(1, True), (6, True), (7, False)])
def test_a_batch_is_sent_if_the_queue_has_room_for_all_of_it(
    queue: SharedQueue, requests: int, *, admitted: bool
) -> None:
    """The last request counts."""
    queue.add_batch(3)
    queue.add_batch(1)
    assert queue.admits(FIRST, requests) is admitted


def test_batches_that_have_ended_or_could_no_longer_run_take_no_room(queue: SharedQueue) -> None:
    """A batch has one day; a batch that is being cancelled still counts."""
    queue.add_batch(10, created_at=NOW - timedelta(hours=26, seconds=1))
    queue.add_batch(10, "ended")
    queue.add_batch(2, "canceling", created_at=NOW - timedelta(hours=26))
    assert queue.admits(FIRST, 8)
    assert not queue.admits(FIRST, 9)


def test_a_list_that_fails_admits_the_run(queue: SharedQueue) -> None:
    """The provider refuses a batch if it has no room; a list that fails for days must not delay a drop."""
    queue.add_batch(10)
    assert not queue.admits(FIRST)
    queue.status = 503
    assert queue.admits(SECOND, 11)


def test_a_run_that_is_admitted_leaves_no_mark(queue: SharedQueue) -> None:
    """Only waiting runs have marks."""
    assert queue.admits(FIRST)
    assert queue.marks() == []


def test_a_run_that_waits_leaves_one_mark_in_each_window(queue: SharedQueue) -> None:
    """The number of checks does not matter."""
    queue.add_batch(10)
    for _ in range(3):
        assert not queue.admits(FIRST)
    assert len(queue.marks()) == 1
    queue.now += WINDOW
    assert not queue.admits(FIRST)
    assert len(queue.marks()) == 2


def test_the_older_run_goes_first(full: SharedQueue) -> None:
    """Runs with equally many batches in progress are ordered by age."""
    assert not full.admits(THIRD)
    assert full.admits(SECOND)
    assert full.admits(FIRST), "an older run does not wait"


def test_a_run_does_not_wait_for_itself(full: SharedQueue) -> None:
    """Its own earlier mark is ignored."""
    full.writes(*sent(SECOND, 1))
    full.add_batch(10)
    assert not full.admits(SECOND)
    full.end_batches()
    assert full.admits(SECOND)


def test_a_run_that_waits_goes_before_older_ones_with_more_batches_in_progress(full: SharedQueue) -> None:
    """A large drop does not delay a small one."""
    full.writes(*sent(FIRST, 1))
    assert not full.admits(FIRST)
    assert full.admits(SECOND)


def test_a_batch_that_is_split_is_no_longer_in_progress(full: SharedQueue) -> None:
    """The older run is first again."""
    full.writes(*sent(FIRST, 1), Part.key(FIRST, 1))
    assert full.admits(FIRST)


def test_more_than_nine_batches_in_progress_are_more_than_two(queue: SharedQueue) -> None:
    """Marks are compared as numbers, not as text."""
    queue.writes(*(fact for batch in range(1, 11) for fact in sent(FIRST, batch)))
    queue.writes(*sent(SECOND, 1), *sent(SECOND, 2))
    queue.add_batch(10)
    assert [queue.admits(run) for run in (FIRST, SECOND)] == [False, False]
    queue.end_batches()
    assert [queue.admits(run) for run in (FIRST, SECOND)] == [False, True]


def test_a_younger_run_waits_even_if_only_its_batch_would_fit(queue: SharedQueue) -> None:
    """Otherwise small batches could keep a large one out forever."""
    queue.add_batch(7)
    assert not queue.admits(FIRST, 4)
    assert not queue.admits(SECOND, 3)


def test_a_mark_counts_in_its_own_window_and_the_next(full: SharedQueue) -> None:
    """The mark of a run that was aborted expires."""
    full.now += WINDOW
    assert not full.admits(THIRD)
    full.now += WINDOW
    assert full.admits(THIRD)


@pytest.mark.parametrize("pauses", [[60], [60, 90]])
@pytest.mark.parametrize("is_tried", [False, True])
def test_a_run_waits_since_before_the_provider_asked_not_to_be_called(
    queue: SharedQueue, pauses: list[int], *, is_tried: bool
) -> None:
    """No mark is written meanwhile, and the old one has expired. A run that was tried meanwhile begins to wait anew."""
    queue.add_batch(10)
    assert not queue.admits(FIRST)
    begun = WaitingRun.read(queue.marks()[0].rpartition("/")[2])
    for minutes in pauses:
        queue.pauses(FIRST, timedelta(minutes=minutes))
        queue.now += timedelta(minutes=minutes + 5)
    if is_tried:
        queue.writes(Attempt.key(FIRST, 1, 1), AttemptRefused.key(FIRST, 1, 1))
    assert not queue.admits(FIRST)
    now = WaitingRun.read(queue.marks()[-1].rpartition("/")[2])
    assert begun
    assert now
    assert now.since == (window_of(queue.now) if is_tried else begun.since)


def test_a_run_that_could_look_after_a_pause_and_did_not_wait_begins_anew(queue: SharedQueue) -> None:
    """A pause that ended long ago says nothing."""
    queue.add_batch(10)
    assert not queue.admits(FIRST)
    queue.pauses(FIRST, timedelta(minutes=60))
    queue.now += timedelta(minutes=60) + 2 * WINDOW
    assert not queue.admits(FIRST)
    now = WaitingRun.read(queue.marks()[-1].rpartition("/")[2])
    assert now
    assert now.since == window_of(queue.now)


@pytest.mark.parametrize(
    "facts",
    [
        pytest.param(sent(SECOND, 1), id="sent"),
        pytest.param((Attempt.key(SECOND, 1, 1), AttemptUnknown.key(SECOND, 1, 1)), id="sent-perhaps"),
        pytest.param((Attempt.key(SECOND, 1, 1), AttemptRefused.key(SECOND, 1, 1)), id="sent-in-vain"),
        pytest.param((Refusal.key(SECOND),), id="stopped"),
    ],
)
def test_a_mark_of_a_run_that_no_longer_waits_delays_no_other_run(full: SharedQueue, facts: tuple[str, ...]) -> None:
    """No function may delete marks; each run that was sent would delay all others for half an hour."""
    assert not full.admits(THIRD)
    full.writes(*facts)
    assert full.admits(THIRD)


def test_a_run_that_is_being_sent_has_taken_the_room(full: SharedQueue) -> None:
    """The provider's list may not show its batch yet: a second batch would take the place of others' turn."""
    assert not full.admits(THIRD)
    full.writes(Attempt.key(SECOND, 1, 1))
    assert not full.admits(THIRD)


def test_a_batch_that_was_created_since_the_list_was_read_takes_room(full: SharedQueue) -> None:
    """The run ahead sends its batch after the list is read, and before its ledger is: it does not wait any more."""
    assert not full.admits(THIRD)

    def send() -> None:
        full.add_batch(ROOM)
        full.writes(*sent(SECOND, 1))

    full.after_next_list = send
    assert not full.admits(THIRD)
    full.end_batches()
    assert full.admits(THIRD)


def test_a_list_that_fails_the_second_time_admits_the_run(full: SharedQueue) -> None:
    """As the first one does: the provider itself refuses what has no room."""

    def send() -> None:
        full.status = 500
        full.writes(*sent(SECOND, 1))

    full.after_next_list = send
    assert full.admits(THIRD)


def test_a_run_that_waits_for_its_next_batch_leaves_a_new_mark(full: SharedQueue) -> None:
    """Its earlier mark, which would put it first, no longer counts; its new mark puts it last."""
    full.writes(*sent(SECOND, 1))
    full.add_batch(10)
    assert not full.admits(SECOND)
    full.end_batches()
    full.writes(*sent(THIRD, 1))
    assert not full.admits(THIRD), "of two runs with one batch in progress the older is first"
    assert full.admits(FIRST)


@pytest.mark.parametrize("note", ["", "a-note.txt", "1", "0-0", "0-x-run", "\N{SUPERSCRIPT TWO}-0-run", "-0-run"])
def test_an_unknown_key_among_the_marks_delays_no_run(full: SharedQueue, note: str) -> None:
    """An unknown object must not make runs fail for a day."""
    full.writes(*sent(SECOND, 1))
    (mark,) = full.marks()
    full.writes(mark.rpartition("/")[0] + "/" + note)
    assert full.admits(THIRD)


@pytest.mark.slow
def test_a_run_that_does_not_fit_for_hours_alternates_with_others(queue: SharedQueue) -> None:
    """Other programs may fill half the queue for days: neither run waits forever for the other."""
    queue.add_batch(5)
    hours = []
    for step in range(4 * 24):
        queue.now = NOW + step * WINDOW
        queue.listed = []
        queue.add_batch(5, created_at=queue.now)
        assert not queue.admits(FIRST, requests=8)
        hours.append(queue.admits(SECOND, requests=1))
    assert hours == ([False] * PATIENCE + [True] * PATIENCE) * 2
    queue.end_batches()
    assert queue.admits(FIRST, requests=8)


@pytest.mark.parametrize("ended", [False, True])
def test_a_run_that_stands_at_a_closed_gate_does_not_keep_others_waiting(full: SharedQueue, *, ended: bool) -> None:
    """A person may open it in days."""
    ledger = Ledger(Bucket(full.bucket.client, "bucket"), SECOND)
    ledger.write(Gate("w", NOW, open=False), 1)
    if ended:
        ledger.write(GateEnd("w", NOW, Ending.APPROVED), 1)
    assert full.admits(THIRD) is not ended
