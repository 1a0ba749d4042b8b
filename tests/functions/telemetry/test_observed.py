"""What the functions see of a run that waits or is in trouble, for the dashboard, the alarms and the saved queries."""

from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from conveyor.domain.observed import BatchCounts, TroubleWith, WaitsFor
from tests.support.belt import Belt, drop_of

HOUR = 3600
DATA = drop_of(3)


@pytest.fixture
def stack_settings(stack_settings: dict[str, str]) -> dict[str, str]:
    """Set one request per batch."""
    return stack_settings | {"MAX_REQUESTS_PER_BATCH": "1"}


def looked(belt: Belt, run: str, seconds: int = HOUR) -> Any:
    """Poll, let time pass, poll again; return what the second poll has seen."""
    belt.poll(run)
    belt.pass_time(seconds)
    belt.poll(run)
    return belt.observed


def test_a_run_under_way_has_an_age_and_counts_of_batches(belt: Belt) -> None:
    """A healthy run does not wait."""
    run = belt.upload(DATA)
    belt.poll(run)
    observed = belt.observed
    assert (observed.run, observed.project, observed.batches) == (run, "default", BatchCounts(3, 1, 0))
    assert observed.began_at is not None
    assert (observed.wait, observed.failing, observed.is_account_refused) == (None, None, False)


def test_a_run_at_a_closed_gate_waits_for_an_approval_since_it_was_closed(belt: Belt) -> None:
    """Nobody has approved it for an hour."""
    run = belt.upload(DATA, metadata={"hold": "always"})
    wait = looked(belt, run).wait
    assert wait.reason is WaitsFor.APPROVAL
    assert belt.moment - wait.since >= timedelta(seconds=HOUR)


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        ({"kind": "answer", "status": 401}, TroubleWith.CREDENTIALS),
        ({"kind": "answer", "status": 403}, TroubleWith.CREDENTIALS),
        ({"kind": "answer", "status": 503}, TroubleWith.UNAVAILABLE),
        ({"kind": "answer", "status": 529}, TroubleWith.UNAVAILABLE),
        ({"kind": "lose", "when": "before"}, TroubleWith.UNAVAILABLE),
    ],
)
def test_calls_that_fail_are_trouble_since_the_first_look_that_saw_it(
    belt: Belt, fault: dict[str, Any], kind: TroubleWith
) -> None:
    """What a person must do differs by kind."""
    run = belt.upload(DATA)
    began = belt.moment
    belt.provider.fail("retrieve", fault, times=None)
    failing = looked(belt, run).failing
    assert (failing.at, failing.since) == (kind, began)
    belt.provider.reset()


def test_waiting_for_room_and_trouble_each_have_their_own_beginning(belt: Belt) -> None:
    """After a day of 503, one 429 is no wait of a day; after hours of 429, one 503 is no trouble of hours."""
    run = belt.upload(DATA)
    belt.provider.fail("create", {"kind": "answer", "status": 429}, times=None)
    belt.submit({"run": run})
    belt.poll(run)
    began = belt.moment
    belt.pass_time(HOUR)
    belt.provider.fail("retrieve", {"kind": "answer", "status": 503}, times=None)
    belt.poll(run)
    wait, failing = belt.observed.wait, belt.observed.failing
    assert wait is not None
    assert failing is not None
    assert (wait.reason, wait.since, failing.since) == (WaitsFor.ROOM, began, belt.moment)
    belt.pass_time(HOUR)
    belt.poll(run)
    assert belt.observed.failing is not None
    assert belt.observed.failing.since == belt.moment - timedelta(seconds=HOUR)
    belt.provider.reset()


def test_trouble_that_alternates_with_another_lasts_since_its_first_check(belt: Belt) -> None:
    """The provider answers 503 and 429 by turns: an alarm after half an hour would never go off."""
    belt.provider.configure(seconds=None)
    run = belt.upload(DATA)
    belt.submit({"run": run})
    began = belt.moment
    for status in (503, 429) * 6:
        belt.provider.configure(
            faults=[{"call": "retrieve", "do": {"kind": "answer", "status": status}, "times": None}]
        )
        belt.poll(run)
        failing, wait = belt.observed.failing, belt.observed.wait
        seen = failing.since if failing else wait.since if wait else None
        assert bool(failing) == (status == 503)
        assert seen == (began if failing else began + timedelta(seconds=300))
        belt.pass_time(300)


def test_a_full_queue_is_a_wait_for_room_and_no_trouble(belt: Belt) -> None:
    """The provider answers 429 to a batch that does not fit: all is well, and the run waits."""
    belt.provider.fail("create", {"kind": "answer", "status": 429}, times=None)
    run = belt.upload(DATA)
    observed = looked(belt, run)
    assert observed.failing is None
    assert observed.wait.reason is WaitsFor.ROOM


def test_submit_says_that_a_run_waits_for_its_turn_in_the_queue(belt: Belt) -> None:
    """Only submit looks at the provider's list, which shows one batch of ours."""
    belt.provider.configure(seconds=None)
    belt.clients.settings = replace(belt.clients.settings, max_queued_requests=1)
    run = belt.upload(DATA)
    belt.pass_time(HOUR)
    belt.submit({"run": run})
    wait = belt.observed.wait
    assert wait is not None
    assert wait.reason is WaitsFor.ROOM
    for _ in range(7):  # at least one look in each quarter of an hour, as the state machine does
        belt.pass_time(HOUR / 6)
        belt.submit({"run": run})
    assert belt.observed.wait is not None
    assert belt.observed.wait.since <= belt.moment - timedelta(seconds=HOUR), "it waits since its first mark"


def test_the_batch_that_submit_sends_is_named(belt: Belt) -> None:
    """Its log line is about one batch."""
    run = belt.upload(DATA)
    assert belt.observed.batch == 1
    belt.submit({"run": run})
    assert belt.observed.batch == 2


def test_a_refused_key_counts_as_a_refusal_of_the_account(belt: Belt) -> None:
    """Runs end at once, so that no trouble lasts: an alarm needs a count."""
    belt.provider.fail("create", {"kind": "answer", "status": 401, "type": "authentication_error"}, times=None)
    run = belt.upload(DATA)
    belt.finish(run)
    assert belt.observed.is_account_refused
    assert belt.observed.ended is not None
    assert (belt.observed.ended.status, belt.observed.ended.code) == ("refused", "key-refused")


def test_a_drop_that_is_wrong_is_no_refusal_of_the_account(belt: Belt) -> None:
    """Its owner corrects it."""
    belt.finish(belt.upload(b"no json"))
    assert belt.observed.ended is not None
    assert (belt.observed.ended.status, belt.observed.is_account_refused) == ("refused", False)


def test_the_end_of_a_run_has_its_counts_and_causes(belt: Belt) -> None:
    """They are those of its receipt."""
    belt.provider.configure(outcomes={"1": "errored:api_error"})  # each of the three batches has one request
    run = belt.upload(DATA)
    belt.finish(run)
    ended = belt.observed.ended
    assert ended is not None
    assert (ended.requests, ended.results, ended.failures) == (3, 0, 3)
    assert ended.causes == [("api_error", 3)]


def test_a_project_that_no_administrator_named_is_counted_with_all_others(belt: Belt) -> None:
    """Otherwise people who drop files could create metrics, which cost money."""
    belt.poll(belt.upload(DATA, metadata={"project": "made-up"}))
    assert (belt.observed.project, belt.observed.budget) == ("made-up", "default")
    belt.s3.put_object(Bucket=belt.bucket, Key="config/budgets.json", Body=b'{"projects": {"team-a": {}}}')
    belt.poll(belt.upload(DATA, key="inbox/team-a/x.jsonl"))
    assert (belt.observed.project, belt.observed.budget) == ("team-a", "team-a")
