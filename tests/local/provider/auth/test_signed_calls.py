"""Claude Platform on AWS without an AWS: what is signed as it is sent is let in, and nothing else.

The provider recomputes signatures by hand; those who sign are botocore and the vendor's SDK.
"""

from __future__ import annotations

import hashlib
import json
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

import anthropic
import botocore.auth
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from local.provider.auth.signature import Signature, SignedCall, is_recent, is_valid
from tests.support.provider_clients.messages import BATCHES, PROVIDER_KEY, MessagesClient, requests
from tests.support.provider_clients.sdk import sdk_requests, wait_for_end

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import httpx

    from local.provider.control import Control

ACCESS_KEY, SECRET = "AKIAEXAMPLE", "a/secret+of=ours"  # secrets may hold any character
REGION = "eu-central-1"
WORKSPACE = "wrkspc_01EXAMPLE"
BODY = json.dumps({"requests": requests(2)}).encode()

type Spoil = Callable[[httpx.Request], None]


class Signer(NamedTuple):
    """Whoever signs, and for which service and Region."""

    secret: str = SECRET
    service: str = "aws-external-anthropic"
    region: str = REGION
    key: str = ACCESS_KEY
    digest: str | None = None
    """What to say of the body instead of its hash."""

    def sign(self, request: httpx.Request, body: bytes = b"") -> httpx.Request:
        """Sign a request with all the headers that Conveyor signs, and with the hash of its body as one of them."""
        names = [name for name in request.headers if name == "content-type" or name.startswith("anthropic-")]
        digest = self.digest or hashlib.sha256(body).hexdigest()
        headers = {name: request.headers[name] for name in names} | {"x-amz-content-sha256": digest}
        signed = AWSRequest(request.method, str(request.url), headers=headers)
        SigV4Auth(Credentials(self.key, self.secret, "a token"), self.service, self.region).add_auth(signed)
        request.headers.update(dict(signed.headers.items()))
        return request


@pytest.fixture
def gateway(provider: Control) -> Control:
    """Give a provider to which calls are signed."""
    provider.configure(
        api_key=None, signed={"workspace": WORKSPACE, "region": REGION, "credentials": {ACCESS_KEY: SECRET}}
    )
    return provider


@pytest.fixture
def client(gateway: Control) -> Iterator[MessagesClient]:
    """Give a client that names the workspace, and signs nothing by itself."""
    with MessagesClient(gateway.url, PROVIDER_KEY) as client:
        del client.headers["x-api-key"]
        client.headers["anthropic-workspace-id"] = WORKSPACE
        yield client


def call(client: MessagesClient, method: str, path: str, signer: Signer | None = None) -> httpx.Response:
    """Make a signed call without a body."""
    return client.send((signer or Signer()).sign(client.build_request(method, path)))


def create(client: MessagesClient, signer: Signer | None = None, body: bytes = BODY) -> httpx.Request:
    """Build a signed create call."""
    request = client.build_request("POST", BATCHES, content=body, headers={"content-type": "application/json"})
    return (signer or Signer()).sign(request, BODY)


def test_every_call_of_the_api_is_let_in_when_it_is_signed(client: MessagesClient) -> None:
    """Queries are part of what is signed, whatever their order."""
    batch_id = client.send(create(client)).raise_for_status().json()["id"]
    path = f"{BATCHES}/{batch_id}"
    while call(client, "GET", path).raise_for_status().json()["processing_status"] != "ended":
        time.sleep(0.01)
    assert call(client, "GET", f"{BATCHES}?limit=7&after_id={batch_id}").json()["data"] == []
    assert len(call(client, "GET", f"{path}/results").raise_for_status().content.splitlines()) == 2
    assert call(client, "POST", f"{path}/cancel").status_code == 400  # it has ended
    assert call(client, "DELETE", path).is_success
    assert call(client, "GET", path).status_code == 404


def test_a_body_is_streamed_when_its_hash_and_length_are_told(client: MessagesClient) -> None:
    """It is hashed as it arrives."""
    pieces = (BODY[at : at + 50] for at in range(0, len(BODY), 50))
    headers = {"content-type": "application/json", "content-length": str(len(BODY))}
    request = client.build_request("POST", BATCHES, content=pieces, headers=headers)
    assert client.send(Signer().sign(request, BODY)).is_success


def sdk(gateway: Control, secret: str = SECRET) -> anthropic.AnthropicAWS:
    """Give the vendor's SDK as a user would have it, without its retries."""
    return anthropic.AnthropicAWS(
        base_url=gateway.url,
        workspace_id=WORKSPACE,
        aws_region=REGION,
        aws_access_key=ACCESS_KEY,
        aws_secret_key=secret,
        max_retries=0,
    )


def test_the_vendors_sdk_is_let_in(gateway: Control) -> None:
    """It signs all its headers, and leaves out the one with the body's hash."""
    with sdk(gateway) as ours:
        batch = wait_for_end(ours, ours.messages.batches.create(requests=sdk_requests(3)))
        assert [each.id for each in ours.messages.batches.list(limit=1)] == [batch.id]
        assert len(list(ours.messages.batches.results(batch.id))) == 3
    with sdk(gateway, "wrong") as another, pytest.raises(anthropic.AuthenticationError):
        another.messages.batches.list()


@pytest.mark.parametrize(
    ("signer", "words"),
    [
        (Signer(secret="wrong"), "does not match"),  # noqa: S106
        (Signer(service="execute-api"), "does not match"),
        (Signer(region="us-east-1"), "does not match"),
        (Signer(key="AKIAOTHER"), "token included in the request is invalid"),
        (Signer(digest="0" * 64), "hash that was signed"),
        (Signer(digest="UNSIGNED-PAYLOAD"), "hash that was signed"),
        (Signer(digest="STREAMING-AWS4-HMAC-SHA256-PAYLOAD"), "hash that was signed"),
    ],
)
def test_what_is_signed_by_another_or_for_another_is_refused(
    client: MessagesClient, gateway: Control, signer: Signer, words: str
) -> None:
    """And nothing is created."""
    answer = client.send(create(client, signer))
    assert (answer.status_code, answer.json()["error"]["type"]) == (401, "authentication_error")
    assert words in answer.json()["error"]["message"]
    assert gateway.stats()["created"] == 0


def another_version(request: httpx.Request) -> None:
    """Change a signed header."""
    request.headers["anthropic-version"] = "2026-10-21"


def another_host(request: httpx.Request) -> None:
    """Bring a call that was signed for another server."""
    request.headers["host"] = "aws-external-anthropic.eu-central-1.api.aws"


def another_token(request: httpx.Request) -> None:
    """Change the session's token."""
    request.headers["x-amz-security-token"] = "another"


def one_more(request: httpx.Request) -> None:
    """Add a header of AWS's that was not signed."""
    request.headers["x-amz-meta"] = "1"


def no_moment(request: httpx.Request) -> None:
    """Do not say when it was signed."""
    del request.headers["x-amz-date"]


def another_moment(request: httpx.Request) -> None:
    """Say that it was signed when nobody can have."""
    request.headers["x-amz-date"] = "today"


def half_a_signature(request: httpx.Request) -> None:
    """Break the signature off."""
    request.headers["authorization"] = request.headers["authorization"].partition(", Signature")[0]


def no_signature(request: httpx.Request) -> None:
    """Send nothing that says who calls."""
    del request.headers["authorization"]


def a_bearer(request: httpx.Request) -> None:
    """Send a token instead."""
    request.headers["authorization"] = f"Bearer {PROVIDER_KEY}"


def a_key(request: httpx.Request) -> None:
    """Send a key beside it."""
    request.headers["x-api-key"] = PROVIDER_KEY


def no_workspace(request: httpx.Request) -> None:
    """Do not say which workspace it is for."""
    del request.headers["anthropic-workspace-id"]


def another_workspace(request: httpx.Request) -> None:
    """Name a workspace that there is not."""
    request.headers["anthropic-workspace-id"] = "wrkspc_01Another"


SPOILS = (
    another_version, another_host, another_token, one_more, no_moment, another_moment, half_a_signature, no_signature,
    a_bearer, a_key,
)  # fmt: skip


@pytest.mark.parametrize("spoil", SPOILS)
def test_a_call_that_was_changed_after_it_was_signed_is_refused(client: MessagesClient, spoil: Spoil) -> None:
    """It would have been let in as it was."""
    assert client.send(create(client)).is_success
    request = create(client)
    spoil(request)
    assert client.send(request).status_code == 401


@pytest.mark.parametrize("spoil", [no_workspace, another_workspace])
def test_a_call_without_its_workspace_is_refused(client: MessagesClient, spoil: Spoil) -> None:
    """However it is signed."""
    request = client.build_request("GET", BATCHES)
    spoil(request)
    assert client.send(Signer().sign(request)).status_code == 400


def test_another_body_than_the_signed_one_is_refused(client: MessagesClient) -> None:
    """Of the same length."""
    request = create(client, body=BODY.replace(b"r-1", b"r-7"))
    assert client.send(request).status_code == 401


def test_a_body_in_chunks_is_refused(client: MessagesClient) -> None:
    """Nobody says that the gateway takes one."""
    request = client.build_request("POST", BATCHES, content=iter([BODY]), headers={"content-type": "application/json"})
    assert client.send(Signer().sign(request, BODY)).status_code == 400


@pytest.mark.parametrize(("minutes", "status"), [(-6, 401), (-4, 200), (4, 200), (6, 401)])
def test_a_signature_is_good_for_minutes(
    client: MessagesClient, monkeypatch: pytest.MonkeyPatch, minutes: int, status: int
) -> None:
    """Before and after it was made, since clocks differ."""
    moment = datetime.now(UTC).replace(tzinfo=None) + timedelta(minutes=minutes)
    monkeypatch.setattr(botocore.auth, "get_current_datetime", lambda **_: moment)
    assert call(client, "GET", BATCHES).status_code == status


def test_a_signature_of_another_day_than_its_moment_is_not_timely() -> None:
    """Midnight does not make it last."""
    now = datetime(2026, 11, 22, 0, 1, tzinfo=UTC)
    signature = Signature(ACCESS_KEY, "20261122", REGION, "service", "host", "0" * 64)
    for date, timely in (("20261122T000000Z", True), ("20261121T235900Z", False)):
        about = SignedCall("GET", "/", "", {"x-amz-date": date}, "")
        assert is_recent(about, signature, now) is timely


def test_awss_own_example_is_signed_as_awss_documentation_says() -> None:
    """From the suite of tests that AWS publishes for this version: `get-vanilla-query-order-key-case`."""
    headers = {"host": "example.amazonaws.com", "x-amz-date": "20150830T123600Z"}
    empty = hashlib.sha256().hexdigest()
    about = SignedCall("GET", "/", "Param2=value2&Param1=value1", headers, empty)
    authorization = (
        "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, "
        "SignedHeaders=host;x-amz-date, Signature=b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500"
    )
    signature = Signature.parse(authorization)
    assert signature is not None
    secret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"  # noqa: S105 - AWS's example
    assert is_valid(about, signature, secret)
    assert not is_valid(about._replace(query="Param1=value1"), signature, secret)
