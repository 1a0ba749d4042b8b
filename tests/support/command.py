"""The command `conveyor` as a program: with a terminal or without one, in an environment of its own."""

from __future__ import annotations

import io
import os
import re
import resource
import subprocess
import sys
from contextlib import chdir, contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path
from signal import SIGINT
from threading import Thread
from typing import TYPE_CHECKING, NamedTuple
from unittest.mock import patch

from conveyor_cli.main import run
from tests.support.terminal import call_in_terminal, converse, open_terminal

if TYPE_CHECKING:
    from collections.abc import Iterator
    from threading import Event

PROJECT = Path(__file__).parents[2]
SOURCES = f"{PROJECT / 'cli'}{os.pathsep}{PROJECT / 'layers' / 'conveyor'}"
SECONDS = 60
_CODES = re.compile(r"\x1b\[[0-9;]*m")
AS_IN_FRONT = """
import os, signal, sys
signal.signal(signal.SIGINT, signal.SIG_DFL)
os.execv(sys.orig_argv[0], sys.orig_argv[:1] + sys.argv[1:])
"""
"""Lets a program get Ctrl-C also where the tests run in the background of a shell, which ignores it for all of them."""


WITH_TERMINAL = """
import fcntl, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
"""
"""Makes the terminal that of a program in a session of its own: keys that are typed there reach it as signals."""


class Ran(NamedTuple):
    """How the command ended, and what it wrote. In a terminal both streams are in `out`."""

    exit: int
    out: str
    error: str = ""

    @property
    def plain(self) -> str:
        """What it wrote, without colours."""
        return _CODES.sub("", self.out)


class Command:
    """The command, with a home and an environment of its own."""

    def __init__(self, home: Path, env: dict[str, str]) -> None:
        """Take the folder of the user, and the variables of AWS."""
        self.home = home
        self.env = {
            "HOME": str(home),
            "PATH": "/usr/bin:/bin",
            "LANG": "C.UTF-8",
            "TERM": "xterm",
            "PYTHONPATH": SOURCES,
            "AWS_EC2_METADATA_DISABLED": "true",
            **env,
        }

    def call(self, *arguments: str, **env: str) -> Ran:
        """Run it in this process, without a terminal: that is much faster."""
        out, error = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8") for _ in range(2))
        with (
            self.environment(**env),
            redirect_stdout(out),
            redirect_stderr(error),
        ):
            code = run(list(arguments))
        out.seek(0)
        error.seek(0)
        return Ran(code, out.read(), error.read())

    @contextmanager
    def environment(self, **env: str) -> Iterator[None]:
        """Be the user in this process for the length of a block."""
        with patch.dict(os.environ, self._with(env), clear=True), chdir(self.home):
            yield

    def run(self, *arguments: str, **env: str) -> Ran:
        """Run it without a terminal."""
        return self.limited(resource.RLIM_INFINITY, *arguments, **env)

    def limited(self, most_bytes: int, *arguments: str, **env: str) -> Ran:
        """Do the same, where no file that it writes may be larger."""
        done = subprocess.run(
            self._typed(arguments),
            cwd=self.home,
            env=self._with(env),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=SECONDS,
            check=False,
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (most_bytes, most_bytes)),
        )
        return Ran(done.returncode, done.stdout.decode(), done.stderr.decode())

    def in_shell(self, line: str) -> Ran:
        """Type a line into a shell, where `conveyor` is the command. The exit code is that of the first that failed."""
        typed = line.replace("conveyor", f"{sys.executable} -m conveyor_cli")
        done = subprocess.run(
            ["/bin/bash", "-o", "pipefail", "-c", typed],
            cwd=self.home,
            env=self.env,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=SECONDS,
            check=False,
        )
        return Ran(done.returncode, done.stdout.decode(), done.stderr.decode())

    def call_in_terminal(self, *arguments: str, columns: int = 80, typed: str = "", **env: str) -> Ran:
        """Run it in this process, in a terminal that is so wide. `typed`: the answers to its questions, a line each."""
        with self.environment(**env):
            code, written = call_in_terminal(lambda: run(list(arguments)), columns, typed)
        return Ran(code, written)

    def in_terminal(self, *arguments: str, columns: int = 80, typed: str = "", **env: str) -> Ran:
        """Do the same as a program."""
        ours, theirs = open_terminal(columns)
        with subprocess.Popen(
            self._typed(arguments), cwd=self.home, env=self._with(env), stdin=theirs, stdout=theirs, stderr=theirs
        ) as process:
            os.close(theirs)
            written = converse(ours, typed)
        assert process.returncode >= 0, f"ended by signal {-process.returncode}"
        return Ran(process.returncode, written)

    def interrupted_in_terminal(self, when: Event, *arguments: str, columns: int = 80) -> Ran:
        """Run it in a terminal of its own, and type Ctrl-C once an event has come."""
        ours, theirs = open_terminal(columns)
        with subprocess.Popen(
            [sys.executable, "-c", WITH_TERMINAL + AS_IN_FRONT, *self._typed(arguments)[1:]],
            cwd=self.home,
            env=self.env,
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
        ) as process:
            os.close(theirs)
            keyboard = os.dup(ours)
            typist = Thread(target=lambda: when.wait(SECONDS) and os.write(keyboard, b"\x03"))
            typist.start()
            written = converse(ours)
            typist.join()
            os.close(keyboard)
        return Ran(process.returncode, written)

    def interrupted(self, when: Event, *arguments: str, by: int = SIGINT) -> Ran:
        """Run it without a terminal, and send what Ctrl-C sends, or another signal, once an event has come."""
        with subprocess.Popen(
            [sys.executable, "-c", AS_IN_FRONT, *self._typed(arguments)[1:]],
            cwd=self.home,
            env=self.env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        ) as process:
            assert when.wait(SECONDS)
            process.send_signal(by)
            out, error = process.communicate(timeout=SECONDS)
        return Ran(process.returncode, out.decode(), error.decode())

    def _typed(self, arguments: tuple[str, ...]) -> list[str]:
        return [sys.executable, "-m", "conveyor_cli", *arguments]

    def _with(self, env: dict[str, str]) -> dict[str, str]:
        """Return the environment with some variables changed; an empty one is left out."""
        return {name: value for name, value in {**self.env, **env}.items() if value}
