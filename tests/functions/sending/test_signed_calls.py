"""Signed calls against the gateway: MiniStack's implementation verifies the signatures, not botocore's."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import botocore.auth
import botocore.session
import httpx
import pytest

from conveyor.provider import sigv4
from conveyor.provider.sigv4 import RoleSignature
from local.stack.local_aws import Aws
from local.stack.start import WORKSPACE, signing_settings
from tests.support.belt import Belt, drop_of
from tests.support.lazily import Lazily
from tests.support.promises import check
from tests.support.provider_clients.base import WAIT_SECONDS
from tests.support.settings import STACK_SETTINGS

if TYPE_CHECKING:
    import anthropic
else:
    anthropic = Lazily("anthropic")

BATCHES = "/v1/messages/batches"
HEADERS = {"anthropic-version": "2023-06-01", "anthropic-workspace-id": WORKSPACE}

type Change = Callable[[httpx.Request], None]


@pytest.fixture
def stack_settings() -> dict[str, str]:
    """Return settings with signed calls instead of a key."""
    return STACK_SETTINGS | {"AUTH": "aws", "WORKSPACE_ID": WORKSPACE}


@pytest.fixture
def gateway(belt: Belt, aws: Aws) -> Belt:
    """Let the provider check callers with the local AWS."""
    belt.provider.configure(signed=signing_settings(aws))
    return belt


@pytest.fixture
def client(gateway: Belt) -> Iterator[httpx.Client]:
    """Return a client that signs nothing by itself."""
    with httpx.Client(base_url=gateway.provider.url, headers=HEADERS, trust_env=False, timeout=WAIT_SECONDS) as client:
        yield client


def signed(client: httpx.Client, method: str = "GET", path: str = BATCHES, **more: str) -> httpx.Request:
    """Build a call that is accepted."""
    request = client.build_request(method, path, **more)  # type: ignore[arg-type]  # only content is given
    RoleSignature(botocore.session.get_session()).sign(request, "")
    return request


def test_a_drop_completes_signed_with_the_functions_credentials(gateway: Belt) -> None:
    """The calls are create, list, retrieve and results, with queries and a body of several chunks."""
    data = drop_of(300)
    run = gateway.upload(data)
    check(gateway, run, gateway.finish(run), data)
    assert gateway.creates() == (1, 1)


def test_a_lost_batch_is_searched_with_signed_calls(gateway: Belt) -> None:
    """The batch is adopted, as with a key."""
    data = drop_of(3)
    gateway.provider.fail("create", {"kind": "lose", "when": "after"})
    run = gateway.upload(data)
    assert check(gateway, run, gateway.finish(run), data)["batches"][0]["adopted"] is True


@pytest.mark.local_aws
def test_the_vendors_sdk_is_accepted(gateway: Belt) -> None:
    """It signs other headers than Conveyor, without the body's hash, and its HTTP client is another one."""
    url = gateway.provider.url
    with anthropic.AnthropicAWS(base_url=url, workspace_id=WORKSPACE, aws_region="us-east-1", max_retries=0) as sdk:
        assert sdk.messages.batches.list(limit=7).data == []
        with pytest.raises(anthropic.BadRequestError, match="at least 1 item"):
            sdk.messages.batches.create(requests=[])


def another_body(request: httpx.Request) -> None:
    """Change the hash of the body."""
    request.headers["x-amz-content-sha256"] = "0" * 64


def another_workspace(request: httpx.Request) -> None:
    """Change the signed workspace."""
    request.headers["anthropic-workspace-id"] = "wrkspc_01Another"


def another_version(request: httpx.Request) -> None:
    """Change a signed header."""
    request.headers["anthropic-version"] = "2026-10-21"


def another_signature(request: httpx.Request) -> None:
    """Change the signature."""
    request.headers["authorization"] = request.headers["authorization"][:-4] + "0000"


def no_signature(request: httpx.Request) -> None:
    """Remove the authorization."""
    del request.headers["authorization"]


def a_key(request: httpx.Request) -> None:
    """Add an API key."""
    request.headers["x-api-key"] = "sk-ant-1"


@pytest.mark.parametrize(
    ("change", "status"),
    [
        (another_body, 401),
        (another_workspace, 400),
        (another_version, 401),
        (another_signature, 401),
        (no_signature, 401),
        (a_key, 401),
    ],
)
def test_a_call_that_was_changed_after_signing_is_refused(client: httpx.Client, change: Change, status: int) -> None:
    """It is accepted without the change."""
    assert client.send(signed(client)).status_code == 200
    request = signed(client)
    change(request)
    assert client.send(request).status_code == status


def test_a_signature_for_another_service_is_refused(client: httpx.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """The service name is part of the signature."""
    monkeypatch.setattr(sigv4, "_SERVICE", "execute-api")
    assert client.send(signed(client)).status_code == 401


def test_an_old_signature_is_refused(client: httpx.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each call is therefore signed separately."""
    old = datetime.now(UTC).replace(tzinfo=None) - timedelta(minutes=6)
    monkeypatch.setattr(botocore.auth, "get_current_datetime", lambda **_: old)
    answer = client.send(signed(client))
    assert (answer.status_code, "expired" in answer.text) == (401, True)
