"""The dialects in which the histories are played."""

from typing import Any, NamedTuple


class Dialect(NamedTuple):
    """What a history needs to know of a dialect."""

    name: str
    """As the template has it."""
    server: dict[str, Any]
    """Settings of a simulated server that speaks it."""
    listing: str
    """Names the call that lists batches, as the taps do."""
    reading: str
    """Names, in part, the call that reads results."""
    sending: str
    """The call that sends the lines, as the simulated provider counts it."""


MESSAGES = Dialect("messages", {}, "GET /v1/messages/batches", "/results", "create")
FILES = Dialect("files", {}, "GET /v1/batches", "/content", "upload")
BARE_FILES = FILES._replace(server={"metadata": "ignored", "lists_files": False})

DIALECTS = {"messages": MESSAGES, "files": FILES, "bare files": BARE_FILES}
IN_DOUBT = ["messages", "bare files"]
"""Those in which a server may be unable to tell whose a batch is."""
