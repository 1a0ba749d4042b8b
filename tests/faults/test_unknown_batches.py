"""Histories about calls with unknown outcome: when to conclude that there is no batch, and what is retried."""

from datetime import timedelta

import pytest

from tests.support.belt import Belt, drop_of
from tests.support.faults.dialects import IN_DOUBT, Dialect
from tests.support.faults.paid_once import check
from tests.support.faults.scenes import (
    GONE,
    HOUR,
    LOST,
    STOP,
    UNREADABLE,
    commands,
    finish_with_retries,
    inject_faults,
    run_loop,
    write_control,
)
from tests.support.faults.taps import At, crash_at, meanwhile
from tests.support.promises import plain

DATA = drop_of(4)
DECISION = "batches/1/attempt-1"


@pytest.mark.parametrize("dialect", IN_DOUBT, indirect=True)
def test_a_list_counts_as_of_the_time_of_its_request(belt: Belt, dialect: Dialect) -> None:
    """A list requested before the settle time proves nothing, even if the poll ends after it."""
    inject_faults(belt, LOST | {"do": [{"kind": "unlist", "looks": 1}, {"kind": "lose", "when": "after"}]})
    run = belt.upload(DATA)
    belt.pass_time(900 - 20)
    with meanwhile(belt.clients, At("after", dialect.listing, lambda: belt.pass_time(40))):
        belt.poll(run)
    assert not belt.stored(f"runs/{run}/batches/1/absent-1.json")
    ending = finish_with_retries(belt, run)
    check(belt, ending, DATA)
    assert (ending.creates, ending.created) == (1, 1)


def test_a_failed_cancel_is_retried(belt: Belt) -> None:
    """Otherwise the batch would run on after the stop."""
    inject_faults(
        belt, {"call": "cancel", "do": {"kind": "answer", "status": 500}}, seconds=72_000, canceling_seconds=60
    )
    run = belt.upload(DATA)
    write_control(belt, run, "cancel", STOP)
    assert finish_with_retries(belt, run).notice["status"] == "stopped"
    assert belt.receipt()["outcomes"]["canceled"] == 2
    assert belt.provider.stats()["calls"]["cancel"] == 2


def test_a_cancel_that_was_recorded_but_not_sent_is_sent(belt: Belt) -> None:
    """The function crashed between the fact and the call."""
    inject_faults(belt, seconds=72_000, canceling_seconds=60)
    run = belt.upload(DATA)
    write_control(belt, run, "cancel", STOP)
    with crash_at(belt.clients, "after", "cancel.json"):
        belt.poll(run)
    assert finish_with_retries(belt, run).notice["status"] == "stopped"
    assert belt.provider.stats()["calls"]["cancel"] == 1


def test_an_invalid_decision_prevents_any_paid_call(belt: Belt) -> None:
    """The operator has to correct it first."""
    inject_faults(belt, {"call": "create", "do": {"kind": "lose", "when": "before"}})
    run = belt.upload(DATA)
    write_control(belt, run, DECISION, b"adopt: msgbatch_x")
    run_loop(belt, run, 3 * HOUR)
    assert belt.creates() == (1, 0)
    (notice,) = belt.notices
    assert "says neither" in plain(notice["message"])
    write_control(belt, run, DECISION, b"submit again")
    assert finish_with_retries(belt, run).created == 1


@pytest.mark.parametrize("dialect", IN_DOUBT, indirect=True)
def test_a_batch_with_results_of_other_requests_is_not_adopted_on_an_operators_decision(belt: Belt) -> None:
    """An operator may confuse two batches of the same size; readable results take precedence."""
    inject_faults(belt, LOST, LOST, UNREADABLE)
    first, second = (belt.upload(drop_of(4), f"inbox/{name}.jsonl") for name in ("first", "second"))
    run_loop(belt, second, 2 * HOUR)
    inject_faults(belt)
    write_control(belt, second, DECISION, f"adopt {belt.provider.stats()['batches'][0]['id']}".encode())
    run_loop(belt, second, HOUR)
    assert "answer other requests" in plain(belt.notices[-1]["message"])
    inject_faults(belt, UNREADABLE)  # the batch is known to be foreign and is not read again
    belt.s3.delete_object(Bucket=belt.bucket, Key=f"control/{second}/{DECISION}")
    inject_faults(belt)
    assert [finish_with_retries(belt, run).notice["status"] for run in (second, first)] == ["completed", "completed"]
    assert belt.creates() == (2, 2)


def test_a_stop_after_the_last_split_does_not_change_the_message(belt: Belt) -> None:
    """Report returns the same message again."""
    run = belt.upload(DATA)
    belt.poll(run)
    belt.split(run)
    notice = belt.report(run)
    write_control(belt, run, "cancel", STOP)
    assert belt.poll(run)["next"] == "report"
    assert belt.report(run) == notice


@pytest.mark.parametrize("dialect", IN_DOUBT, indirect=True)
def test_content_of_a_run_that_was_submitted_again_by_decision_is_not_run_again_by_itself(belt: Belt) -> None:
    """It is not proved that its first call created no batch."""
    inject_faults(belt, LOST, GONE)
    run = belt.upload(DATA)
    run_loop(belt, run, 2 * HOUR)
    write_control(belt, run, DECISION, b"submit again")
    inject_faults(belt, {"call": "create", "do": {"kind": "answer", "status": 403}})
    refused = finish_with_retries(belt, run).notice
    assert "nothing was charged" not in plain(refused["message"])
    assert f"again={refused['run']}" in commands(refused)[-1]
    inject_faults(belt)
    assert belt.finish(belt.upload(DATA))["status"] == "refused"
    assert belt.creates() == (2, 1)


def test_retries_become_rarer_although_retry_after_is_zero(belt: Belt) -> None:
    """The first retry is immediate; later ones wait longer, since each sends the whole body."""
    busy = {"kind": "answer", "status": 429, "headers": {"retry-after": "0"}}
    inject_faults(belt, {"call": "create", "do": busy, "times": 6})
    began = belt.moment
    finish_with_retries(belt, belt.upload(DATA))
    assert belt.creates() == (7, 1)
    assert belt.moment - began >= timedelta(minutes=2 + 4 + 8 + 16 + 30)


@pytest.mark.parametrize("dialect", IN_DOUBT, indirect=True)
def test_candidates_that_cannot_all_be_read_in_time_stay_unknown_and_read_ones_are_remembered(
    belt: Belt, dialect: Dialect
) -> None:
    """Poll has two minutes, and a workspace may have many batches of the same size."""
    event = belt.drop(DATA)
    inject_faults(belt)
    for number in range(3):
        belt.finish(belt.upload(drop_of(4).replace(b"About", b"Above"), f"inbox/other-{number}.jsonl"))
    for key in belt.stored("claims/batches/"):
        belt.s3.delete_object(Bucket=belt.bucket, Key=key)
    inject_faults(belt, {"call": "create", "do": {"kind": "lose", "when": "before"}})
    run = belt.submit(event)["run"]
    belt.pass_time(2000)
    belt.function_seconds = 100
    with meanwhile(belt.clients, At("after", dialect.reading, lambda: belt.pass_time(60))):
        assert "than can be read in time" in belt.poll(run)["trouble"]["reason"]
    remembered = belt.stored(f"runs/{run}/batches/1/foreign-")
    assert len(remembered) == 1
    belt.function_seconds = 900
    belt.poll(run)
    assert len(belt.stored(f"runs/{run}/batches/1/foreign-")) == 3
    assert finish_with_retries(belt, run).created == 4
