"""Child processes that end with us, also on Ctrl-C and SIGTERM: each has a session, which is ended as a whole."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from contextlib import contextmanager, nullcontext, suppress
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path
    from types import FrameType

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
# From SIGTERM to SIGKILL. The local AWS sometimes takes longer, but does nothing that is worth the wait.
END_SECONDS = 5.0
# What a child may inherit, and nothing else: no AWS profile, no API key.
INHERITED = ("PATH", "LANG", "LC_ALL", "HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy", "SSL_CERT_FILE")


class ProcessFailed(Exception):
    """A child did not start or ended with an error; the message has the end of its log."""


@contextmanager
def interruptible() -> Iterator[None]:
    """Turn the first signal into KeyboardInterrupt, and ignore later ones, so that the clean-up is not interrupted.

    make and a terminal may both pass on the same signal, so a second one is common.
    """

    def interrupt(number: int, _frame: FrameType | None) -> None:
        for other in SIGNALS:
            signal.signal(other, lambda *_: None)
        raise KeyboardInterrupt(number)

    with _handling_signals(interrupt):
        yield


@contextmanager
def signals_deferred() -> Iterator[None]:
    """Defer signals to the end of the block, so that none comes between starting a child and keeping its number."""
    received: list[int] = []
    try:
        with _handling_signals(lambda number, _: received.append(number)):
            yield
    finally:
        for number in received[:1]:
            signal.raise_signal(number)


@contextmanager
def _handling_signals(handler: Callable[[int, FrameType | None], object]) -> Iterator[None]:
    """Set the handler of all signals for the length of the block."""
    previous = {number: signal.signal(number, handler) for number in SIGNALS}
    try:
        yield
    finally:
        for number, previous_handler in previous.items():
            signal.signal(number, previous_handler)


def clean_env() -> dict[str, str]:
    """Return the environment that children may inherit, without a proxy for the loopback."""
    inherited = {name: os.environ[name] for name in INHERITED if name in os.environ}
    return inherited | {"NO_PROXY": "localhost,127.0.0.1,::1", "no_proxy": "localhost,127.0.0.1,::1"}


@contextmanager
def running(
    command: Sequence[str | Path],
    *,
    env: Mapping[str, str],
    log: Path | None,
    cwd: Path | None = None,
    pipe_stdout: bool = False,
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a child for the length of the block.

    Its output goes to `log`; with `pipe_stdout` stdout goes to us. Without a log both go where ours go.
    """
    child: subprocess.Popen[bytes] | None = None
    try:
        with signals_deferred(), log.open("ab") if log else nullcontext() as output:
            child = subprocess.Popen(
                command,
                env=env,
                cwd=cwd,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE if pipe_stdout else output,
                stderr=output,
                start_new_session=True,
            )
        yield child
    finally:
        if child is not None:
            with signals_deferred():
                _end(child)


def run(command: Sequence[str | Path], *, env: Mapping[str, str], log: Path, cwd: Path | None = None) -> None:
    """Run a child to its end. Raises ProcessFailed if it does not exit with 0."""
    with running(command, env=env, log=log, cwd=cwd) as child:
        while not exited(child):
            time.sleep(0.05)
    if child.returncode != 0:
        start = " ".join(str(word) for word in command[:4])
        raise ProcessFailed(f"{start} … ended with {child.returncode}:\n{tail(log)}")


def exited(child: subprocess.Popen[bytes]) -> bool:
    """Return whether a child of `running` has ended, without reaping it: its process group must stay ours to end."""
    return os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None


def tail(log: Path, lines: int = 30) -> str:
    """Return the last lines of a log, for an error message."""
    return "\n".join(log.read_text(errors="replace").splitlines()[-lines:])


def _end(child: subprocess.Popen[bytes]) -> None:
    if not exited(child):
        os.killpg(child.pid, signal.SIGTERM)
        deadline = time.monotonic() + END_SECONDS
        while not exited(child) and time.monotonic() < deadline:
            time.sleep(0.02)
    # End the rest of the group, such as the workers of a server. The unreaped leader keeps the number ours.
    with suppress(PermissionError):  # macOS, if only the leader is left
        os.killpg(child.pid, signal.SIGKILL)
    child.wait()
    pipe: IO[bytes] | None = child.stdout
    if pipe is not None:
        pipe.close()
