"""Retry-After: no request of any kind is made before the time that a provider has named."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import httpx
import pytest

from conveyor.domain.refusal import RefusalKind
from conveyor.provider.credentials import ApiKey, KeyHeader
from conveyor.provider.protocol import Refused, ResultsUnreadable, Trouble, TroubleKind
from conveyor.provider.retry_after import RetryAfter, parse_retry_after
from conveyor.provider.transport import Content, Transport
from tests.support.examples import NOW

type Call = Callable[[Transport], Any]


def post(transport: Transport) -> Any:
    """Send a POST with a body of three bytes."""
    return transport.post("/v1/files", Content("text/plain", 3, lambda: [b"abc"]), 10)


def stream(transport: Transport) -> Any:
    """Stream the response of a path, or return why it cannot be read."""
    try:
        with transport.stream("/v1/files/1/content", seconds=1) as pieces:
            return b"".join(pieces)
    except ResultsUnreadable as error:
        return error


CALLS: dict[str, Call] = {
    "look": lambda transport: transport.ask("GET", "/v1/batches/1"),
    "list": lambda transport: transport.with_headers({"x-version": "1"}).ask("GET", "/v1/batches", {"limit": 100}),
    "cancel": lambda transport: transport.ask("POST", "/v1/batches/1/cancel"),
    "delete": lambda transport: transport.ask("DELETE", "/v1/files/1"),
    "results": stream,
    "post": post,
}


class Busy:
    """A provider that first returns an error with a header, then succeeds."""

    def __init__(self, status: int, given: str | None) -> None:
        """Store the first response."""
        self.now = NOW
        self.asked = self.renewed = 0
        self.recorded: list[tuple[datetime, str]] = []
        self._answer = httpx.Response(status, headers={} if given is None else {"retry-after": given})
        key = KeyHeader(self._key)
        retry_after = RetryAfter(lambda: self.now, lambda until, reason: self.recorded.append((until, reason)))
        self.transport = Transport(
            httpx.Client(transport=httpx.MockTransport(self._serve)), "https://p.test", key, None, retry_after
        )

    def _key(self, *, renew: bool = False) -> ApiKey:
        self.renewed += renew
        return ApiKey("key")

    def _serve(self, request: httpx.Request) -> httpx.Response:
        request.read()
        self.asked += 1
        return self._answer if self.asked == 1 else httpx.Response(200, text="well")


DATE = format_datetime(NOW + timedelta(seconds=50), usegmt=True)


@pytest.mark.parametrize("status", [301, 400, 401, 403, 404, 409, 425, 429, 500, 502, 503, 529])
@pytest.mark.parametrize("given", ["50", "49.2", DATE])
@pytest.mark.parametrize("first", sorted(CALLS))
def test_no_request_is_made_before_the_time_of_retry_after(first: str, status: int, given: str) -> None:
    """Not the same request, not another one, and none with a new credential; from then on requests are made."""
    busy = Busy(status, given)
    CALLS[first](busy.transport)
    assert (busy.asked, busy.renewed) == (1, 0)
    until = NOW + timedelta(seconds=50)
    assert busy.recorded == [(until, f"HTTP {status}")]
    busy.now = until - timedelta(milliseconds=1)
    answers = {name: call(busy.transport) for name, call in CALLS.items()}
    assert busy.asked == 1
    unasked = Trouble(f"HTTP {status}", TroubleKind.UNASKED)
    assert [answers[name] for name in ("look", "list", "cancel", "delete")] == [unasked] * 4
    assert answers["results"].kind is TroubleKind.UNASKED
    told = "the provider had asked not to be called yet"
    assert answers["post"] == Refused(RefusalKind.LATER, 0, "resting", told, 1)
    busy.now = until
    for call in CALLS.values():
        call(busy.transport)
    assert busy.asked == 1 + len(CALLS)


@pytest.mark.parametrize("given", [None, "", "0", "-5", "soon", "nan", "inf", "Sun, 22 Nov 2020 10:00:00 GMT"])
@pytest.mark.parametrize("first", sorted(CALLS))
def test_without_retry_after_requests_are_made_as_usual(first: str, given: str | None) -> None:
    """A missing header, or one that means now, changes nothing."""
    busy = Busy(503, given)
    CALLS[first](busy.transport)
    CALLS["look"](busy.transport)
    assert (busy.asked, busy.recorded) == (2, [])


@pytest.mark.parametrize("first", sorted(CALLS))
def test_a_call_that_succeeds_says_nothing_about_the_next_one(first: str) -> None:
    """Otherwise a server that sends the header with every response would never get a batch."""
    busy = Busy(200, "50")
    CALLS[first](busy.transport)
    CALLS["post"](busy.transport)
    assert (busy.asked, busy.recorded) == (2, [])


@pytest.mark.parametrize("given", ["999999", "Sun, 22 Nov 2099 10:00:00 GMT"])
def test_retry_after_is_obeyed_for_a_day_at_most(given: str) -> None:
    """If it asks for a year, it gets a request tomorrow."""
    assert parse_retry_after(given, NOW) == 86_400


def test_retry_after_is_rounded_up_to_whole_seconds() -> None:
    """Whole seconds are what is stored; rounded down, the request would be too early."""
    recorded = list[datetime]()
    retry_after = RetryAfter(lambda: datetime(2026, 11, 22, 10, 0, 0, 1, UTC), lambda until, _: recorded.append(until))
    retry_after.obey(429, "5")
    assert recorded == [datetime(2026, 11, 22, 10, 0, 6, tzinfo=UTC)]


def test_the_latest_retry_after_counts() -> None:
    """Two responses may name two times."""
    retry_after = RetryAfter(lambda: NOW)
    retry_after.wait_until(NOW + timedelta(seconds=50), "HTTP 429")
    retry_after.wait_until(NOW + timedelta(seconds=20), "HTTP 503")
    assert (retry_after.seconds, retry_after.reason, retry_after.is_active) == (50, "HTTP 429", True)
    retry_after.wait_until(NOW + timedelta(seconds=60), "HTTP 503")
    assert (retry_after.seconds, retry_after.reason) == (60, "HTTP 503")


@pytest.mark.parametrize(
    ("given", "seconds"),
    [
        ("Sun, 22 Nov 2026 12:01:00 GMT", 60),
        ("Sun Nov 22 12:01:00 2026", 60),
        ("Sun, 22 Nov 2026 12:01:00 -0000", 60),
        ("Sun, 22 Nov 2026 12:01:00", 60),
        ("Sun, 22 Nov 2026 13:01:00 +0100", 60),
        ("120, 30", 120),
        ("30, soon", 30),
        (f"Wed, 21 Oct 2026 07:28:00 +{'9' * 40}", None),
        ("tomorrow, perhaps", None),
    ],
)
def test_each_format_of_retry_after_is_read_and_no_other(given: str, seconds: int | None) -> None:
    """Dates without a zone are in UTC; of two headers the later time counts."""
    assert parse_retry_after(given, datetime(2026, 11, 22, 12, tzinfo=UTC)) == seconds
