"""The local stack that `make local` has left up, found by the file that it writes for shells."""

import os
import re
import shlex
from pathlib import Path

from conveyor_cli.trouble import Trouble

NAME = "conveyor"
"""Of every local stack."""
FILE = Path(".demo") / "local.sh"
VARIABLE = "CONVEYOR_LOCAL"
"""Names the file of a local stack that is not found by its place."""
_EXPORT = re.compile(r"export ([A-Z_]+)=(.*)")


def local_environment(start: Path) -> dict[str, str]:
    """Return the environment in which every AWS client uses the local AWS only. Raises Trouble if none is up.

    `start`: the folder from which its file is looked for, upwards.
    """
    if file := local_file(start):
        return _exports(file.read_text())
    raise Trouble(
        "no-local-stack",
        "No local stack is up",
        f"No folder from {start} upwards has {FILE}, which a local stack writes while it is up. "
        "Start one in the checkout, and leave it running:",
        commands=("make local",),
    )


def local_file(start: Path) -> Path | None:
    """Return the file of the local stack that is up, looked for from a folder upwards; None if there is none."""
    if named := os.environ.get(VARIABLE):
        return Path(named)
    files = (folder / FILE for folder in (start, *start.parents))
    return next(filter(Path.is_file, files), None)


def shell_file(start: Path) -> str:
    """Return that file as it is typed in this folder; empty if there is none."""
    file = local_file(start)
    if file is None:
        return ""
    return shlex.quote(str(FILE if file == start / FILE else file.absolute()))


def _exports(text: str) -> dict[str, str]:
    found = filter(None, map(_EXPORT.fullmatch, text.splitlines()))
    return {match[1]: "".join(shlex.split(match[2])) for match in found}
