"""The command `conveyor` as a person types it: a program of its own, in the environment of the local AWS."""

from __future__ import annotations

import os
import shlex
import sys
import time
from typing import TYPE_CHECKING

from local.demo.output import print_text
from local.paths import ROOT
from local.process import clean_env, exited, running

if TYPE_CHECKING:
    from pathlib import Path

    from rich.console import Console

    from local.stack.stack import Stack

SOURCES = os.pathsep.join(str(ROOT / folder) for folder in ("cli", "layers/conveyor"))
LOOKS = ("TERM", "COLORTERM", "NO_COLOR", "LC_CTYPE", "COLUMNS", "LINES")
"""Variables by which the command sees what the terminal can show."""
LOCAL = "--local"
"""As a person types it who has left `make local` up: the commands that are shown can be typed there."""


def conveyor(stack: Stack, console: Console, seconds: float, *arguments: str) -> int:
    """Run the command, whose output goes where ours goes; returns its exit code. Raises TimeoutError."""
    print_text(console, f"$ {shlex.join(('conveyor', *arguments, LOCAL))}")
    console.file.flush()
    looks = {name: os.environ[name] for name in LOOKS if name in os.environ}
    found = {"CONVEYOR_LOCAL": str(_shell_file(stack)), "HOME": str(stack.work), "PYTHONPATH": SOURCES}
    typed = [sys.executable, "-m", "conveyor_cli", *arguments, LOCAL]
    deadline = time.monotonic() + seconds
    try:
        with running(typed, env=clean_env() | looks | found, log=None, cwd=ROOT) as child:
            while not exited(child):
                if time.monotonic() > deadline:
                    raise TimeoutError(f"{shlex.join(typed[1:])}: no end within {seconds:g} s\n{stack.describe()}")
                time.sleep(0.05)
    finally:
        console.show_cursor()  # of a frame that was interrupted
    print_text(console, "")
    return child.returncode


def _shell_file(stack: Stack) -> Path:
    """Write the file by which the command finds this stack, and not one that `make local` has left up."""
    file = stack.work / "local.sh"
    file.write_text("".join(f"export {name}={shlex.quote(value)}\n" for name, value in stack.aws.env.items()))
    return file
