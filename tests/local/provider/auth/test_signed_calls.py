"""Signed calls without an AWS: a call is accepted only if it was signed exactly as it is sent.

The provider has its own implementation of signatures; botocore and the vendor's SDK sign.
"""

from __future__ import annotations

import hashlib
import json
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

import botocore.auth
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from local.provider.auth.signature import Signature, SignedCall, is_recent, is_valid
from tests.support.lazily import Lazily
from tests.support.provider_clients.messages import BATCHES, PROVIDER_KEY, MessagesClient, requests
from tests.support.provider_clients.sdk import sdk_requests, wait_for_end

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import anthropic
    import httpx

    from local.provider.control import Control
else:
    anthropic = Lazily("anthropic")

ACCESS_KEY, SECRET = "AKIAEXAMPLE", "a/secret+of=ours"  # secrets may hold any character
REGION = "eu-central-1"
WORKSPACE = "wrkspc_01EXAMPLE"
BODY = json.dumps({"requests": requests(2)}).encode()

type Change = Callable[[httpx.Request], None]


class Signer(NamedTuple):
    """A caller's credentials, and the service and Region of its signature."""

    secret: str = SECRET
    service: str = "aws-external-anthropic"
    region: str = REGION
    key: str = ACCESS_KEY
    digest: str | None = None
    """Sent instead of the body's hash."""

    def sign(self, request: httpx.Request, body: bytes = b"") -> httpx.Request:
        """Sign a request as Conveyor does: with its headers, one of which is the body's hash."""
        names = [name for name in request.headers if name == "content-type" or name.startswith("anthropic-")]
        digest = self.digest or hashlib.sha256(body).hexdigest()
        headers = {name: request.headers[name] for name in names} | {"x-amz-content-sha256": digest}
        signed = AWSRequest(request.method, str(request.url), headers=headers)
        SigV4Auth(Credentials(self.key, self.secret, "a token"), self.service, self.region).add_auth(signed)
        request.headers.update(dict(signed.headers.items()))
        return request


@pytest.fixture
def gateway(provider: Control) -> Control:
    """Return a provider that requires signed calls."""
    provider.configure(
        api_key=None, signed={"workspace": WORKSPACE, "region": REGION, "credentials": {ACCESS_KEY: SECRET}}
    )
    return provider


@pytest.fixture
def client(gateway: Control) -> Iterator[MessagesClient]:
    """Return a client that names the workspace, and signs nothing by itself."""
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


def test_every_signed_call_is_accepted(client: MessagesClient) -> None:
    """The query is signed too, in any order."""
    batch_id = client.send(create(client)).raise_for_status().json()["id"]
    path = f"{BATCHES}/{batch_id}"
    while call(client, "GET", path).raise_for_status().json()["processing_status"] != "ended":
        time.sleep(0.01)
    assert call(client, "GET", f"{BATCHES}?limit=7&after_id={batch_id}").json()["data"] == []
    assert len(call(client, "GET", f"{path}/results").raise_for_status().content.splitlines()) == 2
    assert call(client, "POST", f"{path}/cancel").status_code == 400  # it has ended
    assert call(client, "DELETE", path).is_success
    assert call(client, "GET", path).status_code == 404


def test_a_body_with_known_hash_and_length_can_be_streamed(client: MessagesClient) -> None:
    """Its hash is computed when it has arrived."""
    pieces = (BODY[at : at + 50] for at in range(0, len(BODY), 50))
    headers = {"content-type": "application/json", "content-length": str(len(BODY))}
    request = client.build_request("POST", BATCHES, content=pieces, headers=headers)
    assert client.send(Signer().sign(request, BODY)).is_success


def sdk(gateway: Control, secret: str = SECRET) -> anthropic.AnthropicAWS:
    """Return the vendor's SDK with its defaults, but without retries."""
    return anthropic.AnthropicAWS(
        base_url=gateway.url,
        workspace_id=WORKSPACE,
        aws_region=REGION,
        aws_access_key=ACCESS_KEY,
        aws_secret_key=secret,
        max_retries=0,
    )


def test_calls_of_the_vendors_sdk_are_accepted(gateway: Control) -> None:
    """The SDK signs all its headers, and sends none with the body's hash."""
    with sdk(gateway) as client:
        batch = wait_for_end(client, client.messages.batches.create(requests=sdk_requests(3)))
        assert [listed.id for listed in client.messages.batches.list(limit=1)] == [batch.id]
        assert len(list(client.messages.batches.results(batch.id))) == 3
    with sdk(gateway, "wrong") as unknown, pytest.raises(anthropic.AuthenticationError):
        unknown.messages.batches.list()


@pytest.mark.parametrize(
    ("signer", "message"),
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
def test_a_signature_of_another_caller_or_for_another_service_is_refused(
    client: MessagesClient, gateway: Control, signer: Signer, message: str
) -> None:
    """And nothing is created."""
    answer = client.send(create(client, signer))
    assert (answer.status_code, answer.json()["error"]["type"]) == (401, "authentication_error")
    assert message in answer.json()["error"]["message"]
    assert gateway.stats()["created"] == 0


def another_version(request: httpx.Request) -> None:
    """Change a signed header."""
    request.headers["anthropic-version"] = "2026-10-21"


def another_host(request: httpx.Request) -> None:
    """Change the host: the call was signed for another server."""
    request.headers["host"] = "aws-external-anthropic.eu-central-1.api.aws"


def another_token(request: httpx.Request) -> None:
    """Change the session's token."""
    request.headers["x-amz-security-token"] = "another"


def one_more(request: httpx.Request) -> None:
    """Add an AWS header that was not signed."""
    request.headers["x-amz-meta"] = "1"


def no_moment(request: httpx.Request) -> None:
    """Remove the date of the signature."""
    del request.headers["x-amz-date"]


def another_moment(request: httpx.Request) -> None:
    """Replace the date of the signature by one that is invalid."""
    request.headers["x-amz-date"] = "today"


def half_a_signature(request: httpx.Request) -> None:
    """Remove the signature from the header."""
    request.headers["authorization"] = request.headers["authorization"].partition(", Signature")[0]


def no_signature(request: httpx.Request) -> None:
    """Remove the authorization."""
    del request.headers["authorization"]


def a_bearer(request: httpx.Request) -> None:
    """Replace the signature by a bearer token."""
    request.headers["authorization"] = f"Bearer {PROVIDER_KEY}"


def a_key(request: httpx.Request) -> None:
    """Add an API key."""
    request.headers["x-api-key"] = PROVIDER_KEY


def no_workspace(request: httpx.Request) -> None:
    """Remove the workspace."""
    del request.headers["anthropic-workspace-id"]


def another_workspace(request: httpx.Request) -> None:
    """Name an unknown workspace."""
    request.headers["anthropic-workspace-id"] = "wrkspc_01Another"


CHANGES = (
    another_version, another_host, another_token, one_more, no_moment, another_moment, half_a_signature, no_signature,
    a_bearer, a_key,
)  # fmt: skip


@pytest.mark.parametrize("change", CHANGES)
def test_a_call_that_was_changed_after_it_was_signed_is_refused(client: MessagesClient, change: Change) -> None:
    """It is accepted without the change."""
    assert client.send(create(client)).is_success
    request = create(client)
    change(request)
    assert client.send(request).status_code == 401


@pytest.mark.parametrize("change", [no_workspace, another_workspace])
def test_a_call_without_its_workspace_is_refused(client: MessagesClient, change: Change) -> None:
    """Even with a valid signature."""
    request = client.build_request("GET", BATCHES)
    change(request)
    assert client.send(Signer().sign(request)).status_code == 400


def test_a_body_that_was_changed_is_refused(client: MessagesClient) -> None:
    """Even if its length is the same."""
    request = create(client, body=BODY.replace(b"r-1", b"r-7"))
    assert client.send(request).status_code == 401


def test_a_chunked_body_is_refused(client: MessagesClient) -> None:
    """The gateway does not document that it accepts one."""
    request = client.build_request("POST", BATCHES, content=iter([BODY]), headers={"content-type": "application/json"})
    assert client.send(Signer().sign(request, BODY)).status_code == 400


@pytest.mark.parametrize(("minutes", "status"), [(-6, 401), (-4, 200), (4, 200), (6, 401)])
def test_a_signature_is_valid_for_five_minutes(
    client: MessagesClient, monkeypatch: pytest.MonkeyPatch, minutes: int, status: int
) -> None:
    """Before and after its date, since clocks differ."""
    moment = datetime.now(UTC).replace(tzinfo=None) + timedelta(minutes=minutes)
    monkeypatch.setattr(botocore.auth, "get_current_datetime", lambda **_: moment)
    assert call(client, "GET", BATCHES).status_code == status


def test_a_signature_of_another_day_than_its_date_is_not_recent() -> None:
    """Also within the tolerance, around midnight."""
    now = datetime(2026, 11, 22, 0, 1, tzinfo=UTC)
    signature = Signature(ACCESS_KEY, "20261122", REGION, "service", "host", "0" * 64)
    for date, recent in (("20261122T000000Z", True), ("20261121T235900Z", False)):
        call = SignedCall("GET", "/", "", {"x-amz-date": date}, "")
        assert is_recent(call, signature, now) is recent


def test_the_example_of_aws_has_the_documented_signature() -> None:
    """From the test suite that AWS publishes for Signature Version 4: `get-vanilla-query-order-key-case`."""
    headers = {"host": "example.amazonaws.com", "x-amz-date": "20150830T123600Z"}
    empty = hashlib.sha256().hexdigest()
    call = SignedCall("GET", "/", "Param2=value2&Param1=value1", headers, empty)
    authorization = (
        "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, "
        "SignedHeaders=host;x-amz-date, Signature=b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500"
    )
    signature = Signature.parse(authorization)
    assert signature is not None
    secret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"  # noqa: S105 - AWS's example
    assert is_valid(call, signature, secret)
    assert not is_valid(call._replace(query="Param1=value1"), signature, secret)
