"""From a run's settings to the provider's API and its authentication."""

from collections.abc import Iterator
from functools import partial
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import boto3
import botocore.session
import httpx
import msgspec
import pytest
from botocore.config import Config
from msgspec.structs import replace

from conveyor.provider.connector import Connector
from conveyor.provider.protocol import DIALECTS, Trouble, dialect_of
from conveyor.settings.settings import Settings
from tests.support.examples import SETTINGS

ONE_TRY = Config(retries={"total_max_attempts": 1})


class Vault:
    """A secrets manager that counts reads, and a provider that always redirects."""

    def __init__(self) -> None:
        """Start without requests."""
        self.reads = 0
        self.seen: list[httpx.Request] = []
        self.connector = Connector("conveyor/api-key", partial(boto3.client, "secretsmanager", config=ONE_TRY))
        self.connector.http = httpx.Client(transport=httpx.MockTransport(self._answer), follow_redirects=False)

    def request(self, settings: Settings) -> httpx.Request:
        """Make a request with these settings, and return it."""
        assert self.connector.api(settings).progress("batch_1") == Trouble("HTTP 302")
        return self.seen[-1]

    def _answer(self, request: httpx.Request) -> httpx.Response:
        self.seen.append(request)
        return httpx.Response(302, headers={"location": "https://elsewhere.test"})


@pytest.fixture
def vault(monkeypatch: pytest.MonkeyPatch) -> Iterator[Vault]:
    """Run a local secrets manager."""
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
            """Log nothing."""

    with HTTPServer(("127.0.0.1", 0), Answers) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{server.server_port}"
        environment = {
            "ENDPOINT_URL": address,
            "ACCESS_KEY_ID": "AKID",
            "SECRET_ACCESS_KEY": "x",
            "DEFAULT_REGION": "eu-west-1",
        }
        for name, value in environment.items():
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
    """It is sent in that header only, in every dialect."""
    request = vault.request(replace(SETTINGS, batch_api=batch_api, auth=auth))
    assert request.headers[header] == value
    assert ({"x-api-key", "authorization"} & request.headers.keys()) == {header}
    assert "anthropic-workspace-id" not in request.headers
    assert ("anthropic-version" in request.headers) is (batch_api == "messages")


def test_a_key_is_read_once_for_many_requests_and_again_before_a_paid_one(vault: Vault) -> None:
    """Each read costs money; an outdated key would be refused, and a refusal ends the run."""
    for _ in range(3):
        assert vault.request(SETTINGS).headers["x-api-key"] == "sk-1"
    assert vault.reads == 1
    vault.connector.api(SETTINGS).renew()
    assert vault.request(SETTINGS).headers["x-api-key"] == "sk-2"
    assert vault.reads == 2


def test_a_key_is_read_with_the_session_that_the_process_has(vault: Vault, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each session of botocore takes as long to build as a client, in a cold start too."""
    boto3.client("s3")
    built = list[None]()
    monkeypatch.setattr(botocore.session, "get_session", lambda: built.append(None))
    assert vault.request(SETTINGS).headers["x-api-key"] == "sk-1"
    assert built == []


@pytest.mark.parametrize("batch_api", sorted(DIALECTS))
def test_a_role_signs_and_no_key_is_read(vault: Vault, batch_api: str) -> None:
    """The stack may have no secret."""
    request = vault.request(replace(SETTINGS, batch_api=batch_api, auth="aws", workspace_id="wrkspc_01"))
    assert request.headers["authorization"].startswith("AWS4-HMAC-SHA256 Credential=AKID/")
    assert "/eu-west-1/aws-external-anthropic/" in request.headers["authorization"]
    assert "anthropic-workspace-id" in request.headers["authorization"]
    assert request.headers["anthropic-workspace-id"] == "wrkspc_01"
    assert "x-api-key" not in request.headers
    assert vault.reads == 0


def test_a_workspace_is_sent_with_a_key_too(vault: Vault) -> None:
    """Claude Platform on AWS requires it in each request."""
    assert vault.request(replace(SETTINGS, workspace_id="wrkspc_01")).headers["anthropic-workspace-id"] == "wrkspc_01"


def test_an_unknown_dialect_is_an_error_that_lists_the_known_ones(vault: Vault) -> None:
    """A misspelled parameter is an example."""
    with pytest.raises(LookupError, match='unknown BatchApi "fils"; expected one of: messages, files, files-openai'):
        vault.connector.api(replace(SETTINGS, batch_api="fils"))


@pytest.mark.parametrize("settings", [SETTINGS, replace(SETTINGS, batch_api="files-openai")])
def test_a_desk_checks_files_by_the_rules_of_the_function(vault: Vault, settings: Settings) -> None:
    """They are had without a client of HTTP."""
    assert dialect_of(settings) == vault.connector.api(settings).dialect
