"""The dialects in which the histories are run."""

from collections.abc import Mapping
from typing import Any, NamedTuple, Protocol


class Dialect(NamedTuple):
    """The properties of a dialect that a history needs."""

    name: str
    """The value of the template parameter BatchApi."""
    server: dict[str, Any]
    """Settings of a simulated server for this dialect."""
    listing: str
    """The call that lists batches, as the taps name it."""
    reading: str
    """Part of the name of the call that reads results."""
    sending: str
    """The call that sends the lines, as named in the provider's statistics."""


MESSAGES = Dialect("messages", {}, "GET /v1/messages/batches", "/results", "create")
FILES = Dialect("files", {}, "GET /v1/batches", "/content", "upload")
BARE_FILES = FILES._replace(server={"metadata": "ignored", "lists_files": False})

DIALECTS = {"messages": MESSAGES, "files": FILES, "bare files": BARE_FILES}
TELLING = ["files"]
"""A server that shows which run a batch belongs to. It differs from the others only after a lost response."""
IN_DOUBT = ["messages", "bare files"]
"""Dialects in which the server may not show which run a batch belongs to."""


class Faulty(Protocol):
    """A scenario of a history."""

    faults: list[dict[str, Any]]


def by_dialect(scenarios: Mapping[str, Faulty]) -> list[tuple[str, str]]:
    """Return scenarios by dialect and name. Where dialects differ only after a lost response, one plays the others."""
    return [
        (dialect, name)
        for name, scenario in scenarios.items()
        for dialect in DIALECTS
        if dialect == "messages" or (scenario.faults and dialect in IN_DOUBT)
    ]
