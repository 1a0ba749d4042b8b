"""What a look at a run of many batches costs, and its report; and what a look makes of moments that servers name."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from threading import Barrier
from typing import Any

import httpx
import pytest
from botocore.awsrequest import AWSResponse
from botocore.exceptions import ClientError

from conveyor.clients import Clients
from conveyor.domain import keys
from conveyor.ledger.batch_facts import Cancel, Read, Splitting, Stuck, Submitted, Unread
from conveyor.ledger.run_facts import Refusal, RetryAfterAnswer, Run
from conveyor.report.report import report
from conveyor.s3.bucket import MOST_READS, Bucket
from tests.support.examples import NOW
from tests.support.fake_aws import client, failure
from tests.support.sent_runs import EXPIRES, Looks, Provider, batch_id, shown

UNDER_WAY = (7, 300)


@pytest.mark.parametrize("split", [998, 498])
def test_a_look_reads_nothing_of_the_batches_that_are_split(split: int) -> None:
    """It lists the ledger, and reads the run, the plan, and what is written of the batches under way."""

    def provider(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json=shown("messages", int(request.url.path.rpartition("_")[2])))

    numbers = range(1, split + 3)
    looks = Looks(provider, batches=split + 2, split=set(numbers) - set(UNDER_WAY))
    looks.poll()
    kinds = Counter(request.partition(" ")[0] for request in looks.bucket.requests)
    pages = -(-(2 + 4 * split + 2 * 2) // 1000)
    assert kinds == {"LIST": pages + 1, "GET": 4, "PUT": 2}
    read = {Run.key("run-1"), keys.plan("run-1"), *(Submitted.key("run-1", number, 1) for number in UNDER_WAY)}
    assert {request[4:] for request in looks.bucket.requests if request.startswith("GET")} == read
    assert len(looks.asked) == len(UNDER_WAY)


def nobody(_: httpx.Request) -> httpx.Response:
    """Answer nothing: a report does not ask the provider."""
    raise AssertionError


def test_a_report_reads_the_accounts_of_many_batches_at_once_and_names_them_in_order() -> None:
    """No answer comes before all readers have asked."""
    looks = Looks(nobody, batches=MOST_READS * 3, split=range(1, MOST_READS * 3 + 1))
    together = Barrier(MOST_READS, timeout=10)

    def serve(request: Any) -> AWSResponse:
        if "/part.json" in request.url:
            together.wait()
        return looks.bucket.serve(request)

    looks.clients.bucket = Bucket(client("s3", serve), "bucket")
    assert report({"run": "run-1"}, looks.clients)["status"] == "unbalanced", "the parts here name no files"
    receipt = looks.read(keys.receipt(looks.run.name, "run-1"))
    assert [batch["id"] for batch in receipt["batches"]] == [batch_id(n) for n in range(1, MOST_READS * 3 + 1)]


def test_an_account_that_cannot_be_read_ends_the_report_with_what_s3_said() -> None:
    """As it does where one is read after the other."""
    looks = Looks(nobody, batches=3, split=(1, 2, 3))

    def serve(request: Any) -> AWSResponse:
        return failure(403, "AccessDenied") if "/2/part.json" in request.url else looks.bucket.serve(request)

    looks.clients.bucket = Bucket(client("s3", serve), "bucket")
    with pytest.raises(ClientError, match="AccessDenied"):
        report({"run": "run-1"}, looks.clients)


def test_there_is_a_connection_for_each_object_that_is_read_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """With fewer, connections would be thrown away and made again."""
    monkeypatch.setenv("CONVEYOR_BUCKET", "bucket")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    config: Any = Clients().bucket._client.meta.config  # noqa: SLF001
    assert config.max_pool_connections == MOST_READS


def running(dialect: str, **about: Any) -> Provider:
    """Answer every call about a batch that runs, for ever."""
    return lambda _: httpx.Response(200, json=shown(dialect, **about))


PAST, FAR = NOW - timedelta(days=9000), datetime(8999, 12, 31, tzinfo=UTC)


@pytest.mark.parametrize(
    ("dialect", "window", "hours"), [("messages", "24h", 24), ("files", "24h", 24), ("files", "7d", 168)]
)
@pytest.mark.parametrize("said", [NOW, NOW + timedelta(seconds=1), PAST])
def test_a_batch_that_runs_is_not_cancelled_before_its_window_and_an_hour_whatever_its_server_says(
    dialect: str, window: str, hours: int, said: datetime
) -> None:
    """By our own clock, from the moment at which we knew of it."""
    looks = Looks(running(dialect, expires_at=said.isoformat()), expires_at=said, batch_api=dialect,
                  completion_window=window)  # fmt: skip
    for part in range(50):
        looks.poll(hours=0 if part == 0 else (hours + 0.99) / 49)
    assert not looks.cancels()
    looks.poll(hours=0.02)
    assert looks.cancels() == 1


@pytest.mark.parametrize("dialect", ["messages", "files"])
def test_a_server_that_says_a_later_end_is_believed_as_long_as_results_are_kept(dialect: str) -> None:
    """So every run ends."""
    looks = Looks(running(dialect, expires_at=FAR.isoformat()), expires_at=FAR, batch_api=dialect)
    looks.poll(days=29, minutes=59)
    assert not looks.cancels()
    looks.poll(minutes=2)
    assert looks.cancels() == 1
    assert looks.poll(hours=5)["next"] == "wait"
    assert looks.poll(hours=1)["next"] == "split", "it is stuck"


@pytest.mark.parametrize("dialect", ["messages", "files"])
@pytest.mark.parametrize("odd", [None, "", "soon", 0, -1, "0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", 1e300])
def test_whatever_a_server_says_for_a_moment_its_batch_is_looked_at(dialect: str, odd: object) -> None:
    """A moment that is none takes nothing away from the batch beside it."""
    moments = dict.fromkeys(("created_at", "expires_at", "ended_at", "completed_at"), odd)
    assert Looks(running(dialect, ended=True, **moments), batch_api=dialect).poll()["next"] == "split"
    assert Looks(running(dialect, **moments), batch_api=dialect).poll()["trouble"] is None


@pytest.mark.parametrize("dialect", ["messages", "files"])
def test_a_run_that_was_paused_for_weeks_reads_before_it_gives_up(dialect: str) -> None:
    """Dates alone say nothing: a provider may keep results for longer than it says."""
    looks = Looks(running(dialect, ended=True), batch_api=dialect)
    assert looks.poll(days=60)["next"] == "split"
    assert Stuck.key("run-1", 1) not in looks.bucket.objects


@pytest.mark.parametrize(
    ("reads", "stuck"),
    [
        ([(28.9, {"gone": True})], False),
        ([(29.1, {"gone": True})], True),
        ([(29.1, {})], False),
        ([(28.9, {}), (29.1, {})], False),
        ([(29.1, {}), (29.2, {})], False),
        ([(29.1, {}), (29.4, {})], True),
        ([(29.1, {"ours": True}), (29.4, {})], False),
        ([(60, {"ours": True})], False),
    ],
)
def test_results_are_given_up_after_reads_that_failed_when_they_are_kept_no_longer(
    reads: list[tuple[float, dict[str, bool]]], *, stuck: bool
) -> None:
    """What failed before proves nothing now, one failure may be chance, and a function that failed has not read."""
    looks = Looks(running("messages", ended=True))
    for number, (days, about) in enumerate(reads, 1):
        looks.write(Splitting.key("run-1", 1, number), Splitting("w", NOW, NOW))
        looks.write(Unread.key("run-1", 1, number), Unread("w", NOW + timedelta(days=days), "HTTP 503", **about))
    assert looks.poll(days=70)["next"] == "split"
    assert (Stuck.key("run-1", 1) in looks.bucket.objects) is stuck


def test_a_read_of_lacking_lines_that_comes_due_after_the_retention_is_made() -> None:
    """Two reads that agree are no three."""
    looks = Looks(running("messages", ended=True))
    looks.write(Splitting.key("run-1", 1, 1), Splitting("w", NOW, NOW))
    looks.write(Read.key("run-1", 1, 1), Read("w", NOW + timedelta(days=29, minutes=-5), 1, "d"))
    assert looks.poll(days=29, minutes=-1)["next"] == "wait"
    assert looks.poll(minutes=7)["next"] == "split"
    assert Stuck.key("run-1", 1) not in looks.bucket.objects


def told(looks: Looks, hours: float, times: int = 40) -> list[tuple[float, str]]:
    """Look so often in so many hours; give the messages, and after how many hours each was told."""
    messages = []
    for _ in range(times):
        state = looks.poll(hours=hours / times)
        if state["next"] == "notify":
            messages.append(((looks.now - NOW) / timedelta(hours=1), state["notice"]["message"]))
            assert state["notice"]["status"] == "at-risk"
    return messages


@pytest.mark.parametrize(
    ("dialect", "window", "hours"),
    [("messages", "24h", 24), ("messages", "7d", 24), ("files", "24h", 24), ("files", "7d", 168)],
)
@pytest.mark.parametrize("expires", [EXPIRES, NOW, FAR])
def test_a_batch_that_is_silent_for_three_quarters_of_its_window_is_told_once(
    dialect: str, window: str, hours: int, expires: datetime
) -> None:
    """By our own clock, in either dialect, whatever the server says of its end; never again until it ends."""
    looks = Looks(running(dialect), batch_api=dialect, completion_window=window, expires_at=expires)
    assert told(looks, hours * 0.749) == []
    ((after, message),) = told(looks, hours * 0.3)
    assert hours * 0.75 <= after <= hours * 0.76
    assert "batch_1: 3 requests" in message


def test_many_batches_are_told_in_one_message_a_quarter_of_the_window() -> None:
    """Sent one each half hour: those that come to three quarters soon are in the same message, and none is in two."""
    looks = Looks(answer_each, batches=20)
    for number in range(1, 21):
        at = NOW + timedelta(hours=(number - 1) / 2)
        looks.write(
            Submitted.key("run-1", number, 1), Submitted("w", at, batch_id(number), at, at + timedelta(hours=24))
        )
    messages = told(looks, 30, times=30 * 4)
    named = [[number for number in range(1, 21) if f"{batch_id(number)}: " in message] for _, message in messages]
    assert named == [list(range(1, 14)), list(range(14, 21))]
    assert [after for after, _ in messages] == [18, 24.5]


def answer_each(request: httpx.Request) -> httpx.Response:
    """Let every batch that is asked for run, and cancel none."""
    number = request.url.path.removesuffix("/cancel").rpartition("_")[2]
    return httpx.Response(200, json=shown("messages", int(number)))


def test_a_batch_that_ended_or_is_cancelled_is_not_at_risk() -> None:
    """It is told of otherwise, or not at all; one that cannot be looked at may not have ended."""
    assert Looks(running("messages", ended=True)).poll(hours=19)["notice"] is None
    assert Looks(lambda _: httpx.Response(503)).poll(hours=19)["notice"]["status"] == "at-risk"
    cancelled = Looks(running("messages"))
    cancelled.write(Cancel.key("run-1", 1), Cancel("w", NOW + timedelta(hours=18)))
    assert cancelled.poll(hours=19)["notice"] is None
    stopped = Looks(running("messages"))
    stopped.bucket.objects[keys.stop("run-1")] = b""
    assert stopped.poll(hours=19)["notice"] is None


def test_a_batch_whose_time_is_over_is_not_said_to_be_at_risk() -> None:
    """A run that stood still looks too late to warn of anything."""
    assert Looks(running("messages")).poll(hours=24.5)["notice"] is None


@pytest.mark.parametrize(
    ("status", "is_stopped", "days", "stuck"),
    [(503, False, 20, False), (401, False, 20, False), (404, False, 20, True), (410, False, 20, True),
     (503, True, 20, False), (503, False, 29.1, True), (200, False, 20, True)],
)  # fmt: skip
def test_a_cancelled_batch_is_given_up_when_it_was_looked_at_and_not_because_a_look_failed(
    status: int, *, is_stopped: bool, days: float, stuck: bool
) -> None:
    """What it has may be read as long as it is kept, also where a person stopped the run to keep what is finished."""
    looks = Looks(lambda _: httpx.Response(status, json=shown("messages")))
    looks.write(Cancel.key("run-1", 1), Cancel("w", NOW + timedelta(hours=25)))
    looks.bucket.objects |= {keys.stop("run-1"): b""} if is_stopped else {}
    assert looks.poll(days=days)["next"] == ("split" if stuck else "wait")
    assert (Stuck.key("run-1", 1) in looks.bucket.objects) is stuck
    assert bool(looks.cancels()) is not stuck, "a cancel may have been lost"


@pytest.mark.parametrize(
    ("reads", "stuck"),
    [
        ([(0, True), (5.9, True)], False),
        ([(0, True), (6.1, True)], True),
        ([(-3, True), (5.9, True)], False),
        ([(7, True)], False),
        ([(0, True), (3, False), (7, True)], False),
        ([(0, True), (6.1, False)], False),
    ],
)
def test_a_run_that_is_stopped_waits_no_weeks_for_results_that_are_gone(
    reads: list[tuple[float, bool]], *, stuck: bool
) -> None:
    """Six hours of answers that they are gone, after the stop, are enough; one such answer proves nothing."""
    looks = Looks(running("messages", ended=True))
    looks.bucket.objects[keys.stop("run-1")] = b""
    looks.write(Refusal.key("run-1"), Refusal("w", NOW, "stopped", "the run was stopped by a person"))
    for number, (hours, gone) in enumerate(reads, 1):
        looks.write(Splitting.key("run-1", 1, number), Splitting("w", NOW, NOW))
        looks.write(Unread.key("run-1", 1, number), Unread("w", NOW + timedelta(hours=hours), "HTTP 404", gone=gone))
    assert looks.poll(hours=9)["next"] == "split"
    assert (Stuck.key("run-1", 1) in looks.bucket.objects) is stuck


def test_nothing_is_concluded_from_a_question_that_was_not_asked_even_if_the_rest_ends_meanwhile(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The clock goes on between the question and what is made of it."""
    looks = Looks(running("messages"))
    looks.write(Cancel.key("run-1", 1), Cancel("w", NOW))
    until = NOW + timedelta(hours=8)
    looks.write(RetryAfterAnswer.key("run-1", until), RetryAfterAnswer("w", NOW, until, "HTTP 429"))
    looks.now = until - timedelta(seconds=1)
    real, calls = looks.clients.connector.api, list[int]()

    def slow(*about: Any) -> Any:
        """Let the rest end right after the one look."""
        api = real(*about)
        ask = api.progress

        def progress(batch_id: str) -> Any:
            found = ask(batch_id)
            calls.append(1)
            looks.now = until + timedelta(seconds=1)
            return found

        monkeypatch.setattr(api, "progress", progress)
        return api

    monkeypatch.setattr(looks.clients.connector, "api", slow)
    assert looks.poll()["next"] == "wait"
    assert calls
    assert Stuck.key("run-1", 1) not in looks.bucket.objects


def test_the_results_of_an_ended_batch_come_before_other_looks_at_a_provider_that_takes_few_calls() -> None:
    """Else it would ask to be left alone at each look, and nothing would ever be split."""

    def one_call_at_a_time(request: httpx.Request) -> httpx.Response:
        """Answer every second question only."""
        if len(looks.asked) % 2 == 0:
            return httpx.Response(429, headers={"retry-after": "20"})
        number = int(request.url.path.rpartition("_")[2])
        return httpx.Response(200, json=shown("messages", number, ended=number == 2))

    looks = Looks(one_call_at_a_time, batches=3)
    seen = [looks.poll(seconds=70) for _ in range(8)]
    assert any(state["batches"] == [2] for state in seen if state["next"] == "split")
