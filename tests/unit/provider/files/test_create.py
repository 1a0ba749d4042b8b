"""What an answer to the one call that is paid for proves, in the file dialect."""

from datetime import timedelta

import httpx
import pytest

from conveyor.domain.refusal import RefusalKind
from conveyor.provider.protocol import Created, Progress, Refused, Trouble, TroubleKind, Unknown
from tests.support.examples import NOW, new_batch
from tests.support.files_server import BATCHES, CREATED, LINES, FileServer, Reply, batch, error, file
from tests.support.keys import Keys

ASK = f"POST {BATCHES}"
SENT = new_batch(LINES)


@pytest.fixture
def server() -> FileServer:
    """Give a server to which the lines were uploaded before."""
    server = FileServer()
    server.files.append(file(1))
    return server


def asked(server: FileServer, *replies: Reply) -> Created | Refused | Unknown:
    """Ask for a batch, which is answered so."""
    server.tells(ASK, *replies)
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
def test_a_batch_is_created_however_a_server_tells_of_it(
    server: FileServer, answer: dict[str, object], status: int
) -> None:
    """Wrapped as Together's server does, with moments in seconds or as text, or without its end."""
    assert asked(server, httpx.Response(status, json=answer)) == Created("batch_1", NOW, NOW + timedelta(days=1))


def test_a_batch_without_any_moments_is_created_now(server: FileServer) -> None:
    """And it ends when its window does."""
    created = asked(server, httpx.Response(200, json={"id": "batch_1", "status": "validating"}))
    assert isinstance(created, Created)
    assert created.expires_at - created.created_at == timedelta(hours=24)


@pytest.mark.parametrize(
    ("answer", "kind", "told", "retry_after"),
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
def test_a_sure_refusal_says_what_follows(
    server: FileServer, answer: httpx.Response, kind: RefusalKind, told: str | None, retry_after: int | None
) -> None:
    """Each kind has its own consequence: wait, stop for a person, or give up."""
    refused = asked(server, answer)
    assert isinstance(refused, Refused)
    assert (refused.kind, refused.status, refused.retry_after) == (kind, answer.status_code, retry_after)
    assert told in (None, refused.type)


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
    """It was uploaded a moment ago; the answer proves that there is no batch of it."""
    refused = asked(server, answer)
    assert isinstance(refused, Refused)
    assert (refused.kind, refused.type) == (RefusalKind.LATER, "file_not_found")


@pytest.mark.parametrize("status", [301, 307, 404, 408, 409, 418, 500, 502, 503, 504, 529])
def test_any_other_answer_proves_nothing(server: FileServer, status: int) -> None:
    """The batch may exist, so nobody may pay again; and no redirect is followed."""
    answer = httpx.Response(status, headers={"location": "https://elsewhere.test"})
    assert asked(server, answer) == Unknown(f"HTTP {status}")
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
    """Something between us and the provider may have answered."""
    assert asked(server, httpx.Response(200, text=text)) == Unknown("HTTP 200 without a batch in its body")


@pytest.mark.parametrize("failure", [httpx.ReadTimeout, httpx.ReadError, httpx.RemoteProtocolError, httpx.WriteError])
def test_a_lost_answer_proves_nothing(server: FileServer, failure: type[httpx.TransportError]) -> None:
    """Whatever happened to the connection, and without the key in the reason."""
    assert asked(server, failure) == Unknown(f"{failure.__name__} while the batch was sent")


def test_a_second_answer_that_is_lost_proves_nothing_either(server: FileServer) -> None:
    """The server that takes no metadata may have taken the batch without."""
    assert isinstance(asked(server, error(400, "no metadata"), httpx.ReadTimeout), Unknown)


@pytest.mark.parametrize("failure", [httpx.ConnectError, httpx.ConnectTimeout])
def test_a_call_that_never_reached_the_provider_created_nothing(
    server: FileServer, failure: type[httpx.TransportError]
) -> None:
    """So it is simply made again later."""
    refused = asked(server, failure)
    assert isinstance(refused, Refused)
    assert (refused.kind, refused.type) == (RefusalKind.LATER, "unreachable")


def test_no_batch_is_asked_for_when_the_time_is_over(server: FileServer) -> None:
    """Its answer could not be waited for, and then nobody would know for a quarter of an hour."""
    refused = server.api().create(SENT, 0)
    assert isinstance(refused, Refused)
    assert (refused.kind, refused.type) == (RefusalKind.LATER, "too_slow")
    assert not server.asked(ASK)


@pytest.mark.parametrize("before", [0, 200, 287, 290, 295, 299])
@pytest.mark.parametrize("call", [ASK, "POST /v1/files"])
def test_the_key_is_in_no_reason(server: FileServer, before: int, call: str) -> None:
    """A server may quote it, and what it says is kept and shown; cut in half it would be half a secret."""
    server.files.clear()
    server.tells(call, error(400, "x" * before + " sk-secret-0123456789 is no good"))

    class Secret(Keys):
        def __call__(self, *, renew: bool = False):  # type: ignore[no-untyped-def]  # noqa: ANN204
            return type(super().__call__(renew=renew))("sk-secret-0123456789")

    refused = server.api(Secret()).create(SENT, 60)
    assert isinstance(refused, Refused)
    assert refused.kind is RefusalKind.DEFECT
    assert "sk-" not in refused.message


def test_a_key_is_not_asked_for_anew_while_a_batch_is_asked_for(server: FileServer) -> None:
    """A call that may be paid for is made once; a refused key is told to a person."""
    keys = Keys()
    server.tells(ASK, error(401))
    assert isinstance(server.api(keys).create(SENT, 60), Refused)
    assert (keys.renewed, len(server.asked(ASK))) == (0, 1)


QUESTIONS = [("GET", "progress", ""), ("POST", "cancel", "/cancel")]


@pytest.mark.parametrize(("method", "name", "path"), QUESTIONS)
def test_a_batch_is_asked_about_and_cancelled_by_its_id(server: FileServer, method: str, name: str, path: str) -> None:
    """Doing either again changes nothing; a refused key is read anew once."""
    server.tells(
        f"{method} {BATCHES}/batch_7{path}", error(401), httpx.Response(200, json=batch(7, status="CANCELLING"))
    )
    keys = Keys()
    progress = getattr(server.api(keys), name)("batch_7")
    assert progress == Progress("batch_7", False, 0, NOW, NOW + timedelta(days=1), None)  # noqa: FBT003  # not ended
    assert keys.renewed == 1
    assert [request.headers["authorization"] for request in server.seen] == ["Bearer key-0", "Bearer key-1"]
    assert server.seen[-1].content == b""


@pytest.mark.parametrize(("method", "name", "path"), QUESTIONS)
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
def test_a_question_without_an_answer_is_trouble_not_an_end(  # noqa: PLR0913, PLR0917  # three of a call, two of an answer
    server: FileServer, method: str, name: str, path: str, reply: Reply, reason: str
) -> None:
    """It is asked again later; no redirect is followed, and nobody's words are repeated."""
    server.tells(f"{method} {BATCHES}/batch_7{path}", reply)
    kind = TroubleKind.GONE if reason == "HTTP 404" else TroubleKind.LATER
    assert getattr(server.api(), name)("batch_7") == Trouble(reason, kind)
    assert len(server.seen) == 1
