"""The local AWS: MiniStack as a child process, with IAM policies and TLS enforced, on a free port of the loopback."""

from __future__ import annotations

import os
import socket
import ssl
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import botocore.session
import httpx
from botocore.config import Config

from local.process import ProcessFailed, exited, running, tail

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator, Mapping

ROOT = Path(__file__).resolve().parent.parent
PYTHON = ROOT / ".venv" / "aws" / "bin" / "python"
EMULATION = ROOT / "local" / "emulation" / "__main__.py"
REGION = "us-east-1"
START_SECONDS = 60.0
# The root user of the local AWS. Roles are checked; this user, like the root user of an account, may do everything.
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_DEFAULT_REGION": REGION}
# What a child may inherit. Nothing else, least of all somebody's AWS profile or API key.
INHERITED = ("PATH", "LANG", "LC_ALL", "HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy", "SSL_CERT_FILE")


@dataclass(frozen=True)
class Aws:
    """A running local AWS."""

    url: str
    certificate: Path
    log: Path
    _clients: list[Any] = field(default_factory=list)

    @property
    def env(self) -> dict[str, str]:
        """The environment in which any AWS client talks to this AWS and to no other."""
        return {
            **CREDENTIALS,
            "AWS_ENDPOINT_URL": self.url,
            "AWS_CA_BUNDLE": str(self.certificate),
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        }

    def client(self, service: str) -> Any:  # noqa: ANN401 - the caller names the type, as boto3 cannot
        """Give a boto3 client of this AWS, whatever profile, proxy or configuration the caller's shell has."""
        unset = dict.fromkeys(("profile", "config_file", "credentials_file"), (None, None, None, None))
        core = botocore.session.Session(session_vars=unset)
        session = boto3.Session(
            aws_access_key_id=CREDENTIALS["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
            region_name=REGION,
            botocore_session=core,
        )
        config = Config(proxies={}, retries={"mode": "standard", "total_max_attempts": 3})
        client = session.client(service, endpoint_url=self.url, verify=str(self.certificate), config=config)
        self._clients.append(client)
        return client

    def close(self) -> None:
        """Close the connections of all clients: the server ends when the last one is closed, or 75 s later."""
        for client in self._clients:
            client.close()


def clean_env() -> dict[str, str]:
    """Give what children may inherit, with the loopback kept from any proxy."""
    inherited = {name: os.environ[name] for name in INHERITED if name in os.environ}
    return inherited | {"NO_PROXY": "localhost,127.0.0.1,::1", "no_proxy": "localhost,127.0.0.1,::1"}


@contextmanager
def local_aws(work: Path, *, wait_scale: float = 0.02, extra: Mapping[str, str] | None = None) -> Iterator[Aws]:
    """Run the local AWS for the length of the block, with `work`, an existing directory, as its temporary one.

    `wait_scale` multiplies the seconds of Wait states and of Retry back-off; Lambda and HTTP take their real time.
    `extra` is environment for the server, such as LAMBDA_ASYNC_RETRY_BASE_SECONDS.
    Raises ProcessFailed where it does not come up.
    """
    port = _free_port()
    aws = Aws(f"https://localhost:{port}", work / "ministack-tls" / "server.crt", work / "aws.log")
    env = {
        **clean_env(),
        **CREDENTIALS,
        "HOME": str(work),
        "TMPDIR": str(work),
        "AUTH": "true",
        "USE_SSL": "1",
        "GATEWAY_PORT": str(port),
        "BIND_HOST": "127.0.0.1",
        "IOT_MTLS_ENABLED": "0",
        "SFN_WAIT_SCALE": str(wait_scale),
        "AWS_CA_BUNDLE": str(aws.certificate),  # the server hands it on to the functions, whose boto3 needs it
        **(extra or {}),
    }
    # -P: the directory of the script is not searched, so that no module there replaces one of MiniStack's.
    with running([PYTHON, "-P", EMULATION], env=env, log=aws.log, cwd=work) as server:
        _wait_until_up(aws, server)
        try:
            yield aws
        finally:
            aws.close()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _wait_until_up(aws: Aws, server: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not (aws.certificate.exists() and _is_healthy(aws)):
        if exited(server) or time.monotonic() > deadline:
            raise ProcessFailed(f"the local AWS did not start:\n{tail(aws.log)}")
        time.sleep(0.05)


def _is_healthy(aws: Aws) -> bool:
    try:
        trust = ssl.create_default_context(cafile=aws.certificate)
        return httpx.get(f"{aws.url}/_ministack/health", verify=trust, trust_env=False, timeout=5).is_success
    except (httpx.TransportError, ssl.SSLError):  # not listening yet, or the certificate is half written
        return False
