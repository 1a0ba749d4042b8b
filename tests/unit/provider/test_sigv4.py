"""Requests signed with the function's role; each signature is recomputed here as the gateway does."""

import hmac
import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from urllib.parse import parse_qsl, quote

import botocore.session
import httpx
import pytest

from conveyor.domain.refusal import RefusalKind
from conveyor.jsonl.lines import read_blocks
from conveyor.provider.files.api import FileBatches
from conveyor.provider.messages.api import MessageBatches
from conveyor.provider.protocol import Created, CredentialsUnusable, Progress, Refused, Trouble
from conveyor.provider.sigv4 import RoleSignature
from conveyor.provider.transport import Transport
from conveyor.validation.batch_body import Envelope
from conveyor.validation.checker import check_drop
from tests.support.drops import PARAMS, RUN, line, settings
from tests.support.examples import NOW, ORIGIN, new_batch
from tests.unit.provider.messages.test_api import batch, error

REGION = "eu-central-1"
URL = f"https://aws-external-anthropic.{REGION}.api.aws"
WORKSPACE = {"anthropic-workspace-id": "wrkspc_01EXAMPLE"}
SECRETS = {"AKID-1": "secret-1", "AKID-2": "secret-2"}
SIGNED = {
    "anthropic-version",
    "anthropic-workspace-id",
    "host",
    "x-amz-content-sha256",
    "x-amz-date",
    "x-amz-security-token",
}
AUTHORIZATION = re.compile(
    r"AWS4-HMAC-SHA256 Credential=([^/]+)/((\d{8})/([^/]+)/([^/]+)/aws4_request), "
    r"SignedHeaders=(\S+), Signature=(\w{64})"
)


class Gateway:
    """A gateway that checks each signature, then returns a prepared response or a batch."""

    def __init__(self) -> None:
        """Start with the first credentials of a role."""
        self.session = botocore.session.get_session()
        self.session.set_config_variable("region", REGION)
        self.rotate(1)
        self.seen: list[httpx.Request] = []
        self.replies: list[httpx.Response] = []
        client = httpx.Client(transport=httpx.MockTransport(self.answer))
        self.api = MessageBatches(Transport(client, URL, RoleSignature(self.session), WORKSPACE))

    def rotate(self, number: int) -> None:
        """Give the function new credentials."""
        self.session.set_credentials(f"AKID-{number}", f"secret-{number}", f"token/{number}+==")

    def answer(self, request: httpx.Request) -> httpx.Response:
        """Check and answer one request; rotate the credentials with each prepared response."""
        request.read()
        self.seen.append(request)
        assert signature(request) == authorization_parts(request)[-1]
        if self.replies:
            self.rotate(2)
            return self.replies.pop(0)
        if request.method == "GET" and request.url.path.endswith("/batches"):
            return httpx.Response(200, json={"data": [batch(2)], "has_more": not request.url.params.get("after_id")})
        return httpx.Response(200, json=batch())


def authorization_parts(request: httpx.Request) -> tuple[str, ...]:
    """Return the parts of an Authorization header."""
    match = AUTHORIZATION.fullmatch(request.headers["authorization"])
    assert match is not None
    return match.groups()


def signature(request: httpx.Request) -> str:
    """Return the signature that the received request should have."""
    key_id, scope, day, region, service, names, _ = authorization_parts(request)
    assert (region, service) == (REGION, "aws-external-anthropic")
    raw = parse_qsl(request.url.query.decode(), keep_blank_values=True)
    query = "&".join(f"{quote(name, safe='-_.~')}={quote(value, safe='-_.~')}" for name, value in sorted(raw))
    headers = "".join(f"{name}:{' '.join(request.headers[name].split())}\n" for name in names.split(";"))
    canonical = "\n".join(
        (request.method, request.url.path, query, headers, names, sha256(request.content).hexdigest())
    )
    to_sign = "\n".join(
        ("AWS4-HMAC-SHA256", request.headers["x-amz-date"], scope, sha256(canonical.encode()).hexdigest())
    )
    key = f"AWS4{SECRETS[key_id]}".encode()
    for part in (day, region, service, "aws4_request"):
        key = hmac.digest(key, part.encode(), "sha256")
    return hmac.digest(key, to_sign.encode(), "sha256").hex()


@pytest.fixture
def gateway() -> Gateway:
    """Return a gateway."""
    return Gateway()


def test_a_request_with_a_query_is_signed(gateway: Gateway) -> None:
    """Query parameters are signed in sorted order, not in the order they are sent."""
    batches = gateway.api.find(NOW - timedelta(days=9))
    assert isinstance(batches, list)
    first, second = gateway.seen
    assert (dict(first.url.params), second.url.params["after_id"]) == ({"limit": "1000"}, "msgbatch_2")
    assert set(authorization_parts(second)[5].split(";")) == SIGNED
    assert second.headers["x-amz-security-token"] == "token/1+=="
    assert second.headers["x-amz-content-sha256"] == sha256().hexdigest()


def test_a_call_without_a_body_is_signed(gateway: Gateway) -> None:
    """The hash of an empty body is signed."""
    assert isinstance(gateway.api.cancel("msgbatch_1"), Progress)
    (call,) = gateway.seen
    assert (call.method, call.content) == ("POST", b"")
    assert call.headers["x-amz-content-sha256"] == sha256().hexdigest()


class Body:
    """A streamed body that counts how often it is read."""

    def __init__(self, *pieces: bytes) -> None:
        """Store the pieces."""
        self.pieces = pieces
        self.reads = 0

    def __call__(self) -> Iterable[bytes]:
        """Start another read."""
        self.reads += 1
        return self._read()

    def _read(self) -> Iterator[bytes]:
        yield from self.pieces


def test_a_streamed_body_is_signed_with_its_hash_and_read_twice(gateway: Gateway) -> None:
    """Once for the hash, which must be known before the first byte is sent, and once to send it."""
    body = Body(b'{"requests":[', b'{"a":1}' * 3, b"]}")
    data = b"".join(body.pieces)
    sent = new_batch(data)._replace(body=body)
    assert isinstance(gateway.api.create(sent, 60), Created)
    (call,) = gateway.seen
    assert (call.content, body.reads) == (data, 2)
    assert call.headers["content-length"] == str(len(data))
    assert "transfer-encoding" not in call.headers
    assert call.headers["x-amz-content-sha256"] == sha256(data).hexdigest()
    assert set(authorization_parts(call)[5].split(";")) == SIGNED | {"content-type"}


def test_a_file_of_lines_is_signed_as_it_is_sent(gateway: Gateway) -> None:
    """The hash is that of the escaped text, not of the user's text."""
    data = line("a", system="x\u2028 \u0085") + b"\n"
    (planned,) = check_drop(RUN, settings(), PARAMS, lambda: [data]).batches
    envelope = Envelope(PARAMS.form, RUN, 16)
    sent = new_batch(size=planned.body_bytes)._replace(body=lambda: envelope.body(planned, read_blocks([data])))
    transport = Transport(
        httpx.Client(transport=httpx.MockTransport(gateway.answer)), URL, RoleSignature(gateway.session)
    )
    FileBatches(transport, settings(batch_api="files")).create(sent, 60)
    (upload,) = [call for call in gateway.seen if call.url.path == "/v1/files" and call.method == "POST"]
    assert rb"\u2028 \u0085" in upload.content
    assert upload.headers["x-amz-content-sha256"] == sha256(upload.content).hexdigest()
    assert upload.headers["content-length"] == str(len(upload.content))


def test_workspace_and_version_are_sent_and_signed_without_a_key(gateway: Gateway) -> None:
    """A key beside a signature would be refused; the gateway requires the workspace in each request."""
    gateway.api.progress("msgbatch_1")
    gateway.api.create(new_batch(b"{}"), 60)
    for call in gateway.seen:
        assert call.headers["anthropic-workspace-id"] == "wrkspc_01EXAMPLE"
        assert call.headers["anthropic-version"] == "2023-06-01"
        assert "x-api-key" not in call.headers
        assert len(call.headers.get_list("authorization")) == 1


def test_the_beta_header_is_signed_as_it_is_sent(gateway: Gateway) -> None:
    """The gateway requires every header of the API to be signed."""
    client = httpx.Client(transport=httpx.MockTransport(gateway.answer))
    MessageBatches(Transport(client, URL, RoleSignature(gateway.session), WORKSPACE), "a-1,b-2").create(
        new_batch(b"{}"), 60
    )
    assert gateway.seen[0].headers["anthropic-beta"] == "a-1,b-2"
    assert "anthropic-beta" in gateway.seen[0].headers["authorization"]


def test_each_call_is_signed_just_before_it_is_sent(gateway: Gateway) -> None:
    """AWS refuses a signature that is some minutes old."""
    gateway.api.progress("msgbatch_1")
    signed = datetime.strptime(gateway.seen[0].headers["x-amz-date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    assert abs(datetime.now(UTC) - signed) < timedelta(seconds=30)


@pytest.mark.parametrize("status", [401, 403])
def test_a_refused_read_is_signed_again_with_current_credentials(gateway: Gateway, status: int) -> None:
    """A role's credentials are replaced while a function lives."""
    gateway.replies = [error(status, "authentication_error")]
    assert isinstance(gateway.api.progress("msgbatch_1"), Progress)
    assert [authorization_parts(call)[0] for call in gateway.seen] == ["AKID-1", "AKID-2"]
    assert [call.headers["x-amz-security-token"] for call in gateway.seen] == ["token/1+==", "token/2+=="]


@pytest.mark.parametrize("status", [401, 403])
def test_results_are_requested_again_with_a_new_signature_if_one_is_refused(gateway: Gateway, status: int) -> None:
    """The function may hold old credentials by then."""
    gateway.replies = [error(status, "permission_error"), httpx.Response(200, text="")]
    with gateway.api.results("msgbatch_1") as results:
        assert list(results) == []
    assert [authorization_parts(call)[0] for call in gateway.seen] == ["AKID-1", "AKID-2"]


def test_a_paid_call_is_signed_once(gateway: Gateway) -> None:
    """It is never repeated, even if refused."""
    gateway.replies = [error(403, "permission_error", "User: arn:aws:sts::1:role is not authorized")]
    refused = gateway.api.create(new_batch(b"{}"), 60)
    assert isinstance(refused, Refused)
    assert (refused.kind, len(gateway.seen)) == (RefusalKind.STOP, 1)


def test_an_error_in_the_format_of_aws_is_a_refusal_too(gateway: Gateway) -> None:
    """The gateway returns errors in its own format."""
    gateway.replies = [httpx.Response(403, json={"message": "The security token included in the request is expired"})]
    refused = gateway.api.create(new_batch(b"{}"), 60)
    assert isinstance(refused, Refused)
    assert (refused.kind, refused.type) == (RefusalKind.STOP, "http_403")
    gateway.replies = [httpx.Response(403, json={"message": "no"})] * 2
    assert gateway.api.progress("msgbatch_1") == Trouble("HTTP 403")


def test_a_body_that_cannot_be_hashed_in_time_is_not_sent(gateway: Gateway) -> None:
    """No request was made, so the batch is sent later."""
    refused = gateway.api.create(new_batch(b"{}"), 0)
    assert isinstance(refused, Refused)
    assert (refused.kind, refused.type, gateway.seen) == (RefusalKind.LATER, "too_slow", [])


@pytest.fixture
def no_credentials(monkeypatch: pytest.MonkeyPatch) -> botocore.session.Session:
    """Return a session without credentials."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    for name in ("AWS_SHARED_CREDENTIALS_FILE", "AWS_CONFIG_FILE"):
        monkeypatch.setenv(name, "/dev/null")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    session = botocore.session.get_session()
    session.set_config_variable("region", REGION)
    return session


def test_a_process_without_credentials_signs_nothing(no_credentials: botocore.session.Session) -> None:
    """The deployment must be corrected; the run is refused with that reason."""
    with pytest.raises(CredentialsUnusable, match="no AWS credentials"):
        RoleSignature(no_credentials).renew()
    client = httpx.Client(transport=httpx.MockTransport(lambda _: httpx.Response(200)))
    api = MessageBatches(Transport(client, URL, RoleSignature(no_credentials)))
    with pytest.raises(CredentialsUnusable):
        api.create(new_batch(b"{}"), 60)


def test_a_process_without_a_region_signs_nothing(
    no_credentials: botocore.session.Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The signature names the gateway's region."""
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name, raising=False)
    no_credentials.set_config_variable("region", None)
    no_credentials.set_credentials("AKID-1", "secret-1")
    with pytest.raises(CredentialsUnusable, match="no region"):
        RoleSignature(no_credentials).renew()


def test_a_session_with_credentials_and_region_is_accepted(gateway: Gateway) -> None:
    """Checking it makes no request."""
    gateway.api.renew()
    gateway.api.discard(ORIGIN, ["msgbatch_1"])
    assert gateway.seen == []
