"""Child processes that never outlive us: each in a session of its own, ended as a whole, also on Ctrl-C and SIGTERM."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from contextlib import contextmanager, suppress
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path
    from types import FrameType

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
# From SIGTERM to SIGKILL. The local AWS sometimes takes longer to end by itself, but has nothing worth waiting for.
END_SECONDS = 5.0


class ProcessFailed(Exception):
    """A child did not do what it was started for; the message carries the end of its log."""


@contextmanager
def interruptible() -> Iterator[None]:
    """Turn the first of these signals into KeyboardInterrupt and ignore the later ones, so that clean-up is never cut.

    make and a terminal may both pass the same signal on, so a second one is usual.
    """

    def end(number: int, _frame: FrameType | None) -> None:
        for each in SIGNALS:
            signal.signal(each, lambda *_: None)
        raise KeyboardInterrupt(number)

    before = {each: signal.signal(each, end) for each in SIGNALS}
    try:
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)


@contextmanager
def held() -> Iterator[None]:
    """Hold SIGINT and SIGTERM back until the end of the block: none falls between starting a child and noting it."""
    came: list[int] = []
    before = {each: signal.signal(each, lambda number, _: came.append(number)) for each in SIGNALS}
    try:
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)
        for number in came[:1]:
            signal.raise_signal(number)


@contextmanager
def running(
    command: Sequence[str | Path], *, env: Mapping[str, str], log: Path, cwd: Path | None = None, answers: bool = False
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a child for the length of the block; its output goes to `log`, or stdout to us where it `answers`."""
    child: subprocess.Popen[bytes] | None = None
    try:
        with held(), log.open("ab") as output:
            child = subprocess.Popen(
                command,
                env=env,
                cwd=cwd,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE if answers else output,
                stderr=output,
                start_new_session=True,
            )
        yield child
    finally:
        if child is not None:
            with held():
                _end(child)


def run(command: Sequence[str | Path], *, env: Mapping[str, str], log: Path, cwd: Path | None = None) -> None:
    """Run a child to its end. Raises ProcessFailed where it does not exit with 0."""
    with running(command, env=env, log=log, cwd=cwd) as child:
        while not exited(child):
            time.sleep(0.05)
    if child.returncode != 0:
        words = " ".join(str(word) for word in command[:4])
        raise ProcessFailed(f"{words} … ended with {child.returncode}:\n{tail(log)}")


def exited(child: subprocess.Popen[bytes]) -> bool:
    """Whether a child of `running` has ended. Leaves it unreaped, so that its process group stays ours to end."""
    return os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None


def tail(log: Path, lines: int = 30) -> str:
    """Give the last lines of a log, for an error message."""
    return "\n".join(log.read_text(errors="replace").splitlines()[-lines:])


def _end(child: subprocess.Popen[bytes]) -> None:
    if not exited(child):
        os.killpg(child.pid, signal.SIGTERM)
        deadline = time.monotonic() + END_SECONDS
        while not exited(child) and time.monotonic() < deadline:
            time.sleep(0.02)
    # What is left of the group, the workers of a killed server among it. The unreaped leader keeps the number ours.
    with suppress(PermissionError):  # macOS, where nobody but the leader is left
        os.killpg(child.pid, signal.SIGKILL)
    child.wait()
    pipe: IO[bytes] | None = child.stdout
    if pipe is not None:
        pipe.close()
