"""From a run's settings to the provider it speaks with, and how it is let in."""

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import httpx
import msgspec
import pytest
from botocore.config import Config
from msgspec.structs import replace

from conveyor.provider.connector import DIALECTS, Connector
from conveyor.provider.protocol import Trouble
from conveyor.settings.settings import Settings
from tests.support.examples import SETTINGS


class Vault:
    """A secrets manager whose answers are counted, and a provider that never answers well."""

    def __init__(self) -> None:
        """Keep one key."""
        self.reads = 0
        self.seen: list[httpx.Request] = []
        self.connector = Connector("conveyor/api-key", Config(retries={"total_max_attempts": 1}))
        self.connector.http = httpx.Client(transport=httpx.MockTransport(self._answer), follow_redirects=False)

    def asks(self, settings: Settings) -> httpx.Request:
        """Let a run ask its provider something."""
        assert self.connector.api(settings).progress("batch_1") == Trouble("HTTP 302")
        return self.seen[-1]

    def _answer(self, request: httpx.Request) -> httpx.Response:
        self.seen.append(request)
        return httpx.Response(302, headers={"location": "https://elsewhere.test"})


@pytest.fixture
def vault(monkeypatch: pytest.MonkeyPatch) -> Iterator[Vault]:
    """Run a secrets manager on this machine."""
    made: list[Vault] = []

    class Answers(BaseHTTPRequestHandler):
        def do_POST(self) -> None:  # the name that http.server calls
            made[0].reads += 1
            self.rfile.read(int(self.headers["content-length"]))
            body = msgspec.json.encode({"SecretString": f" sk-{made[0].reads}\n"})
            self.send_response(200)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with HTTPServer(("127.0.0.1", 0), Answers) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{server.server_port}"
        given = {
            "ENDPOINT_URL": address,
            "ACCESS_KEY_ID": "AKID",
            "SECRET_ACCESS_KEY": "x",
            "DEFAULT_REGION": "eu-west-1",
        }
        for name, value in given.items():
            monkeypatch.setenv(f"AWS_{name}", value)
        made.append(Vault())
        yield made[0]
        server.shutdown()


@pytest.mark.parametrize("batch_api", sorted(DIALECTS))
@pytest.mark.parametrize(
    ("auth", "header", "value"), [("api-key", "x-api-key", "sk-1"), ("bearer", "authorization", "Bearer sk-1")]
)
def test_a_key_is_sent_in_the_header_that_was_chosen(
    vault: Vault, batch_api: str, auth: str, header: str, value: str
) -> None:
    """In one, and in no other; whichever dialect is spoken."""
    request = vault.asks(replace(SETTINGS, batch_api=batch_api, auth=auth))
    assert request.headers[header] == value
    assert ({"x-api-key", "authorization"} & request.headers.keys()) == {header}
    assert "anthropic-workspace-id" not in request.headers
    assert ("anthropic-version" in request.headers) is (batch_api == "messages")


def test_a_key_is_read_once_for_many_calls_and_anew_before_a_paid_one(vault: Vault) -> None:
    """Each read costs; a stale key would be refused, and a refusal ends the run."""
    for _ in range(3):
        assert vault.asks(SETTINGS).headers["x-api-key"] == "sk-1"
    assert vault.reads == 1
    vault.connector.api(SETTINGS).renew()
    assert vault.asks(SETTINGS).headers["x-api-key"] == "sk-2"
    assert vault.reads == 2


@pytest.mark.parametrize("batch_api", sorted(DIALECTS))
def test_a_role_signs_and_no_key_is_read(vault: Vault, batch_api: str) -> None:
    """The stack may have no secret at all."""
    request = vault.asks(replace(SETTINGS, batch_api=batch_api, auth="aws", workspace_id="wrkspc_01"))
    assert request.headers["authorization"].startswith("AWS4-HMAC-SHA256 Credential=AKID/")
    assert "/eu-west-1/aws-external-anthropic/" in request.headers["authorization"]
    assert "anthropic-workspace-id" in request.headers["authorization"]
    assert request.headers["anthropic-workspace-id"] == "wrkspc_01"
    assert "x-api-key" not in request.headers
    assert vault.reads == 0


def test_a_workspace_is_said_beside_a_key_too(vault: Vault) -> None:
    """Claude Platform on AWS asks for it in each call."""
    assert vault.asks(replace(SETTINGS, workspace_id="wrkspc_01")).headers["anthropic-workspace-id"] == "wrkspc_01"


def test_a_dialect_that_there_is_not_is_told_with_those_there_are(vault: Vault) -> None:
    """A typing error in a parameter."""
    with pytest.raises(LookupError, match='unknown BatchApi "fils"; expected one of: messages, files'):
        vault.connector.api(replace(SETTINGS, batch_api="fils"))
