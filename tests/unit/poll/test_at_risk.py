"""Which batches may expire, and when a message reports them."""

from datetime import datetime, timedelta

import httpx
import pytest

from conveyor.domain import keys
from conveyor.ledger.batch_facts import Cancel, Submitted
from tests.support.examples import NOW
from tests.support.sent_runs import EXPIRES, FAR, SentRun, batch_id, running, shown


def messages_in(run: SentRun, hours: float, times: int = 40) -> list[tuple[float, str]]:
    """Check so often in so many hours; return the messages, and after how many hours each was sent."""
    messages = []
    for _ in range(times):
        state = run.poll(hours=hours / times)
        if state["next"] == "notify":
            messages.append(((run.now - NOW) / timedelta(hours=1), state["notice"]["message"]))
            assert state["notice"]["status"] == "at-risk"
    return messages


@pytest.mark.slow
@pytest.mark.parametrize(
    ("dialect", "window", "hours"),
    [("messages", "24h", 24), ("messages", "7d", 24), ("files", "24h", 24), ("files", "7d", 168)],
)
@pytest.mark.parametrize("expires", [EXPIRES, NOW, FAR])
def test_a_batch_that_is_silent_for_three_quarters_of_its_window_is_reported_once(
    dialect: str, window: str, hours: int, expires: datetime
) -> None:
    """By our own clock, in either dialect, whatever end the server gives."""
    run = SentRun(running(dialect), batch_api=dialect, completion_window=window, expires_at=expires)
    assert messages_in(run, hours * 0.749, times=10) == []
    ((after, message),) = messages_in(run, hours * 0.3)
    assert hours * 0.75 <= after <= hours * 0.76
    assert "batch_1: 3 requests" in message


@pytest.mark.slow
def test_many_batches_are_reported_in_one_message_a_quarter_of_the_window() -> None:
    """Sent one each half hour: those that soon reach three quarters are in the same message, and none is in two."""
    run = SentRun(answer_each, batches=20)
    for number in range(1, 21):
        at = NOW + timedelta(hours=(number - 1) / 2)
        run.write(Submitted.key("run-1", number, 1), Submitted("w", at, batch_id(number), at, at + timedelta(hours=24)))
    messages = messages_in(run, 30, times=30 * 2)
    named = [[number for number in range(1, 21) if f"{batch_id(number)}: " in message] for _, message in messages]
    assert named == [list(range(1, 14)), list(range(14, 21))]
    assert [after for after, _ in messages] == [18, 24.5]


def answer_each(request: httpx.Request) -> httpx.Response:
    """Answer that every batch is running, and cancel none."""
    number = request.url.path.removesuffix("/cancel").rpartition("_")[2]
    return httpx.Response(200, json=shown("messages", int(number)))


def test_a_batch_that_ended_or_is_cancelled_is_not_at_risk() -> None:
    """A batch that cannot be checked may not have ended."""
    assert SentRun(running("messages", ended=True)).poll(hours=19)["notice"] is None
    assert SentRun(lambda _: httpx.Response(503)).poll(hours=19)["notice"]["status"] == "at-risk"
    cancelled = SentRun(running("messages"))
    cancelled.write(Cancel.key("run-1", 1), Cancel("w", NOW + timedelta(hours=18)))
    assert cancelled.poll(hours=19)["notice"] is None
    stopped = SentRun(running("messages"))
    stopped.bucket.objects[keys.stop("run-1")] = b""
    assert stopped.poll(hours=19)["notice"] is None


def test_a_batch_whose_time_is_over_is_not_reported_as_at_risk() -> None:
    """A run that was paused is checked too late for a warning."""
    assert SentRun(running("messages")).poll(hours=24.5)["notice"] is None
