"""A shell in its own folder: `sh` with real tools, where `aws` is the interpreter or AWS CLI v2 itself."""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
import sys
from base64 import b64decode, b64encode
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tests.support.shell.aws import Interpreter

PROJECT = Path(__file__).parents[3]
SECONDS = 60.0
PATH = "/usr/local/bin:/usr/bin:/bin"
ASKS = """#!{python} -ISE
import json, socket, sys
from base64 import b64decode, b64encode
stdin = sys.stdin.buffer.read() if "-" in sys.argv[1:] else b""
asked = json.dumps([sys.argv[1:], b64encode(stdin).decode()]).encode()
with socket.socket(socket.AF_UNIX) as line:
    line.connect({address!r})
    line.sendall(asked)
    line.shutdown(socket.SHUT_WR)
    code, out, error = json.loads(line.makefile("rb").read())
sys.stdout.buffer.write(b64decode(out))
sys.stderr.write(error)
sys.exit(code)
"""
CONVEYOR = """#!{python} -I
import sys
sys.path[:0] = {sources!r}
from conveyor_cli.main import main
main()
"""
PASSES_ON = '#!/bin/sh\nexec {aws} --endpoint-url "$AWS_ENDPOINT_URL" "$@"\n'
"""AWS CLI before 2.13 does not read the endpoint from the environment."""


class Typed(NamedTuple):
    """A command's result."""

    exit: int
    out: bytes
    error: str


@dataclass(frozen=True)
class Terminal:
    """A shell, its folder, and its environment."""

    folder: Path
    env: Mapping[str, str]

    def type(self, command: str) -> Typed:
        """Run a command."""
        done = subprocess.run(
            ["/bin/sh", "-c", command],
            cwd=self.folder,
            env=self.env,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=SECONDS,
            check=False,
        )
        return Typed(done.returncode, done.stdout, done.stderr.decode(errors="replace"))

    def succeed(self, command: str) -> bytes:
        """Run a command that must succeed, and return its output."""
        done = self.type(command)
        assert done.exit == 0, f"{command}\nended with {done.exit}:\n{done.error}"
        return done.out


def cli_v2() -> str | None:
    """Find an installed AWS CLI v2 that also runs in the terminal's folder, where a version manager may differ."""
    folders = [*os.environ.get("PATH", "").split(os.pathsep), "/usr/bin", "/usr/local/bin"]
    for folder in dict.fromkeys(folders):
        found = shutil.which("aws", path=folder)
        if found is not None:
            version = subprocess.run(
                [found, "--version"], cwd="/", env={"PATH": PATH}, capture_output=True, text=True, check=False
            )
            if re.match("aws-cli/2", version.stdout):
                return found
    return None


@contextmanager
def interpreted(folder: Path, aws: Interpreter, more: Mapping[str, str] | None = None) -> Iterator[Terminal]:
    """Yield a terminal whose `aws` is the interpreter, for the length of the block. `folder` is created."""
    bin_ = folder.parent / f"{folder.name}-bin"
    address = str(bin_ / "aws.sock")
    _install(bin_, ASKS.format(python=sys.executable, address=address))
    folder.mkdir(exist_ok=True)
    with socket.socket(socket.AF_UNIX) as line:
        line.bind(address)
        line.listen()
        answering = Thread(target=_answer, args=(line, aws, folder))
        answering.start()
        try:
            yield Terminal(folder, {**_env(bin_), **(more or {})})
        finally:
            line.shutdown(socket.SHUT_RDWR)
            answering.join()


def installed(folder: Path, cli: str, env: Mapping[str, str]) -> Terminal:
    """Return a terminal whose `aws` is an installed CLI, with the environment for the local AWS."""
    bin_ = folder.parent / f"{folder.name}-bin"
    _install(bin_, PASSES_ON.format(aws=cli))
    folder.mkdir(exist_ok=True)
    return Terminal(folder, {**_env(bin_), **env})


def _install(bin_: Path, script: str) -> None:
    bin_.mkdir()
    sources = [str(PROJECT / "cli"), str(PROJECT / "layers" / "conveyor")]
    for name, text in (("aws", script), ("conveyor", CONVEYOR.format(python=sys.executable, sources=sources))):
        (bin_ / name).write_text(text)
        (bin_ / name).chmod(0o700)


def _env(bin_: Path) -> dict[str, str]:
    return {"PATH": f"{bin_}{os.pathsep}{PATH}", "LC_ALL": "C.UTF-8", "AWS_PAGER": ""}


def _answer(line: socket.socket, aws: Interpreter, folder: Path) -> None:
    """Answer one command after the other, until the connection is closed."""
    while True:
        try:
            caller, _ = line.accept()
        except OSError:
            return
        with caller, caller.makefile("rb") as asked:
            words, stdin = json.loads(asked.read())
            answer = aws.run(words, folder, b64decode(stdin))
            caller.sendall(json.dumps([answer.exit, b64encode(answer.out).decode(), answer.error]).encode())
