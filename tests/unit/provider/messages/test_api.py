"""The Message Batches API on the wire."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from conveyor.domain.refusal import RefusalKind
from conveyor.provider.credentials import ApiKey, KeyHeader
from conveyor.provider.messages.api import MessageBatches
from conveyor.provider.protocol import Created, Progress, Refused, Trouble, Unknown
from conveyor.provider.transport import Transport
from tests.support.examples import new_batch
from tests.support.keys import Keys

URL = "https://provider.test"
CREATED = datetime(2026, 11, 22, 10, tzinfo=UTC)
Handler = Callable[[httpx.Request], httpx.Response]


def api(handler: Handler, keys: Keys | None = None) -> MessageBatches:
    """Return an API whose requests go to a function instead of a server."""
    client = httpx.Client(transport=httpx.MockTransport(handler))
    return MessageBatches(Transport(client, URL, KeyHeader(keys or Keys())))


def batch(number: int = 1, *, requests: int = 3, status: str = "in_progress", hours: int = 0) -> dict[str, object]:
    """Return a batch object with only the documented fields."""
    created = CREATED + timedelta(hours=hours)
    return {
        "id": f"msgbatch_{number}",
        "type": "message_batch",
        "processing_status": status,
        "request_counts": {"processing": requests, "succeeded": 0, "errored": 0, "canceled": 0, "expired": 0},
        "created_at": created.isoformat(),
        "expires_at": (created + timedelta(days=1)).isoformat(),
        "a_field_of_next_year": {},
    }


def test_a_batch_is_sent_as_one_body_of_the_announced_length() -> None:
    """The body is {"requests": […]}, and nothing is sent chunked."""
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        request.read()
        return httpx.Response(200, json=batch())

    body = b'{"requests":[{"a":1},{"b":2}]}'
    created = api(answer).create(new_batch(b'{"requests":[', b'{"a":1},{"b":2}', b"]}"), 60)
    assert created == Created("msgbatch_1", CREATED, CREATED + timedelta(days=1))
    assert seen[0].url == f"{URL}/v1/messages/batches"
    assert seen[0].content == body
    assert seen[0].headers["content-length"] == str(len(body))
    assert "transfer-encoding" not in seen[0].headers
    assert seen[0].headers["x-api-key"] == "key-0"
    assert seen[0].headers["anthropic-version"] == "2023-06-01"


def test_betas_are_sent_only_with_the_request_that_creates_a_batch() -> None:
    """They apply to all its requests; other calls read what exists."""
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        request.read()
        return httpx.Response(200, json=batch())

    client = httpx.Client(transport=httpx.MockTransport(answer))
    batches = MessageBatches(Transport(client, URL, KeyHeader(Keys())), "output-300k-2026-03-24,mcp-client-2025-11-20")
    batches.create(new_batch(b"{}"), 60)
    batches.progress("msgbatch_1")
    batches.find(CREATED)
    batches.cancel("msgbatch_1")
    with batches.results("msgbatch_1") as results:
        list(results)
    betas = [request.headers.get("anthropic-beta") for request in seen]
    assert betas == ["output-300k-2026-03-24,mcp-client-2025-11-20", None, None, None, None]
    assert {request.headers["anthropic-version"] for request in seen} == {"2023-06-01"}


def test_without_betas_there_is_no_header_of_them() -> None:
    """An empty header would be refused."""
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200, json=batch())

    api(answer).create(new_batch(b"{}"), 60)
    assert "anthropic-beta" not in seen[0].headers


def error(status: int, kind: str, message: str = "…", code: str | None = None, **headers: str) -> httpx.Response:
    """Return an error response in the provider's format."""
    details = {"details": {"error_code": code}} if code else {}
    body = {"type": "error", "error": {"type": kind, "message": message, **details}}
    return httpx.Response(status, json=body, headers={name.replace("_", "-"): value for name, value in headers.items()})


@pytest.mark.parametrize(
    ("answer", "kind", "told", "retry_after"),
    [
        (error(400, "invalid_request_error"), RefusalKind.DEFECT, "invalid_request_error", None),
        (error(400, "invalid_request_error", "not valid JSON: unexpected end of data"), RefusalKind.RESEND, None, None),
        (
            error(400, "invalid_request_error", "You have reached your specified API usage limits"),
            RefusalKind.STOP,
            None,
            None,
        ),
        (error(401, "authentication_error"), RefusalKind.STOP, "authentication_error", None),
        (error(402, "billing_error"), RefusalKind.STOP, "billing_error", None),
        (error(403, "permission_error"), RefusalKind.STOP, "permission_error", None),
        (httpx.Response(413, text="<html>too large</html>"), RefusalKind.DEFECT, "http_413", None),
        (error(429, "rate_limit_error", retry_after="7"), RefusalKind.LATER, "rate_limit_error", 7),
        (error(429, "rate_limit_error", retry_after="999999"), RefusalKind.LATER, None, 86400),
        (error(429, "rate_limit_error", retry_after="soon"), RefusalKind.LATER, None, None),
        (error(429, "rate_limit_error", retry_after="7200.2"), RefusalKind.LATER, None, 7201),
        (error(429, "rate_limit_error", retry_after="Sun, 22 Nov 2020 10:00:00 GMT"), RefusalKind.LATER, None, 0),
        (
            error(429, "rate_limit_error", code="enforced_spend_limit_reached"),
            RefusalKind.STOP,
            "enforced_spend_limit_reached",
            None,
        ),
    ],
)
def test_a_definite_refusal_has_a_kind(
    answer: httpx.Response, kind: RefusalKind, told: str | None, retry_after: int | None
) -> None:
    """Each kind has its own consequence: wait, stop until a person acts, send again, or give up."""
    refused = api(lambda _: answer).create(new_batch(), 60)
    assert isinstance(refused, Refused)
    assert (refused.kind, refused.retry_after) == (kind, retry_after)
    assert told in (None, refused.type)


@pytest.mark.parametrize("status", [301, 404, 408, 409, 418, 500, 503, 504, 529])
def test_any_other_response_proves_nothing(status: int) -> None:
    """The batch may exist, so no second one may be created."""
    answer = httpx.Response(status, headers={"location": "https://elsewhere.test"})
    assert isinstance(api(lambda _: answer).create(new_batch(), 60), Unknown)


@pytest.mark.parametrize("failure", [httpx.ReadTimeout, httpx.ReadError, httpx.RemoteProtocolError, httpx.WriteError])
def test_a_lost_answer_proves_nothing(failure: type[httpx.TransportError]) -> None:
    """Every transport error counts; the reason never includes the key."""

    def fail(_: httpx.Request) -> httpx.Response:
        raise failure("secret key-0")

    unknown = api(fail).create(new_batch(), 60)
    assert isinstance(unknown, Unknown)
    assert "key-0" not in unknown.reason


@pytest.mark.parametrize("failure", [httpx.ConnectError, httpx.ConnectTimeout])
def test_a_call_that_never_reached_the_provider_created_nothing(failure: type[httpx.TransportError]) -> None:
    """The request is made again later."""

    def fail(_: httpx.Request) -> httpx.Response:
        raise failure("no route")

    refused = api(fail).create(new_batch(), 60)
    assert isinstance(refused, Refused)
    assert (refused.kind, refused.type) == (RefusalKind.LATER, "unreachable")


def test_a_success_that_names_no_batch_proves_nothing() -> None:
    """A proxy may have answered instead of the provider."""
    assert isinstance(api(lambda _: httpx.Response(200, text="OK")).create(new_batch(), 60), Unknown)


def test_a_body_that_takes_too_long_is_aborted() -> None:
    """The request must end before the function times out; half of a deadline of 0 seconds is over at once."""
    sent = api(lambda request: httpx.Response(200, content=request.read())).create(new_batch(b"{}"), 0)
    assert sent == Unknown("_TooSlowError while the batch was sent")


def test_progress_counts_all_requests_whatever_became_of_them() -> None:
    """The sum distinguishes our batch from others while it runs."""
    ended = batch(status="ended") | {"ended_at": CREATED.isoformat()}
    ended["request_counts"] = {"processing": 0, "succeeded": 1, "errored": 1, "canceled": 1, "expired": 1}
    progress = api(lambda _: httpx.Response(200, json=ended)).progress("msgbatch_1")
    assert progress == Progress(
        "msgbatch_1",
        ended=True,
        requests=4,
        created_at=CREATED,
        expires_at=CREATED + timedelta(days=1),
        ended_at=CREATED,
    )


@pytest.mark.parametrize(
    "answer", [error(404, "not_found_error"), error(529, "overloaded_error"), httpx.Response(200, text="?")]
)
def test_a_failed_read_or_cancel_is_trouble_and_does_not_end_the_batch(answer: httpx.Response) -> None:
    """The provider is known to return 404 for batches that exist."""
    assert isinstance(api(lambda _: answer).progress("msgbatch_1"), Trouble)
    assert isinstance(api(lambda _: answer).find(CREATED), Trouble)


def test_a_refused_key_is_read_again_once() -> None:
    """The key may have been rotated since it was read."""
    keys = Keys()

    def answer(request: httpx.Request) -> httpx.Response:
        return (
            httpx.Response(200, json=batch())
            if request.headers["x-api-key"] == "key-1"
            else error(401, "authentication_error")
        )

    assert isinstance(api(answer, keys).progress("msgbatch_1"), Progress)
    assert keys.renewed == 1


def test_batches_are_listed_page_by_page_back_to_the_given_time() -> None:
    """The list is newest first, the result oldest first; batches of all sizes and programs are included."""
    pages = {
        None: {"data": [batch(5, hours=5), batch(4, hours=4, requests=9)], "has_more": True},
        "msgbatch_4": {"data": [batch(3, hours=3), batch(2, hours=1)], "has_more": True},
    }

    def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json=pages[request.url.params.get("after_id")])

    found = api(answer).find(CREATED + timedelta(hours=2))
    assert isinstance(found, list)
    assert [progress.id for progress in found] == ["msgbatch_3", "msgbatch_4", "msgbatch_5"]


def test_a_key_does_not_print_itself() -> None:
    """A stray log line or traceback shows ApiKey()."""
    assert "sk-" not in repr(ApiKey("sk-ant-secret"))
    assert repr(ApiKey("x")) == "ApiKey()"
