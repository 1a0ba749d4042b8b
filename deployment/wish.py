"""What was typed beside `make deploy`."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


@dataclass(frozen=True)
class Wish:
    """What is given, and therefore not asked. None: nothing is given."""

    stack: str | None = None
    region: str | None = None
    email: str | None = None
    secret: str | None = None
    workspace: str | None = None
    parameters: Mapping[str, str] = field(default_factory=dict)
    """Of the template, by name."""
    settings: Path | None = None
    """The file of the stack, if it is elsewhere."""
    built: Path | None = None
    """The folder of a build that exists."""
    yes: bool = False
    accept_loss: bool = False
    doctor: bool = True

    def given(self) -> dict[str, str]:
        """Return the parameters that are given, also by a word of their own."""
        words = {"NotificationEmail": self.email, "ApiKeySecretName": self.secret, "WorkspaceId": self.workspace}
        named = {name: value for name, value in words.items() if value is not None}
        signed = {"Auth": "aws"} if self.workspace else {}
        return signed | named | dict(self.parameters)
