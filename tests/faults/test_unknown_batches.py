"""Histories by name: what may be concluded when, and what must be said or done again."""

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
RELEASE = "batches/1/attempt-1"


@pytest.mark.parametrize("dialect", IN_DOUBT, indirect=True)
def test_a_list_is_held_against_the_moment_it_was_asked_for(belt: Belt, dialect: Dialect) -> None:
    """A list from before settling proves nothing, however late it is that the rest of the look is done."""
    inject_faults(belt, LOST | {"do": [{"kind": "unlist", "looks": 1}, {"kind": "lose", "when": "after"}]})
    run = belt.upload(DATA)
    belt.pass_time(900 - 20)
    with meanwhile(belt.clients, At("after", dialect.listing, lambda: belt.pass_time(40))):
        belt.poll(run)
    assert not belt.stored(f"runs/{run}/batches/1/absent-1.json")
    ending = finish_with_retries(belt, run)
    check(belt, ending, DATA)
    assert (ending.creates, ending.created) == (1, 1)


def test_a_cancel_that_is_lost_is_asked_for_again(belt: Belt) -> None:
    """Otherwise a stop would keep nothing, and the provider would be blamed for it."""
    inject_faults(
        belt, {"call": "cancel", "do": {"kind": "answer", "status": 500}}, seconds=72_000, canceling_seconds=60
    )
    run = belt.upload(DATA)
    write_control(belt, run, "cancel", STOP)
    assert finish_with_retries(belt, run).notice["status"] == "stopped"
    assert belt.receipt()["outcomes"]["canceled"] == 2
    assert belt.provider.stats()["calls"]["cancel"] == 2


def test_a_cancel_that_was_only_written_down_is_made(belt: Belt) -> None:
    """The function was gone between the fact and the call."""
    inject_faults(belt, seconds=72_000, canceling_seconds=60)
    run = belt.upload(DATA)
    write_control(belt, run, "cancel", STOP)
    with crash_at(belt.clients, "after", "cancel.json"):
        belt.poll(run)
    assert finish_with_retries(belt, run).notice["status"] == "stopped"
    assert belt.provider.stats()["calls"]["cancel"] == 1


def test_while_a_word_stands_that_cannot_be_followed_nobody_pays(belt: Belt) -> None:
    """A person means something by it; what, is for the person to say."""
    inject_faults(belt, {"call": "create", "do": {"kind": "lose", "when": "before"}})
    run = belt.upload(DATA)
    write_control(belt, run, RELEASE, b"adopt: msgbatch_x")
    run_loop(belt, run, 3 * HOUR)
    assert belt.creates() == (1, 0)
    (notice,) = belt.notices
    assert "says neither" in plain(notice["message"])
    write_control(belt, run, RELEASE, b"submit again")
    assert finish_with_retries(belt, run).created == 1


@pytest.mark.parametrize("dialect", IN_DOUBT, indirect=True)
def test_a_batch_whose_results_answer_others_is_not_adopted_on_a_persons_word(belt: Belt) -> None:
    """Of two runs of one size in doubt, a person may mix up the batches; where results can be read, they decide."""
    inject_faults(belt, LOST, LOST, UNREADABLE)
    first, second = (belt.upload(drop_of(4), f"inbox/{name}.jsonl") for name in ("first", "second"))
    run_loop(belt, second, 2 * HOUR)
    inject_faults(belt)
    write_control(belt, second, RELEASE, f"adopt {belt.provider.stats()['batches'][0]['id']}".encode())
    run_loop(belt, second, HOUR)
    assert "answer other requests" in plain(belt.notices[-1]["message"])
    inject_faults(belt, UNREADABLE)  # what was read once need not be read again: it is known whose that batch is
    belt.s3.delete_object(Bucket=belt.bucket, Key=f"control/{second}/{RELEASE}")
    inject_faults(belt)
    assert [finish_with_retries(belt, run).notice["status"] for run in (second, first)] == ["completed", "completed"]
    assert belt.creates() == (2, 2)


def test_a_stop_after_everything_is_there_changes_no_word(belt: Belt) -> None:
    """A message that is repeated says the same."""
    run = belt.upload(DATA)
    belt.poll(run)
    belt.split(run)
    told = belt.report(run)
    write_control(belt, run, "cancel", STOP)
    assert belt.poll(run)["next"] == "report"
    assert belt.report(run) == told


@pytest.mark.parametrize("dialect", IN_DOUBT, indirect=True)
def test_bytes_of_a_run_that_a_person_let_pay_again_are_not_run_by_themselves(belt: Belt) -> None:
    """That its first call created nothing was that person's word, and no proof."""
    inject_faults(belt, LOST, GONE)
    run = belt.upload(DATA)
    run_loop(belt, run, 2 * HOUR)
    write_control(belt, run, RELEASE, b"submit again")
    inject_faults(belt, {"call": "create", "do": {"kind": "answer", "status": 403}})
    refused = finish_with_retries(belt, run).notice
    assert "nothing was charged" not in plain(refused["message"])
    assert f"again={refused['run']}" in commands(refused)[-1]
    inject_faults(belt)
    assert belt.finish(belt.upload(DATA))["status"] == "refused"
    assert belt.creates() == (2, 1)


def test_a_provider_that_says_come_at_once_is_sent_the_body_ever_more_rarely_all_the_same(belt: Belt) -> None:
    """Its first word is taken; after that we do not hammer it with the whole body."""
    busy = {"kind": "answer", "status": 429, "headers": {"retry-after": "0"}}
    inject_faults(belt, {"call": "create", "do": busy, "times": 6})
    began = belt.moment
    finish_with_retries(belt, belt.upload(DATA))
    assert belt.creates() == (7, 1)
    assert belt.moment - began >= timedelta(minutes=2 + 4 + 8 + 16 + 30)


@pytest.mark.parametrize("dialect", IN_DOUBT, indirect=True)
def test_candidates_that_cannot_all_be_read_in_time_are_doubtful_and_those_that_were_are_remembered(
    belt: Belt, dialect: Dialect
) -> None:
    """Poll has two minutes, and a workspace may hold many batches of one size."""
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
