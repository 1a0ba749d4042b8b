"""When a batch that does not end is cancelled and given up, for any times that its server returns."""

from datetime import datetime, timedelta

import httpx
import pytest

from conveyor.domain import keys
from conveyor.ledger.batch_facts import Cancel, Stuck
from tests.support.examples import NOW
from tests.support.sent_runs import FAR, PAST, SentRun, running, shown


@pytest.mark.parametrize(
    ("dialect", "window", "hours"), [("messages", "24h", 24), ("files", "24h", 24), ("files", "7d", 168)]
)
@pytest.mark.parametrize("said", [NOW, NOW + timedelta(seconds=1), PAST])
def test_a_batch_that_runs_is_not_cancelled_before_its_window_and_an_hour_whatever_its_server_says(
    dialect: str, window: str, hours: int, said: datetime
) -> None:
    """Our own clock counts, from the time at which the batch was recorded."""
    run = SentRun(running(dialect, expires_at=said.isoformat()), expires_at=said, batch_api=dialect,
                  completion_window=window)  # fmt: skip
    for part in range(50):
        run.poll(hours=0 if part == 0 else (hours + 0.99) / 49)
    assert not run.cancels()
    run.poll(hours=0.02)
    assert run.cancels() == 1


@pytest.mark.parametrize("dialect", ["messages", "files"])
def test_a_server_that_says_a_later_end_is_believed_as_long_as_results_are_kept(dialect: str) -> None:
    """Therefore every run ends."""
    run = SentRun(running(dialect, expires_at=FAR.isoformat()), expires_at=FAR, batch_api=dialect)
    run.poll(days=29, minutes=59)
    assert not run.cancels()
    run.poll(minutes=2)
    assert run.cancels() == 1
    assert run.poll(hours=5)["next"] == "wait"
    assert run.poll(hours=1)["next"] == "split", "it is stuck"


@pytest.mark.parametrize("dialect", ["messages", "files"])
@pytest.mark.parametrize("odd", [None, "", "soon", 0, -1, "0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", 1e300])
def test_a_batch_is_checked_whatever_times_its_server_gives(dialect: str, odd: object) -> None:
    """An unusable time changes nothing about the batch."""
    moments = dict.fromkeys(("created_at", "expires_at", "ended_at", "completed_at"), odd)
    assert SentRun(running(dialect, ended=True, **moments), batch_api=dialect).poll()["next"] == "split"
    assert SentRun(running(dialect, **moments), batch_api=dialect).poll()["trouble"] is None


@pytest.mark.parametrize(
    ("status", "is_stopped", "days", "stuck"),
    [(503, False, 20, False), (401, False, 20, False), (404, False, 20, True), (410, False, 20, True),
     (503, True, 20, False), (503, False, 29.1, True), (200, False, 20, True)],
)  # fmt: skip
def test_a_cancelled_batch_is_given_up_after_a_check_that_succeeded_and_not_because_one_failed(
    status: int, *, is_stopped: bool, days: float, stuck: bool
) -> None:
    """Its results may be read while they are kept, also if a person stopped the run to keep finished ones."""
    run = SentRun(lambda _: httpx.Response(status, json=shown("messages")))
    run.write(Cancel.key("run-1", 1), Cancel("w", NOW + timedelta(hours=25)))
    run.bucket.objects |= {keys.stop("run-1"): b""} if is_stopped else {}
    assert run.poll(days=days)["next"] == ("split" if stuck else "wait")
    assert (Stuck.key("run-1", 1) in run.bucket.objects) is stuck
    assert bool(run.cancels()) is not stuck, "a cancel may have been lost"
