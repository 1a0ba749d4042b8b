"""What the user chose for `make demo` and `make local`, in environment variables.

FILE, API, AUTH, LIVE, API_URL, PARAMETERS and ANTHROPIC_API_KEY: make passes them on.
"""

from __future__ import annotations

import shlex
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from local.paths import ARTICLES, SAMPLE
from local.stack.start import PLACEHOLDER_KEY, Api

if TYPE_CHECKING:
    from collections.abc import Mapping

LIVE_URL = "https://api.anthropic.com"
MESSAGES, FILES, FILES_OPENAI = "messages", "files", "files-openai"
BATCH_APIS = (MESSAGES, FILES, FILES_OPENAI)
LOOPBACK = ("localhost", "127.0.0.1", "::1")
SIMULATED_SCALE, REAL_SCALE = 0.02, 1.0  # factors for the seconds of every wait in the state machine


class InvalidChoice(Exception):
    """A choice is wrong, or two exclude each other; the message says what to type instead."""


@dataclass(frozen=True)
class Choices:
    """What the user chose."""

    file: Path | None
    """None: the samples."""
    api: Api | None
    """None: the simulated provider."""
    batch_api: str = MESSAGES
    other_parameters: dict[str, str] = field(default_factory=dict)
    """Further parameters of the template."""

    @property
    def parameters(self) -> dict[str, str]:
        """The parameters of the template that are not at their defaults."""
        return {"BatchApi": self.batch_api} | self.other_parameters

    @property
    def drops(self) -> list[Path]:
        """The files to drop: the user's, or the sample, after that of the tutorial for API=files."""
        if self.file is not None:
            return [self.file]
        return [ARTICLES, SAMPLE] if self.batch_api == FILES else [SAMPLE]

    @property
    def is_remote(self) -> bool:
        """Whether the server is on another machine: waits are real, and requests may cost money."""
        return self.api is not None and urlsplit(self.api.url).hostname not in LOOPBACK

    @property
    def wait_scale(self) -> float:
        """The factor for the seconds of every wait in the state machine."""
        return REAL_SCALE if self.is_remote else SIMULATED_SCALE


def read_choices(env: Mapping[str, str]) -> Choices:
    """Read the choices from environment variables. Raises InvalidChoice."""
    file = _file(env.get("FILE", ""))
    batch_api = env.get("API") or MESSAGES
    if batch_api not in BATCH_APIS:
        raise InvalidChoice(f"API={batch_api} is not supported; use one of {', '.join(BATCH_APIS)}")
    parameters = _parameters(env.get("PARAMETERS", "")) | ({"Auth": env["AUTH"]} if env.get("AUTH") else {})
    url, key, is_live = env.get("API_URL", ""), env.get("ANTHROPIC_API_KEY", ""), env.get("LIVE", "") not in {"", "0"}
    if parameters.get("Auth") == "aws" and (url or is_live or batch_api != MESSAGES):
        raise InvalidChoice(
            "AUTH=aws needs the simulated provider and API=messages; to use Claude Platform on AWS, deploy to AWS"
        )
    api = _live_api(batch_api, url, key) if is_live else Api(_check_url(url), key or PLACEHOLDER_KEY) if url else None
    return Choices(file, api, batch_api, parameters)


def _file(name: str) -> Path | None:
    """Check the file to drop. Raises InvalidChoice."""
    if not name:
        return None
    file = Path(name).expanduser()
    if file.is_dir():
        raise InvalidChoice(f"FILE={name} is a directory; name one .jsonl file")
    if not file.is_file():
        raise InvalidChoice(f"FILE={name}: no such file in {Path.cwd()}")
    if not file.stat().st_size:
        raise InvalidChoice(f"FILE={name} is empty, and an empty upload is ignored; name a file with requests")
    return file


def _parameters(text: str) -> dict[str, str]:
    """Read parameters of the template: `Auth=bearer DeleteFiles=yes`. Raises InvalidChoice."""
    pairs = [pair.partition("=") for pair in shlex.split(text)]
    if wrong := next((name for name, equals, _ in pairs if not equals), None):
        raise InvalidChoice(f"PARAMETERS: {wrong} is not Name=value; write PARAMETERS='Auth=bearer DeleteFiles=yes'")
    return {name: value for name, _, value in pairs}


def _live_api(batch_api: str, url: str, key: str) -> Api:
    """Return Anthropic's API. Raises InvalidChoice."""
    if batch_api != MESSAGES:
        raise InvalidChoice(f"LIVE=1 uses Anthropic's API, which has no API={batch_api}; name a server with API_URL")
    if url:
        raise InvalidChoice("LIVE=1 uses Anthropic's API and API_URL another server; give one of the two")
    if not key:
        raise InvalidChoice("LIVE=1 needs a key: ANTHROPIC_API_KEY=sk-ant-… make demo LIVE=1")
    return Api(LIVE_URL, key)


def _check_url(url: str) -> str:
    parts = urlsplit(url)
    is_loopback = parts.hostname in LOOPBACK
    if (parts.scheme == "https" and parts.hostname) or (parts.scheme == "http" and is_loopback):
        return url.rstrip("/")
    raise InvalidChoice(f"API_URL={url} must be https://…; http:// is accepted for localhost, 127.0.0.1 and [::1] only")
