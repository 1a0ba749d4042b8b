"""What each response to the one request that costs money proves, in the files dialect."""

from datetime import timedelta

import httpx
import pytest

from conveyor.domain.refusal import RefusalKind
from conveyor.provider.protocol import Created, Progress, Refused, Trouble, TroubleKind, Unknown
from tests.support.examples import NOW, new_batch
from tests.support.files_server import BATCHES, CREATED, LINES, FileServer, Reply, batch, error, file
from tests.support.keys import Keys

CREATE = f"POST {BATCHES}"
SENT = new_batch(LINES)


@pytest.fixture
def server() -> FileServer:
    """Return a server that already holds the uploaded lines."""
    server = FileServer()
    server.files.append(file(1))
    return server


def create(server: FileServer, *replies: Reply) -> Created | Refused | Unknown:
    """Create a batch, which the server answers with these replies."""
    server.tells(CREATE, *replies)
    return server.api().create(SENT, 60)


@pytest.mark.parametrize("status", [200, 201, 202])
@pytest.mark.parametrize(
    "answer",
    [
        batch(),
        batch(created_at=str(CREATED), expires_at=float(CREATED + 86_400)),
        batch(created_at="2026-11-22T10:00:00Z", expires_at="2026-11-23T10:00:00"),
        batch(created_at="2026-11-22T11:00:00+01:00", expires_at=None),
        batch(status="VALIDATING", expires_at=0),
        batch(expires_at="0001-01-01T00:00:00Z"),
        {"job": batch(), "warning": None},
        {"job": {"id": "batch_1", "status": "VALIDATING", "created_at": "2026-11-22T10:00:00Z", "error": None}},
    ],
)
def test_a_batch_is_created_in_every_format_of_response(
    server: FileServer, answer: dict[str, object], status: int
) -> None:
    """Wrapped in an object, as Together does, with times in seconds or as text, or without an end."""
    assert create(server, httpx.Response(status, json=answer)) == Created("batch_1", NOW, NOW + timedelta(days=1))


def test_a_batch_without_times_is_created_now(server: FileServer) -> None:
    """Its end is that of its window."""
    created = create(server, httpx.Response(200, json={"id": "batch_1", "status": "validating"}))
    assert isinstance(created, Created)
    assert created.expires_at - created.created_at == timedelta(hours=24)


@pytest.mark.parametrize(
    ("answer", "kind", "error_type", "retry_after"),
    [
        (error(400, "no", "invalid_value"), RefusalKind.DEFECT, "invalid_value", None),
        (error(400, "no"), RefusalKind.DEFECT, "invalid_request_error", None),
        (error(400, "limit", "billing_hard_limit_reached"), RefusalKind.STOP, "billing_hard_limit_reached", None),
        (error(401, "Incorrect API key provided", "invalid_api_key"), RefusalKind.STOP, "invalid_api_key", None),
        (error(402), RefusalKind.STOP, None, None),
        (error(403), RefusalKind.STOP, None, None),
        (httpx.Response(413, text="<html>too large</html>"), RefusalKind.DEFECT, "http_413", None),
        (error(422), RefusalKind.DEFECT, None, None),
        (httpx.Response(422, json={"detail": []}), RefusalKind.DEFECT, "http_422", None),
        (error(429, "slow down", "rate_limit_exceeded"), RefusalKind.LATER, "rate_limit_exceeded", None),
        (error(429, "no money", "insufficient_quota"), RefusalKind.STOP, "insufficient_quota", None),
        (
            httpx.Response(429, json={"error": {"message": None, "type": None}}, headers={"retry-after": "7"}),
            RefusalKind.LATER,
            "http_429",
            7,
        ),
    ],
)
def test_a_definite_refusal_has_a_kind(
    server: FileServer, answer: httpx.Response, kind: RefusalKind, error_type: str | None, retry_after: int | None
) -> None:
    """Each kind has its own consequence: wait, stop until a person acts, or give up."""
    refused = create(server, answer)
    assert isinstance(refused, Refused)
    assert (refused.kind, refused.status, refused.retry_after) == (kind, answer.status_code, retry_after)
    assert error_type in (None, refused.type)


@pytest.mark.parametrize(
    "answer",
    [
        error(404, "No such file", param="input_file_id"),
        error(404, "input_file file-1 not found"),
        error(404, "…", "file_not_found"),
        error(404, "No such File object: file-1"),
    ],
)
def test_a_file_that_is_not_known_everywhere_yet_is_tried_later(server: FileServer, answer: httpx.Response) -> None:
    """It was just uploaded; the response proves that there is no batch of it."""
    refused = create(server, answer)
    assert isinstance(refused, Refused)
    assert (refused.kind, refused.type) == (RefusalKind.LATER, "file_not_found")


@pytest.mark.parametrize("status", [301, 307, 404, 408, 409, 418, 500, 502, 503, 504, 529])
def test_any_other_response_proves_nothing(server: FileServer, status: int) -> None:
    """The batch may exist, so no second one may be created; no redirect is followed."""
    answer = httpx.Response(status, headers={"location": "https://elsewhere.test"})
    assert create(server, answer) == Unknown(f"HTTP {status}")
    assert {request.url.host for request in server.seen} == {"provider.test"}


@pytest.mark.parametrize(
    "text",
    [
        "OK",
        "",
        "{}",
        "[]",
        "null",
        '{"id":"batch_1"}',
        '{"id":null,"status":"validating"}',
        '{"job":{}}',
        '{"error":{}}',
    ],
)
def test_a_success_that_names_no_batch_proves_nothing(server: FileServer, text: str) -> None:
    """A proxy may have answered instead of the provider."""
    assert create(server, httpx.Response(200, text=text)) == Unknown("HTTP 200 without a batch in its body")


@pytest.mark.parametrize("failure", [httpx.ReadTimeout, httpx.ReadError, httpx.RemoteProtocolError, httpx.WriteError])
def test_a_lost_answer_proves_nothing(server: FileServer, failure: type[httpx.TransportError]) -> None:
    """Every transport error counts; the reason never includes the key."""
    assert create(server, failure) == Unknown(f"{failure.__name__} while the batch was sent")


def test_a_second_answer_that_is_lost_proves_nothing_either(server: FileServer) -> None:
    """The server may have created the batch from the second request, the one without metadata."""
    assert isinstance(create(server, error(400, "no metadata"), httpx.ReadTimeout), Unknown)


@pytest.mark.parametrize("failure", [httpx.ConnectError, httpx.ConnectTimeout])
def test_a_call_that_never_reached_the_provider_created_nothing(
    server: FileServer, failure: type[httpx.TransportError]
) -> None:
    """The request is made again later."""
    refused = create(server, failure)
    assert isinstance(refused, Refused)
    assert (refused.kind, refused.type) == (RefusalKind.LATER, "unreachable")


def test_no_batch_is_created_when_the_time_is_over(server: FileServer) -> None:
    """There is no time to wait for the response, so the result would be unknown for 15 minutes."""
    refused = server.api().create(SENT, 0)
    assert isinstance(refused, Refused)
    assert (refused.kind, refused.type) == (RefusalKind.LATER, "too_slow")
    assert not server.asked(CREATE)


@pytest.mark.parametrize("before", [0, 200, 287, 290, 295, 299])
@pytest.mark.parametrize("call", [CREATE, "POST /v1/files"])
def test_the_key_is_in_no_reason(server: FileServer, before: int, call: str) -> None:
    """A server may quote the key, and its text is stored and shown; half a key is a leak, too."""
    server.files.clear()
    server.tells(call, error(400, "x" * before + " sk-secret-0123456789 is no good"))

    class Secret(Keys):
        def __call__(self, *, renew: bool = False):  # type: ignore[no-untyped-def]  # noqa: ANN204
            return type(super().__call__(renew=renew))("sk-secret-0123456789")

    refused = server.api(Secret()).create(SENT, 60)
    assert isinstance(refused, Refused)
    assert refused.kind is RefusalKind.DEFECT
    assert "sk-" not in refused.message


def test_the_key_is_not_read_again_while_a_batch_is_created(server: FileServer) -> None:
    """A request that may cost money is made once; a message reports the refused key."""
    keys = Keys()
    server.tells(CREATE, error(401))
    assert isinstance(server.api(keys).create(SENT, 60), Refused)
    assert (keys.renewed, len(server.asked(CREATE))) == (0, 1)


SAFE_REQUESTS = [("GET", "progress", ""), ("POST", "cancel", "/cancel")]


@pytest.mark.parametrize(("method", "name", "path"), SAFE_REQUESTS)
def test_a_batch_is_read_and_cancelled_by_its_id(server: FileServer, method: str, name: str, path: str) -> None:
    """Both are safe to repeat; after a refusal the key is read again once."""
    server.tells(
        f"{method} {BATCHES}/batch_7{path}", error(401), httpx.Response(200, json=batch(7, status="CANCELLING"))
    )
    keys = Keys()
    progress = getattr(server.api(keys), name)("batch_7")
    assert progress == Progress("batch_7", False, 0, NOW, NOW + timedelta(days=1), None)  # noqa: FBT003  # not ended
    assert keys.renewed == 1
    assert [request.headers["authorization"] for request in server.seen] == ["Bearer key-0", "Bearer key-1"]
    assert server.seen[-1].content == b""


@pytest.mark.parametrize(("method", "name", "path"), SAFE_REQUESTS)
@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        (error(404), "HTTP 404"),
        (error(409), "HTTP 409"),
        (error(500, "key-0"), "HTTP 500"),
        (httpx.Response(307, headers={"location": "https://elsewhere.test"}), "HTTP 307"),
        (httpx.ReadTimeout, "ReadTimeout"),
        (httpx.ConnectError, "ConnectError"),
        (httpx.Response(200, text="?"), "the batch could not be decoded"),
        (httpx.Response(200, json={"id": "batch_7"}), "the batch could not be decoded"),
    ],
)
def test_a_failed_read_or_cancel_is_trouble_and_does_not_end_the_batch(  # noqa: PLR0913, PLR0917  # a row of the table
    server: FileServer, method: str, name: str, path: str, reply: Reply, reason: str
) -> None:
    """The request is repeated later; no redirect is followed, and no response text is quoted."""
    server.tells(f"{method} {BATCHES}/batch_7{path}", reply)
    kind = TroubleKind.GONE if reason == "HTTP 404" else TroubleKind.LATER
    assert getattr(server.api(), name)("batch_7") == Trouble(reason, kind)
    assert len(server.seen) == 1
