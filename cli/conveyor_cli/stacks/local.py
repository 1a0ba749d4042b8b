"""The local stack that `make local` has left up, found by the file that it writes for shells."""

import re
import shlex
from pathlib import Path

from conveyor_cli.trouble import Trouble

NAME = "conveyor"
"""Of every local stack."""
FILE = Path(".demo") / "local.sh"
_EXPORT = re.compile(r"export ([A-Z_]+)=(.*)")


def local_environment(start: Path) -> dict[str, str]:
    """Return the environment in which every AWS client uses the local AWS only. Raises Trouble if none is up.

    `start`: the folder from which its file is looked for, upwards.
    """
    for folder in (start, *start.parents):
        if (folder / FILE).is_file():
            return _exports((folder / FILE).read_text())
    raise Trouble(
        "no-local-stack",
        "No local stack is up",
        f"No folder from {start} upwards has {FILE}, which a local stack writes while it is up. "
        "Start one in the checkout, and leave it running:",
        commands=("make local",),
    )


def _exports(text: str) -> dict[str, str]:
    found = filter(None, map(_EXPORT.fullmatch, text.splitlines()))
    return {match[1]: "".join(shlex.split(match[2])) for match in found}
