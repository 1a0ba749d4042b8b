"""Child processes whose use of resources is measured."""

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
    """Keep the compiled modules of all children in one directory, so that only the first measurement compiles.

    Otherwise it depends on the environment whether they are written, and packages are installed without them.
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
    """Run a module with arguments in its own process and an event as input; return what it prints."""
    command = [sys.executable, "-m", *module]
    encoded = json.dumps(event).encode()
    done = subprocess.run(command, input=encoded, env=env, cwd=PROJECT, capture_output=True, check=False)
    if done.returncode:
        raise RuntimeError(done.stderr.decode()[-2000:])
    output: dict[str, Any] = json.loads(done.stdout)
    return output
