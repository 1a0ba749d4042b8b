"""Somebody who follows a page: a shell in a checkout, with `aws`, `sam`, `conveyor` and keys of the account."""

from __future__ import annotations

import os
import shutil
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from local.stack.deployment import ENVIRONMENT, PYTHON, SAM_ENV
from tests.support.recipes.page import PROJECT, alike
from tests.support.shell.aws import Interpreter
from tests.support.shell.terminal import Terminal, interpreted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from local.stack.stack import Stack

SHOWN_HOME = "/home/anna"
_KEPT = ".variables"
_TYPED = "set -ae\n[ ! -e {kept} ] || . ./{kept}\n{lines}\nexport -p > {kept}"


@dataclass(frozen=True)
class Desk:
    """A shell whose variables stay from block to block."""

    terminal: Terminal

    @property
    def folder(self) -> Path:
        """The checkout."""
        return self.terminal.folder

    def type(self, lines: str) -> str:
        """Type the lines of a block, each of which must succeed, and return what they print."""
        return self.terminal.succeed(_TYPED.format(kept=_KEPT, lines=lines)).decode()

    def shows(self, screen: str) -> None:
        """Type the commands of a screen, and compare what they print with what is shown, but for ids and times."""
        for part in screen.removeprefix("$ ").split("\n$ "):
            command, *shown = part.replace("\\\n", "").splitlines()
            typed = self.terminal.type(_TYPED.format(kept=_KEPT, lines=f"{{ {command}\n}} 2>&1"))
            printed = typed.out.decode().replace(self.terminal.env["HOME"], SHOWN_HOME)
            assert alike(printed) == alike("\n".join(shown)), f"{command}\nprints:\n{printed}"


@contextmanager
def desk(stack: Stack, work: Path, **env: str) -> Iterator[Desk]:
    """Yield the shell of an administrator of the account, for the length of the block. `env`: more variables."""
    folder = work / "checkout"
    variables = SAM_ENV | stack.aws.env | {"HOME": str(work), "TMPDIR": str(work)} | env
    with interpreted(folder, Interpreter(stack.aws.client), variables) as terminal:
        programs = Path(terminal.env["PATH"].partition(os.pathsep)[0])
        _write(programs / "sam", f'PATH="{ENVIRONMENT}:$PATH" exec {PYTHON} -m samcli "$@"')
        _write(programs / "check-jsonschema", f'exec {sys.executable} -m check_jsonschema "$@"')
        shutil.copytree(PROJECT / "samples", folder / "samples")
        (folder / "docs").symlink_to(PROJECT / "docs")
        yield Desk(terminal)


def _write(program: Path, line: str) -> None:
    program.write_text(f"#!/bin/sh\n{line}\n")
    program.chmod(0o700)
