"""Servers with unusual expiry times, Retry-After headers and missing batches, in both dialects."""

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
from tests.support.settings import tune

DIALECTS = {"messages": {}, "files": {"BATCH_API": "files"}}


@pytest.fixture(params=sorted(DIALECTS))
def stack_settings(stack_settings: dict[str, str], request: pytest.FixtureRequest) -> dict[str, str]:
    """Return the settings of a stack of each dialect."""
    return stack_settings | DIALECTS[request.param]


@pytest.mark.usefixtures("seldom")
@pytest.mark.parametrize("expires", [0, 220_000_000_000])
def test_a_batch_is_not_cancelled_early_whatever_its_expiry_time(belt: Belt, expires: int) -> None:
    """Whether it expires at creation or in the year 8998, it runs for two hours and is not cancelled."""
    belt.provider.configure(seconds=7_200, expire=False, expires_seconds=expires)
    run = belt.upload(drop_of(3))
    check(belt, run, belt.finish(run), drop_of(3))
    assert belt.provider.stats()["calls"]["cancel"] == 0


@pytest.mark.usefixtures("seldom")
@pytest.mark.parametrize(("expires", "days"), [(0, 1), (220_000_000_000, 29)])
def test_a_batch_that_never_ends_is_cancelled_whatever_its_expiry_time(belt: Belt, expires: int, days: int) -> None:
    """An hour after the completion window, or after the retention time of results."""
    retention = {"retention_seconds": 40 * 86_400}
    belt.provider.configure(seconds=None, expire=False, expires_seconds=expires, canceling_seconds=0, **retention)
    began = belt.moment
    run = belt.upload(drop_of(2))
    belt.pass_time(timedelta(days=days, minutes=50).total_seconds())
    check(belt, run, belt.finish(run), drop_of(2))
    assert timedelta(days=days, hours=1) <= belt.moment - began <= timedelta(days=days, hours=2)
    assert belt.provider.stats()["calls"]["cancel"] == 1


@pytest.mark.parametrize(("kept_days", "status"), [(60, "completed"), (29, "stuck")])
def test_a_run_that_was_paused_for_weeks_reads_its_results_first(belt: Belt, kept_days: int, status: str) -> None:
    """The state machine was stopped and restarted: only a failed read proves that the results are deleted."""
    belt.provider.configure(retention_seconds=kept_days * 86_400)
    run = belt.upload(drop_of(2))
    belt.pass_time(45 * 86_400)
    assert belt.finish(run)["status"] == status
    assert len(belt.facts(run, "unread")) == (status == "stuck")
    assert belt.creates() == (1, 1)


def busy(belt: Belt, call: str, retry_after: str = "3000", *, status: int = 429, after: int = 0) -> dict[str, Any]:
    """Return a fault: one call is answered with Retry-After, in seconds or (`date 3000`) as a date."""
    value = retry_after
    if "date" in retry_after:
        value = format_datetime(belt.moment + timedelta(seconds=int(retry_after[5:])), usegmt=True)
    answer = {"kind": "answer", "status": status, "headers": {"retry-after": value}}
    return {"call": call, "do": answer, "after": after}


@pytest.mark.parametrize("retry_after", ["50", "date 3000"])
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
def test_after_a_retry_after_no_call_is_made_before_it(belt: Belt, call: str, status: int, retry_after: str) -> None:
    """Whichever function made the call, and whichever runs next; then the run continues."""
    belt.provider.configure(
        seconds=None if call == "cancel" else 600, faults=[busy(belt, call, retry_after, status=status)]
    )
    run = belt.upload(drop_of(3))
    if call == "cancel":
        belt.s3.put_object(Bucket=belt.bucket, Key=f"control/{run}/cancel", Body=b"")
    began = belt.moment
    assert belt.finish(run)["status"] == ("stopped" if call == "cancel" else "completed")
    stats = belt.provider.stats()
    assert (stats["faults"][0]["struck"], stats["early"]) == (1, {})
    assert belt.moment - began >= timedelta(seconds=int(retry_after.rsplit(maxsplit=1)[-1]))
    assert stats["created"] == 1
    assert len(belt.facts(run, "attempt")) == stats["calls"]["create"], "an attempt was recorded without a call"


def test_before_the_retry_after_time_a_poll_reads_only_s3(belt: Belt) -> None:
    """Polls keep their interval, so a stop is recorded; the cancel is sent after the Retry-After time."""
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


def test_a_retry_after_is_recorded_before_a_crash(belt: Belt) -> None:
    """It is written before anything else is done."""
    belt.provider.configure(faults=[busy(belt, "retrieve")])
    run = belt.upload(drop_of(3))
    with crash_at(belt.clients, "after", f"PutObject runs/{run}/wait-"):
        belt.poll(run)
    belt.pass_time(2)
    belt.poll(run)
    assert belt.provider.stats()["early"] == {}


def test_an_endless_retry_after_does_not_prevent_the_end_of_a_run(belt: Belt) -> None:
    """It ends after the retention time of results, and the time for a cancel."""
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
    """Set three requests per batch."""
    tune(monkeypatch, max_requests_per_batch=3)
    return belt


@pytest.mark.usefixtures("seldom")
@pytest.mark.parametrize(
    ("call", "after"), [("retrieve", 0), ("retrieve", 1), ("results", 0), ("list", 1), ("create", 2)]
)
def test_a_retry_after_for_one_batch_holds_for_all(threes: Belt, call: str, after: int) -> None:
    """In the same poll and in the splits that follow it."""
    threes.provider.configure(faults=[busy(threes, call, after=after)])
    run = threes.upload(drop_of(9))
    check(threes, run, threes.finish(run), drop_of(9))
    stats = threes.provider.stats()
    assert (stats["faults"][0]["struck"], stats["early"], stats["created"]) == (1, {}, 3)


REPORTS = Path(__file__).parents[2] / "data" / "reports"
GONE = msgspec.json.decode((REPORTS / "file-deleted-at-provider.provider.json").read_bytes())


@pytest.mark.usefixtures("seldom")
@pytest.mark.parametrize(
    ("call", "status", "ends"),
    [
        ("results", 404, timedelta(days=29)),
        ("results", 410, timedelta(days=29)),
        ("retrieve", 404, timedelta(hours=24 + 1 + 6)),
    ],
)
def test_a_message_about_deleted_results_has_the_time_when_the_run_ends(
    belt: Belt, call: str, status: int, ends: timedelta
) -> None:
    """The message comes after six hours; the run ends at that time and not before."""
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
    text = " ".join(notice["message"].split())
    assert f"HTTP {status}" in text
    assert f"until about {end:%Y-%m-%d %H:%M} UTC" in text
    assert "deleted at the provider" in text
    belt.set_clock(end - timedelta(hours=6, minutes=1))
    assert belt.poll(run)["next"] != "report"
    assert "batches/1/stuck.json" not in belt.facts(run)
    belt.pass_time(60 if call == "retrieve" else 6 * 3600 + 120)
    assert belt.finish(run)["status"] == "stuck"
    assert timedelta(0) <= belt.moment - end <= timedelta(hours=2)


@pytest.mark.usefixtures("seldom")
def test_a_batch_at_risk_is_reported_once_and_expires_at_the_reported_time(belt: Belt) -> None:
    """The message comes at three quarters of the window; expired requests are in retry.jsonl."""
    belt.provider.configure(seconds=None, finished_share=0.5)
    run = belt.upload(drop_of(4))
    sent = belt.moment
    belt.pass_time(17.9 * 3600)
    notice = belt.finish(run)
    assert [notice["status"] for notice in belt.notices] == ["at-risk"]
    text = belt.notices[0]["message"]
    assert f"until about {sent + timedelta(hours=24):%Y-%m-%d %H:%M} UTC" in text
    assert "Up to 4 " in text
    assert notice["status"] == "completed"
    receipt = belt.receipt(run)
    assert (receipt["outcomes"]["succeeded"], receipt["outcomes"]["expired"], receipt["retryable"]) == (2, 2, 2)
    assert belt.read(f"failures/three/{run}/retry.jsonl").splitlines() == drop_of(4).splitlines()[2:]


def test_the_command_of_a_message_about_batches_at_risk_stops_the_run(belt: Belt) -> None:
    """The finished results are kept, and there is no second message about the risk."""
    belt.provider.configure(seconds=None)
    run = belt.upload(drop_of(4))
    belt.pass_time(18.1 * 3600)
    assert belt.poll(run)["next"] == "notify"
    (command,) = commands(belt.notices[0])
    run_command(belt, command)
    check(belt, run, belt.finish(run), drop_of(4), "stopped")
    assert belt.receipt(run)["code"] == "stopped"
    assert len(belt.notices) == 1


def test_a_decision_waits_for_retry_after_and_is_not_called_invalid(belt: Belt) -> None:
    """The batch cannot be checked before the Retry-After time."""
    lost = {"call": "create", "do": {"kind": "lose", "when": "after"}}
    belt.provider.configure(seconds=None, faults=[lost, busy(belt, "list", after=1)])
    run = belt.upload(drop_of(2))
    belt.pass_time(1)
    assert belt.poll(run)["trouble"]["reason"] == "HTTP 429"
    (batch,) = belt.provider.stats()["batches"]
    decision = f"adopt {batch['id']}".encode()
    belt.s3.put_object(Bucket=belt.bucket, Key=f"control/{run}/batches/1/attempt-1", Body=decision)
    belt.pass_time(100)
    state = belt.poll(run)
    assert (state["next"], state["trouble"]["reason"], belt.facts(run, "batch-")) == ("wait", "HTTP 429", [])
    belt.provider.configure(seconds=0)
    check(belt, run, belt.finish(run), drop_of(2))
    assert (belt.notices, belt.provider.stats()["early"], belt.creates()) == ([], {}, (1, 1))
    assert belt.fact(run, "batches/1/batch-1.json")["released"] is True
