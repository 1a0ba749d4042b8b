"""The simulated provider as a child process."""

from __future__ import annotations

import json
import select
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from local.paths import ROOT
from local.process import ProcessFailed, clean_env, running, tail
from local.provider.control import Control

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator, Mapping
    from pathlib import Path

START_SECONDS = 30.0


@contextmanager
def simulated_provider(work: Path, settings: Mapping[str, Any] | None = None) -> Iterator[Control]:
    """Run the simulated provider for the length of the block; `settings`: see local/provider/settings.py.

    Raises ProcessFailed if it does not start.
    """
    log = work / "provider.log"
    command = [sys.executable, "-m", "local.provider", "--settings", json.dumps(settings or {})]
    with (
        running(command, env=clean_env(), log=log, cwd=ROOT, pipe_stdout=True) as child,
        Control(_url(child, log)) as control,
    ):
        yield control


def _url(child: subprocess.Popen[bytes], log: Path) -> str:
    """Read the line that the provider prints when it is ready."""
    line = b""
    if child.stdout is not None and select.select([child.stdout], [], [], START_SECONDS)[0]:
        line = child.stdout.readline()
    if not line:
        raise ProcessFailed(f"the simulated provider did not start:\n{tail(log)}")
    url: str = json.loads(line)["url"]
    return url
