"""Decisions and requests of a check while the provider answers with Retry-After."""

from datetime import timedelta
from typing import Any

import httpx
import pytest

from conveyor.ledger.batch_facts import Cancel, Stuck
from conveyor.ledger.run_facts import RetryAfterAnswer
from tests.support.examples import NOW
from tests.support.sent_runs import SentRun, running, shown


def test_nothing_is_concluded_from_a_request_that_was_not_made_even_if_retry_after_ends_meanwhile(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Time passes between the request and the decision."""
    run = SentRun(running("messages"))
    run.write(Cancel.key("run-1", 1), Cancel("w", NOW))
    until = NOW + timedelta(hours=8)
    run.write(RetryAfterAnswer.key("run-1", until), RetryAfterAnswer("w", NOW, until, "HTTP 429"))
    run.now = until - timedelta(seconds=1)
    real, calls = run.clients.connector.api, list[int]()

    def slow(*args: Any) -> Any:
        """Let Retry-After end right after the one request."""
        api = real(*args)
        ask = api.progress

        def progress(batch_id: str) -> Any:
            answer = ask(batch_id)
            calls.append(1)
            run.now = until + timedelta(seconds=1)
            return answer

        monkeypatch.setattr(api, "progress", progress)
        return api

    monkeypatch.setattr(run.clients.connector, "api", slow)
    assert run.poll()["next"] == "wait"
    assert calls
    assert Stuck.key("run-1", 1) not in run.bucket.objects


def test_the_results_of_an_ended_batch_are_read_before_other_batches_are_asked_about() -> None:
    """Otherwise each check would end in another Retry-After, and nothing would ever be split."""

    def one_call_at_a_time(request: httpx.Request) -> httpx.Response:
        """Answer every second request only."""
        if len(run.asked) % 2 == 0:
            return httpx.Response(429, headers={"retry-after": "20"})
        number = int(request.url.path.rpartition("_")[2])
        return httpx.Response(200, json=shown("messages", number, ended=number == 2))

    run = SentRun(one_call_at_a_time, batches=3)
    seen = [run.poll(seconds=70) for _ in range(8)]
    assert any(state["batches"] == [2] for state in seen if state["next"] == "split")
