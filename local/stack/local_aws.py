"""The local AWS: MiniStack as a child process on a free port of the loopback, with IAM policies and TLS enforced."""

from __future__ import annotations

import os
import socket
import ssl
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Lock
from typing import TYPE_CHECKING, Any

import boto3
import botocore.session
import httpx
from botocore.config import Config

from local.paths import ROOT
from local.process import ProcessFailed, clean_env, exited, running, tail

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator, Mapping
    from pathlib import Path

PYTHON = ROOT / ".venv" / "aws" / "bin" / "python"
EMULATION = ROOT / "local" / "emulation" / "__main__.py"
REGION = "us-east-1"
START_SECONDS = 60.0
# The root user of the local AWS, who may do everything; roles are checked.
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_DEFAULT_REGION": REGION}


@dataclass(frozen=True)
class Aws:
    """A running local AWS."""

    url: str
    certificate: Path
    log: Path
    _clients: dict[str, Any] = field(default_factory=dict)
    _building: Lock = field(default_factory=Lock)

    @property
    def env(self) -> dict[str, str]:
        """The environment in which every AWS client uses this AWS only."""
        return {
            **CREDENTIALS,
            "AWS_ENDPOINT_URL": self.url,
            "AWS_CA_BUNDLE": str(self.certificate),
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        }

    def client(self, service: str) -> Any:  # noqa: ANN401 - the caller names the type, as boto3 cannot
        """Return the boto3 client of a service, independent of the profile, proxy and configuration of the shell."""
        with self._building:
            if service not in self._clients:
                self._clients[service] = self._build(service)
            return self._clients[service]

    def _build(self, service: str) -> Any:  # noqa: ANN401
        unset = dict.fromkeys(("profile", "config_file", "credentials_file"), (None, None, None, None))
        core = botocore.session.Session(session_vars=unset)
        session = boto3.Session(
            aws_access_key_id=CREDENTIALS["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
            region_name=REGION,
            botocore_session=core,
        )
        config = Config(proxies={}, retries={"mode": "standard", "total_max_attempts": 3})
        return session.client(service, endpoint_url=self.url, verify=str(self.certificate), config=config)

    def close(self) -> None:
        """Close the connections of all clients, for which the server would wait up to 75 s at its end."""
        for client in self._clients.values():
            client.close()


@contextmanager
def local_aws(work: Path, *, wait_scale: float = 0.02, extra: Mapping[str, str] | None = None) -> Iterator[Aws]:
    """Run the local AWS for the length of the block; `work`, an existing directory, holds its temporary files.

    `wait_scale` multiplies the seconds of Wait states and of Retry back-off; Lambda and HTTP take their real time.
    `extra` is environment of the server, such as LAMBDA_ASYNC_RETRY_BASE_SECONDS.
    Raises ProcessFailed if it does not start.
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
        "AWS_CA_BUNDLE": str(aws.certificate),  # passed on to the functions, whose boto3 needs it
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
