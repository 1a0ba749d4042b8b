"""Turns between projects in the provider's queue: the one with the least in it goes first."""

from datetime import timedelta
from itertools import permutations

import pytest

from conveyor.domain import keys
from conveyor.submit.queue import MOST_CLAIMS, MOST_LEDGERS
from conveyor.submit.turns import PATIENCE, WINDOW, Sent, WaitingRun, runs_ahead, window_of
from tests.support.examples import NOW
from tests.support.shared_queue import ROOM, SharedQueue, sent

A, B = "team-a", "team-b"
MINUTE = timedelta(minutes=1)


def run_id(number: int) -> str:
    """Return the id of the n-th run; a later one is younger."""
    return f"20261122T09{number // 60:02}{number % 60:02}Z-00"


@pytest.fixture
def queue() -> SharedQueue:
    """Return a queue that another program fills."""
    queue = SharedQueue()
    queue.add_batch(ROOM)
    return queue


def test_the_project_with_the_fewest_requests_in_the_queue_goes_first(queue: SharedQueue) -> None:
    """It came last, and many runs of the other one are older."""
    flood = [run_id(number) for number in range(5)]
    assert not any(queue.admits(run, project=A) for run in flood)
    assert not queue.admits(run_id(9), project=B)
    queue.end_batches()
    queue.add_batch(1, project=A)
    assert not any(queue.admits(run, project=A) for run in flood)
    assert queue.admits(run_id(9), project=B)


def test_requests_in_the_queue_count_before_age_and_before_who_was_sent_last(queue: SharedQueue) -> None:
    """A project whose batches are small has more of them in the queue."""
    assert not queue.admits(run_id(1), project=A)
    assert not queue.admits(run_id(2), project=B)
    queue.end_batches()
    queue.add_batch(3, project=A, created_at=NOW - 3 * MINUTE)
    queue.add_batch(1, project=B, created_at=NOW - 2 * MINUTE)
    queue.add_batch(1, project=B, created_at=NOW - MINUTE)
    assert not queue.admits(run_id(1), project=A)
    assert queue.admits(run_id(2), project=B)


def test_a_project_without_a_request_in_the_queue_goes_before_one_that_was_sent_last(queue: SharedQueue) -> None:
    """Where the queue takes one batch at a time, nobody has a request in it when the next batch may be sent."""
    flood = [run_id(number) for number in range(5)]
    assert not any(queue.admits(run, project=A) for run in flood)
    assert not queue.admits(run_id(9), project=B)
    queue.add_batch(ROOM, project=B, created_at=NOW - 2 * MINUTE)
    queue.add_batch(ROOM, project=A, created_at=NOW - MINUTE)
    queue.end_batches()
    assert not any(queue.admits(run, project=A) for run in flood)
    assert queue.admits(run_id(9), project=B)


def test_among_projects_that_were_never_sent_the_one_with_the_oldest_run_goes_first(queue: SharedQueue) -> None:
    """Also if that run is not the first of its project: by the age of single runs three could wait in a circle."""
    oldest, young, between = run_id(1), run_id(3), run_id(2)
    queue.writes(*sent(oldest, 1))  # it has a batch under way, so the young one is the first of its project
    assert not queue.admits(oldest, project=A)
    assert not queue.admits(between, project=B)
    assert not queue.admits(young, project=A)
    queue.end_batches()
    assert [queue.admits(run, project=A) for run in (oldest, young)] == [False, True]
    assert not queue.admits(between, project=B)


@pytest.mark.parametrize("claim", [None, b"no JSON", b'{"run": "a run", "batch": 1}', b'{"batch": 1}'])
def test_a_batch_that_no_claim_gives_to_a_project_counts_for_none(queue: SharedQueue, claim: bytes | None) -> None:
    """It takes room all the same. Another program, a claim of an earlier version, or none that can be read."""
    assert not queue.admits(run_id(1), project=A)
    assert not queue.admits(run_id(2), project=B)
    queue.end_batches()
    batch = queue.add_batch(3)
    if claim is not None:
        queue.bucket.objects[keys.claim(batch)] = claim
    assert not queue.admits(run_id(2), project=B)
    assert queue.admits(run_id(1), project=A, requests=ROOM - 3)
    assert not queue.admits(run_id(1), project=A, requests=ROOM - 2)


def test_a_claim_that_may_not_be_read_gives_its_batch_to_nobody(queue: SharedQueue) -> None:
    """S3 answers 403. Turns between projects are by age then."""
    assert not queue.admits(run_id(1), project=A)
    assert not queue.admits(run_id(2), project=B)
    queue.end_batches()
    batch = queue.add_batch(1, project=A)
    assert [queue.admits(run_id(1), project=A), queue.admits(run_id(2), project=B)] == [False, True]
    queue.bucket.denied.add(keys.claim(batch))
    assert [queue.admits(run_id(1), project=A), queue.admits(run_id(2), project=B)] == [True, False]


def claims_read(queue: SharedQueue) -> list[str]:
    """Return which claims were read so far."""
    return [each for each in queue.bucket.requests if each.startswith("GET claims/batches/")]


def test_claims_are_read_only_if_there_is_room_and_several_projects_wait(queue: SharedQueue) -> None:
    """Almost every look of a run that waits finds no room, and most stacks have one project."""
    assert not queue.admits(run_id(1), project=A)
    assert not queue.admits(run_id(2), project=A)
    queue.end_batches()
    assert not queue.admits(run_id(2), project=A)
    assert claims_read(queue) == []
    queue.add_batch(ROOM, project=A)
    assert not queue.admits(run_id(3), project=B)
    assert claims_read(queue) == []
    queue.end_batches()
    assert queue.admits(run_id(3), project=B)
    assert claims_read(queue) != []


@pytest.mark.slow
def test_a_look_takes_a_bounded_number_of_requests_however_many_runs_wait(queue: SharedQueue) -> None:
    """There are 1,000 marks of runs that were sent meanwhile, and 1,000 batches in the queue and as many before it."""
    runs = [f"20261122T08{number:04}Z-00" for number in range(1000)]
    window = window_of(NOW)
    for number, run in enumerate(runs):
        mark = WaitingRun(0, run, 0, window, f"team-{number % 50}")
        queue.writes(f"{keys.waiting(window - number % 2)}{mark}", *sent(run, 1))
    for number in range(2000):
        project = f"team-{number % 50}"
        queue.add_batch(0, "ended" if number % 2 else "in_progress", NOW - number * MINUTE / 2, project)
    queue.end_batches("msgbatch_0")
    queue.bucket.requests.clear()
    assert queue.admits(run_id(1), project=A)
    counted = len(queue.bucket.requests)
    assert len(claims_read(queue)) == 2 * MOST_CLAIMS
    assert counted <= 2 * MOST_CLAIMS + MOST_LEDGERS + 4


def test_a_flood_of_small_batches_is_seen_among_many_others(queue: SharedQueue) -> None:
    """The newest batches are read, so those of a project that sends now are among them."""
    assert not queue.admits(run_id(1), project=A)
    assert not queue.admits(run_id(2), project=B)
    queue.end_batches()
    for number in range(2 * MOST_CLAIMS):
        queue.add_batch(0, created_at=NOW - timedelta(hours=1) - number * MINUTE)
    queue.add_batch(1, project=A)
    assert not queue.admits(run_id(1), project=A)
    assert queue.admits(run_id(2), project=B)


def test_a_mark_of_an_earlier_version_takes_part_until_its_run_writes_another(queue: SharedQueue) -> None:
    """All such runs are as one project, without a batch at the provider."""
    assert not queue.admits(run_id(1), project=A)
    (mark,) = queue.marks()
    del queue.bucket.objects[mark]
    queue.writes(mark.removesuffix(f"@{A}"))
    queue.end_batches()
    busy = queue.add_batch(1, project=A)
    assert not queue.admits(run_id(2), project=B), "the older one goes first, whatever its project has in the queue"
    queue.add_batch(ROOM)
    assert not queue.admits(run_id(1), project=A)
    queue.end_batches(*{batch["id"] for batch in queue.listed} - {busy})
    assert queue.admits(run_id(2), project=B), "it is known now whose run the older one is"


@pytest.mark.slow
def test_runs_of_one_project_that_never_fit_let_others_go_for_as_long_as_they_held_them_up(queue: SharedQueue) -> None:
    """A new one comes every five hours, so that one of them always has waited for less than six."""
    admitted = []
    for step in range(4 * PATIENCE):
        queue.now = NOW + step * WINDOW
        queue.listed.clear()
        queue.add_batch(ROOM // 2)
        large = [run_id(number) for number in range(step // 20 + 1)]
        assert not any(queue.admits(run, requests=ROOM - 2, project=A) for run in large)
        admitted.append(queue.admits("20261122T100000Z-00", requests=1, project=B))
    assert admitted == ([False] * PATIENCE + [True] * PATIENCE) * 2


def test_a_project_that_is_sent_now_and_then_keeps_its_turn_however_long_its_runs_wait() -> None:
    """Its runs have waited for longer than they may go first; what counts for the project is its latest batch."""
    waited = PATIENCE + 1
    window = window_of(NOW)
    old = WaitingRun(0, run_id(1), 0, window - waited, A)
    new = WaitingRun(0, run_id(2), 0, window, A)
    this = WaitingRun(0, run_id(3), 0, window, B)
    sent_now = {A: Sent(1, NOW - MINUTE), B: Sent(2, NOW)}
    sent_long_ago = {A: Sent(1, NOW - waited * WINDOW), B: Sent(2, NOW)}
    assert runs_ahead(this, [old, new], sent_now, window) == [new]
    assert runs_ahead(this, [old, new], sent_long_ago, window) == []


def test_marks_say_the_project() -> None:
    """A mark is read as it was written; one of an earlier version has no project."""
    run = WaitingRun(2, run_id(1), 3, 4, "team-a.b_c")
    assert WaitingRun.read(str(run)) == run
    assert WaitingRun.read(f"2-3-4-{run_id(1)}") == run._replace(project="")
    assert WaitingRun.read(f"{run}@") is None


def test_one_of_any_runs_waits_for_no_other() -> None:
    """Whatever the order in which marks are listed."""
    window = window_of(NOW)
    runs = [
        WaitingRun(1, run_id(1), 1, window, A),
        WaitingRun(0, run_id(3), 0, window, A),
        WaitingRun(0, run_id(2), 0, window, B),
        WaitingRun(1, run_id(4), 1, window, B),
    ]
    for others in permutations(runs):
        free = [run for run in runs if not runs_ahead(run, [each for each in others if each != run], {}, window)]
        assert free == [runs[1]]
