"""Processes that are measured."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from tempfile import TemporaryDirectory
from typing import Any

from bench import PROJECT


@contextmanager
def compiled() -> Iterator[None]:
    """Let all children keep their compiled modules in one place, so that no measurement but the first compiles.

    Wherever they lie they are written or not as the environment has it, and none come with the packages.
    """
    names = ("PYTHONPYCACHEPREFIX", "PYTHONDONTWRITEBYTECODE")
    before = {name: os.environ.pop(name) for name in names if name in os.environ}
    with TemporaryDirectory(prefix="conveyor-bench-") as directory:
        os.environ["PYTHONPYCACHEPREFIX"] = directory
        try:
            yield
        finally:
            del os.environ["PYTHONPYCACHEPREFIX"]
            os.environ.update(before)


def in_child(module: list[str], event: Mapping[str, Any], env: Mapping[str, str]) -> dict[str, Any]:
    """Run a module with its arguments in a process of its own; give it an event, and return what it tells."""
    command = [sys.executable, "-m", *module]
    given = json.dumps(event).encode()
    done = subprocess.run(command, input=given, env=env, cwd=PROJECT, capture_output=True, check=False)
    if done.returncode:
        raise RuntimeError(done.stderr.decode()[-2000:])
    told: dict[str, Any] = json.loads(done.stdout)
    return told
