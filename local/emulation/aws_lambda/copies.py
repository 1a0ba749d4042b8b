"""Processes of functions are copies of one that has imported the libraries of their layers.

Those of MiniStack import boto3 and all else again, which is most of a cold start here. On Linux only: elsewhere a
process may not be copied safely.
"""

from __future__ import annotations

import json
import os
import select
import signal
import socket
import subprocess
import sys
import threading
import weakref
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from ministack.core import lambda_runtime

from local.emulation.aws_lambda import copying

MODULES = "LAMBDA_MODULES"
"""The variable with the names of modules that are imported once, separated by commas."""
LAYERS = "_LAMBDA_LAYERS_DIRS"
COPYING = Path(__file__).with_name("copying.py")

making = threading.Lock()
originals: dict[tuple[str, ...], Original] = {}
"""By the folders of their layers."""


def patch() -> None:
    """Apply the patch."""
    if os.environ.get(MODULES) and sys.platform == "linux":
        lambda_runtime.subprocess = SimpleNamespace(**vars(subprocess) | {"Popen": _started})


def _started(command: list[str], **options: Any) -> Copy | subprocess.Popen[Any]:  # noqa: ANN401 - see `subprocess`
    """Start a process as `subprocess` does."""
    layers = options.get("env", {}).get(LAYERS)
    if not layers or command[0] != sys.executable:
        return subprocess.Popen(command, **options)
    folders = tuple(str(Path(layer).resolve() / "python") for layer in layers.split(os.pathsep))
    with making:
        original = originals.get(folders)
        if original is None or not original.is_alive:
            original = originals[folders] = Original(folders)
        return Copy(original, {"program": command[1], "cwd": options["cwd"], "env": options["env"]})


class Original:
    """The process that is copied."""

    def __init__(self, folders: tuple[str, ...]) -> None:
        """Start it. It imports while the first copy is awaited."""
        self._line, theirs = socket.socketpair()
        arguments = json.dumps([folders, os.environ[MODULES].split(",")])
        with theirs:
            self._process = subprocess.Popen([sys.executable, "-P", str(COPYING), arguments], stdin=theirs.fileno())

    @property
    def is_alive(self) -> bool:
        """Whether it can be copied."""
        return self._process.poll() is None

    def copy(self, asked: dict[str, Any], streams: list[int]) -> int:
        """Return the number of a new process. Raises OSError if there is none."""
        data = json.dumps(asked).encode()
        socket.send_fds(self._line, [copying.LENGTH.pack(len(data))], streams)
        self._line.sendall(data)
        answer = self._line.recv(copying.LENGTH.size, socket.MSG_WAITALL)
        if not answer:
            raise OSError("the process with the libraries of functions has ended")
        (number,) = copying.LENGTH.unpack(answer)
        return int(number)


class Copy:
    """A process of a function: what MiniStack uses of `subprocess.Popen`."""

    def __init__(self, original: Original, asked: dict[str, Any]) -> None:
        """Start it."""
        (stdin, into), (out, stdout), (errors, stderr) = os.pipe(), os.pipe(), os.pipe()
        try:
            self.pid = original.copy(asked, [stdin, stdout, stderr])
        finally:
            for theirs in (stdin, stdout, stderr):
                os.close(theirs)
        self.stdin, self.stdout, self.stderr = os.fdopen(into, "w", 1), os.fdopen(out), os.fdopen(errors)
        self._handle = os.pidfd_open(self.pid)
        weakref.finalize(self, os.close, self._handle)

    def poll(self) -> int | None:
        """Return None while it runs. Only its original knows how it ended."""
        return 0 if self._has_ended(0) else None

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end. Raises TimeoutExpired."""
        if not self._has_ended(timeout):
            raise subprocess.TimeoutExpired(str(self.pid), timeout or 0)
        return 0

    def terminate(self) -> None:
        """Ask it to end."""
        self._send(signal.SIGTERM)

    def kill(self) -> None:
        """End it."""
        self._send(signal.SIGKILL)

    def _send(self, number: signal.Signals) -> None:
        with suppress(ProcessLookupError):
            signal.pidfd_send_signal(self._handle, number)

    def _has_ended(self, seconds: float | None) -> bool:
        end = select.poll()
        end.register(self._handle, select.POLLIN)
        return bool(end.poll(None if seconds is None else seconds * 1000))
