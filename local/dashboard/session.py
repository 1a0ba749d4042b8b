"""The AWS of a local stack: that of the shell, or of the file that `make local` writes."""

from __future__ import annotations

import os
import re
import shlex
from typing import TYPE_CHECKING, Any

import boto3

from local.paths import EXPORTS

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

STACK = "conveyor"
"""The name of every local stack."""
ENDPOINT = "AWS_ENDPOINT_URL"
_EXPORT = re.compile(r"export (AWS_[A-Z_]+)=(.*)")


class NotShown(Exception):
    """Nothing can be shown; the text says why, and what to type."""


class Session:
    """Clients of one AWS."""

    def __init__(self, environment: Mapping[str, str] = os.environ, file: Path = EXPORTS) -> None:
        """Read where it is. Never is it the real AWS. Raises NotShown."""
        if ENDPOINT not in environment:
            if not file.exists():
                raise NotShown(
                    "No local stack is up. Start one in another terminal, and leave it running:\n    make local"
                )
            found = filter(None, map(_EXPORT.fullmatch, file.read_text().splitlines()))
            environment = {match[1]: "".join(shlex.split(match[2])) for match in found}
        self._environment = environment

    def client(self, service: str) -> Any:  # noqa: ANN401 - boto3's clients have no types here
        """Return a client."""
        given = self._environment
        session = boto3.Session(
            given["AWS_ACCESS_KEY_ID"], given["AWS_SECRET_ACCESS_KEY"], region_name=given["AWS_DEFAULT_REGION"]
        )
        return session.client(service, endpoint_url=given[ENDPOINT], verify=given.get("AWS_CA_BUNDLE"))
