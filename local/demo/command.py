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
from local.stack.deployment import STACK_NAME
from local.stack.local_aws import REGION

if TYPE_CHECKING:
    from rich.console import Console

    from local.stack.stack import Stack

SOURCES = os.pathsep.join(str(ROOT / folder) for folder in ("cli", "layers/conveyor"))
LOOKS = ("TERM", "COLORTERM", "NO_COLOR", "LC_CTYPE", "COLUMNS", "LINES")
"""Variables by which the command sees what the terminal can show."""
PLACE = ("--stack", STACK_NAME, "--region", REGION)


def conveyor(stack: Stack, console: Console, seconds: float, *arguments: str) -> int:
    """Run the command, whose output goes where ours goes; returns its exit code. Raises TimeoutError."""
    print_text(console, f"$ {shlex.join(('conveyor', *arguments))}")
    console.file.flush()
    looks = {name: os.environ[name] for name in LOOKS if name in os.environ}
    env = {**clean_env(), **stack.aws.env, **looks, "HOME": str(stack.work), "PYTHONPATH": SOURCES}
    typed = [sys.executable, "-m", "conveyor_cli", *arguments, *PLACE]
    deadline = time.monotonic() + seconds
    try:
        with running(typed, env=env, log=None, cwd=ROOT) as child:
            while not exited(child):
                if time.monotonic() > deadline:
                    raise TimeoutError(f"{shlex.join(typed[1:])}: no end within {seconds:g} s\n{stack.describe()}")
                time.sleep(0.05)
    finally:
        console.show_cursor()  # of a frame that was interrupted
    print_text(console, "")
    return child.returncode
