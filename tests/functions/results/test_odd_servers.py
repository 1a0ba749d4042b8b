"""Servers that behave a little differently: in both dialects, and on the clock of the functions."""

from datetime import timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.support.belt import Belt, drop_of
from tests.support.faults.scenes import commands, run_command
from tests.support.faults.taps import crash_at
from tests.support.promises import check

DIALECTS = {"messages": {}, "files": {"BATCH_API": "files"}}


@pytest.fixture(params=sorted(DIALECTS))
def stack_settings(stack_settings: dict[str, str], request: pytest.FixtureRequest) -> dict[str, str]:
    """Choose the dialect."""
    return stack_settings | DIALECTS[request.param]


@pytest.mark.parametrize("expires", [0, 220_000_000_000])
def test_a_batch_ends_in_its_own_time_whatever_its_server_says_of_its_expiry(belt: Belt, expires: int) -> None:
    """When it is created, or in the year 8998: it runs for two hours and is not cancelled."""
    belt.provider.configure(seconds=7_200, expire=False, expires_seconds=expires)
    run = belt.upload(drop_of(3))
    check(belt, run, belt.finish(run), drop_of(3))
    assert belt.provider.stats()["calls"]["cancel"] == 0


@pytest.mark.parametrize(("expires", "days"), [(0, 1), (220_000_000_000, 29)])
def test_a_batch_that_never_ends_is_cancelled_whatever_its_server_says_of_its_expiry(
    belt: Belt, expires: int, days: int
) -> None:
    """An hour after its window, or after the time for which a provider keeps results."""
    keeps = {"retention_seconds": 40 * 86_400}
    belt.provider.configure(seconds=None, expire=False, expires_seconds=expires, canceling_seconds=0, **keeps)
    began = belt.moment
    run = belt.upload(drop_of(2))
    belt.pass_time(timedelta(days=days, minutes=50).total_seconds())
    check(belt, run, belt.finish(run), drop_of(2))
    assert timedelta(days=days, hours=1) <= belt.moment - began <= timedelta(days=days, hours=2)
    assert belt.provider.stats()["calls"]["cancel"] == 1


@pytest.mark.parametrize(("kept_days", "status"), [(60, "completed"), (29, "stuck")])
def test_a_run_that_stood_still_for_weeks_reads_its_results_first(belt: Belt, kept_days: int, status: str) -> None:
    """Somebody stopped the machine, and started it again: only a read that fails tells that nothing is kept."""
    belt.provider.configure(retention_seconds=kept_days * 86_400)
    run = belt.upload(drop_of(2))
    belt.pass_time(45 * 86_400)
    assert belt.finish(run)["status"] == status
    assert len(belt.facts(run, "unread")) == (status == "stuck")
    assert belt.creates() == (1, 1)


def busy(belt: Belt, call: str, said: str = "3000", *, status: int = 429, after: int = 0) -> dict[str, Any]:
    """Let one call be answered with a moment to come back at."""
    given = format_datetime(belt.moment + timedelta(seconds=int(said[5:])), usegmt=True) if "date" in said else said
    answer = {"kind": "answer", "status": status, "headers": {"retry-after": given}}
    return {"call": call, "do": answer, "after": after}


@pytest.mark.parametrize("said", ["50", "date 3000"])
@pytest.mark.parametrize(
    ("call", "status"),
    [
        ("retrieve", 429),
        ("list", 429),
        ("results", 503),
        ("create", 429),
        ("create", 503),
        ("cancel", 503),
    ],
)
def test_after_a_call_that_named_a_moment_nothing_is_asked_before_it(
    belt: Belt, call: str, status: int, said: str
) -> None:
    """Whichever function asked, and whichever comes next; and then all goes on."""
    belt.provider.configure(seconds=None if call == "cancel" else 600, faults=[busy(belt, call, said, status=status)])
    run = belt.upload(drop_of(3))
    if call == "cancel":
        belt.s3.put_object(Bucket=belt.bucket, Key=f"control/{run}/cancel", Body=b"")
    began = belt.moment
    assert belt.finish(run)["status"] == ("stopped" if call == "cancel" else "completed")
    stats = belt.provider.stats()
    assert (stats["faults"][0]["struck"], stats["early"]) == (1, {})
    assert belt.moment - began >= timedelta(seconds=int(said.rsplit(maxsplit=1)[-1]))
    assert stats["created"] == 1
    assert len(belt.facts(run, "attempt")) == stats["calls"]["create"], "no intent was written for a call not made"


def test_a_look_is_not_made_before_the_moment_it_was_told_but_s3_is_looked_at(belt: Belt) -> None:
    """At the usual pace, so that a stop is seen; the provider hears of it when it may be asked again."""
    belt.provider.configure(seconds=None, faults=[busy(belt, "retrieve")])
    run = belt.upload(drop_of(3))
    state = belt.poll(run)
    assert (state["next"], state["wait_seconds"], state["trouble"]["reason"]) == ("wait", 30, "HTTP 429")
    calls = belt.provider.stats()["calls"]
    belt.s3.put_object(Bucket=belt.bucket, Key=f"control/{run}/cancel", Body=b"")
    belt.pass_time(30)
    assert (belt.poll(run)["next"], belt.facts(run, "refused")) == ("wait", ["refused.json"])
    belt.pass_time(2969)
    assert belt.poll(run)["trouble"]["reason"] == "HTTP 429"
    assert belt.provider.stats()["calls"] == calls
    belt.pass_time(2)
    belt.poll(run)
    assert belt.provider.stats()["calls"]["cancel"] == 1


def test_a_function_that_crashes_after_it_was_told_leaves_word_for_the_next(belt: Belt) -> None:
    """What a provider asked for is written down before anything else is done."""
    belt.provider.configure(faults=[busy(belt, "retrieve")])
    run = belt.upload(drop_of(3))
    with crash_at(belt.clients, "after", f"PutObject runs/{run}/wait-"):
        belt.poll(run)
    belt.pass_time(2)
    belt.poll(run)
    assert belt.provider.stats()["early"] == {}


def test_a_provider_that_says_come_back_for_ever_does_not_keep_a_run_from_its_end(belt: Belt) -> None:
    """It ends when results would be kept no longer, and an hour's cancel later."""
    belt.provider.configure(seconds=None, faults=[busy(belt, "retrieve", "86400") | {"times": None}])
    began = belt.moment
    run = belt.upload(drop_of(2))
    while (state := belt.poll(run))["next"] in {"wait", "notify"}:
        belt.pass_time(6 * 3600)
    assert state["next"] == "split"
    belt.split(run)
    assert belt.report(run)["status"] == "stuck"
    assert timedelta(days=29) <= belt.moment - began <= timedelta(days=32)
    assert belt.provider.stats()["early"] == {}


@pytest.fixture
def threes(monkeypatch: pytest.MonkeyPatch, belt: Belt) -> Belt:
    """Let a batch take three requests."""
    monkeypatch.setenv("CONVEYOR_MAX_REQUESTS_PER_BATCH", "3")
    return belt


@pytest.mark.parametrize(
    ("call", "after"), [("retrieve", 0), ("retrieve", 1), ("results", 0), ("list", 1), ("create", 2)]
)
def test_while_one_batch_must_wait_nothing_is_asked_for_the_others(threes: Belt, call: str, after: int) -> None:
    """Neither in the same look nor in the splits that follow it."""
    threes.provider.configure(faults=[busy(threes, call, after=after)])
    run = threes.upload(drop_of(9))
    check(threes, run, threes.finish(run), drop_of(9))
    stats = threes.provider.stats()
    assert (stats["faults"][0]["struck"], stats["early"], stats["created"]) == (1, {}, 3)


REPORTS = Path(__file__).parents[2] / "data" / "reports"
GONE = msgspec.json.decode((REPORTS / "file-deleted-at-provider.provider.json").read_bytes())


@pytest.mark.parametrize(
    ("call", "status", "ends"),
    [
        ("results", 404, timedelta(days=29)),
        ("results", 410, timedelta(days=29)),
        ("retrieve", 404, timedelta(hours=24 + 1 + 6)),
    ],
)
def test_what_is_gone_at_the_provider_is_told_with_the_moment_at_which_the_run_ends(
    belt: Belt, call: str, status: int, ends: timedelta
) -> None:
    """After six hours; and the run ends then, and not before."""
    (fault,) = GONE["faults"]
    belt.provider.configure(faults=[fault | {"call": call, "do": fault["do"] | {"status": status}}])
    run = belt.upload(drop_of(2))
    end = belt.moment + ends
    while not belt.notices:
        state = belt.poll(run)
        for batch in state["batches"]:
            belt.split(run, batch)
        belt.pass_time(900)
    (notice,) = belt.notices
    assert notice["status"] == "troubled"
    said = " ".join(notice["message"].split())
    assert f"HTTP {status}" in said
    assert f"until about {end:%Y-%m-%d %H:%M} UTC" in said
    assert "deleted at the provider" in said
    belt.set_clock(end - timedelta(hours=6, minutes=1))
    assert belt.poll(run)["next"] != "report"
    assert "batches/1/stuck.json" not in belt.facts(run)
    belt.pass_time(60 if call == "retrieve" else 6 * 3600 + 120)
    assert belt.finish(run)["status"] == "stuck"
    assert timedelta(0) <= belt.moment - end <= timedelta(hours=2)


def test_a_batch_that_is_silent_for_long_is_told_once_and_expires_as_was_said(belt: Belt) -> None:
    """At three quarters of the window; what had expired is in retry.jsonl, and counts no cost."""
    belt.provider.configure(seconds=None, finished_share=0.5)
    run = belt.upload(drop_of(4))
    sent = belt.moment
    belt.pass_time(17.9 * 3600)
    notice = belt.finish(run)
    assert [each["status"] for each in belt.notices] == ["at-risk"]
    said = belt.notices[0]["message"]
    assert f"until about {sent + timedelta(hours=24):%Y-%m-%d %H:%M} UTC" in said
    assert "up to 4 " in said
    assert notice["status"] == "completed"
    receipt = belt.receipt(run)
    assert (receipt["outcomes"]["succeeded"], receipt["outcomes"]["expired"], receipt["retryable"]) == (2, 2, 2)
    assert belt.read(f"failures/three/{run}/retry.jsonl").splitlines() == drop_of(4).splitlines()[2:]


def test_the_command_of_a_message_about_batches_at_risk_stops_the_run(belt: Belt) -> None:
    """Word for word; what was finished is kept, and nothing more is told of a risk."""
    belt.provider.configure(seconds=None)
    run = belt.upload(drop_of(4))
    belt.pass_time(18.1 * 3600)
    assert belt.poll(run)["next"] == "notify"
    (stop,) = commands(belt.notices[0])
    run_command(belt, stop)
    check(belt, run, belt.finish(run), drop_of(4), "stopped")
    assert belt.receipt(run)["code"] == "stopped"
    assert len(belt.notices) == 1


def test_a_persons_word_waits_for_the_provider_and_is_not_said_to_be_wrong(belt: Belt) -> None:
    """What the provider was not asked, it has not denied."""
    lost = {"call": "create", "do": {"kind": "lose", "when": "after"}}
    belt.provider.configure(seconds=None, faults=[lost, busy(belt, "list", after=1)])
    run = belt.upload(drop_of(2))
    belt.pass_time(1)
    assert belt.poll(run)["trouble"]["reason"] == "HTTP 429"
    (made,) = belt.provider.stats()["batches"]
    word = f"adopt {made['id']}".encode()
    belt.s3.put_object(Bucket=belt.bucket, Key=f"control/{run}/batches/1/attempt-1", Body=word)
    belt.pass_time(100)
    state = belt.poll(run)
    assert (state["next"], state["trouble"]["reason"], belt.facts(run, "batch-")) == ("wait", "HTTP 429", [])
    belt.provider.configure(seconds=0)
    check(belt, run, belt.finish(run), drop_of(2))
    assert (belt.notices, belt.provider.stats()["early"], belt.creates()) == ([], {}, (1, 1))
    assert belt.fact(run, "batches/1/batch-1.json")["released"] is True
