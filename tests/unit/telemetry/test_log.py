"""The log lines of a function: each names its run, and none has what a person wrote to the provider."""

import io
import json
import logging
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import httpx
import pytest
from aws_lambda_powertools import Logger

from conveyor.domain.invocation import Invocation
from conveyor.domain.observed import BatchCounts, Ended, Failing, FailureCause, TroubleWith, Wait, WaitsFor
from conveyor.telemetry.log import CAUSE, ENDED, FAILED, NO_PAGE, telemetry

NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)


class Lines:
    """The log of one invocation."""

    def __init__(self) -> None:
        """Begin an empty log."""
        self._stream = io.StringIO()
        self.service = f"stack-{uuid4().hex}"  # Powertools keeps the first stream of a service
        self.logger = Logger(service=self.service, stream=self._stream)
        self.invocation = Invocation(timedelta(seconds=900), lambda: NOW)

    def read(self) -> list[dict[str, Any]]:
        """Return the lines."""
        return [json.loads(line) for line in self._stream.getvalue().splitlines()]


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch) -> Lines:
    """Return an empty log."""
    monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", "stack")
    monkeypatch.setenv("POWERTOOLS_METRICS_NAMESPACE", "Conveyor")
    return Lines()


def test_one_line_says_what_an_invocation_has_seen(lines: Lines) -> None:
    """A saved query shows from it what runs, and what waits and why."""
    with telemetry(lines.logger, lines.invocation, "poll is done", {"run": "run-1"}) as more:
        observed = lines.invocation.observed
        observed.is_about("run-1", "team-a", "team-a")
        observed.began_at, observed.batches = NOW - timedelta(hours=1), BatchCounts(12, 4, 3)
        observed.wait = Wait(WaitsFor.BUDGET, NOW - timedelta(minutes=5))
        observed.failing = Failing(TroubleWith.CREDENTIALS, "HTTP 401", NOW - timedelta(minutes=2))
        more["next"] = "wait"
    (line,) = lines.read()
    assert {name: line[name] for name in line.keys() - {"location", "timestamp"}} == {
        "level": "INFO", "message": "poll is done", "service": lines.service, "run": "run-1", "project": "team-a",
        "age_seconds": 3600, "batches_planned": 12, "batches_sent": 4, "batches_ended": 3, "next": "wait",
        "waits_for": "budget", "waits_since": "2026-11-30T11:55:00Z", "trouble_since": "2026-11-30T11:58:00Z",
        "trouble": "the provider does not accept the credentials (HTTP 401)", "trouble_with": "credentials",
    }  # fmt: skip


def test_a_run_that_does_not_wait_says_that_it_waits_for_nothing(lines: Lines) -> None:
    """A query takes the latest value: without the field it might take one from when the run still waited."""
    with telemetry(lines.logger, lines.invocation, "poll is done", {"run": "run-1"}):
        pass
    (line,) = lines.read()
    assert line["waits_for"] == "nothing"


def test_an_error_is_logged_with_run_and_batch_and_goes_on(lines: Lines) -> None:
    """Lambda's own line about it has neither."""
    with (
        pytest.raises(ZeroDivisionError),
        telemetry(lines.logger, lines.invocation, "split is done", {"run": "run-1", "batch": "probe/1"}),
    ):
        raise ZeroDivisionError
    (line,) = lines.read()
    assert (line["level"], line["message"], line["run"], line["batch"]) == ("ERROR", FAILED, "run-1", "probe/1")
    assert line["exception_name"] == "ZeroDivisionError"


def test_an_upload_of_which_there_is_no_run_yet_is_named(lines: Lines) -> None:
    """Else nobody would know which file it was that failed."""
    event = {"detail": {"object": {"key": "inbox/a.jsonl"}}}
    with pytest.raises(ZeroDivisionError), telemetry(lines.logger, lines.invocation, "submit is done", event):
        raise ZeroDivisionError
    with telemetry(lines.logger, lines.invocation, "submit is done", event):
        lines.invocation.observed.is_about("run-1", "team-a", "default")
    first, second = lines.read()
    assert (first["upload"], "run" in first) == ("inbox/a.jsonl", False)
    assert (second["run"], "upload" in second) == ("run-1", False)


def test_no_library_logs_a_call_with_what_the_provider_said(caplog: pytest.LogCaptureFixture) -> None:
    """Lambda sets the level of all loggers to INFO, at which httpx logs the reason phrase of each response."""

    def answer(_: httpx.Request) -> httpx.Response:
        return httpx.Response(400, extensions={"reason_phrase": b"My patient Anna Smith"})

    with caplog.at_level(logging.INFO), httpx.Client(transport=httpx.MockTransport(answer)) as client:
        client.get("https://provider.test/")
        logging.getLogger("other").info("others are heard")
    assert [record.name for record in caplog.records] == ["other"]


def test_the_end_of_a_run_says_why_requests_failed(lines: Lines) -> None:
    """There is a line for each cause, so that a query can add them up."""
    with telemetry(lines.logger, lines.invocation, ENDED, {"run": "run-1"}):
        causes = [FailureCause("overloaded_error", 2), FailureCause("expired", 1)]
        ended = Ended("completed", None, 5, 2, 3, Decimal("0.5"), causes, "TemplateNotFound at page.py:9")
        lines.invocation.observed.ended = ended
    first, second, page, end = lines.read()
    assert {line["run"] for line in (first, second, page, end)} == {"run-1"}
    assert [(line["message"], line["cause"], line["requests"]) for line in (first, second)] == [
        (CAUSE, "overloaded_error", 2),
        (CAUSE, "expired", 1),
    ]
    assert (page["level"], page["message"], page["error"]) == ("ERROR", NO_PAGE, "TemplateNotFound at page.py:9")
    assert (end["message"], end["status"], end["failures"], end["cost_usd"]) == (ENDED, "completed", 3, 0.5)
