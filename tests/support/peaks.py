"""The most memory that commands of one process have used, one after the other."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

from tests.support.command import SOURCES

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_MEASURE = """
import json, re, sys
from conveyor_cli.main import run

for arguments in json.loads(sys.argv[1]):
    code = run(arguments)
    with open("/proc/self/status") as status:
        print(json.dumps([code, int(re.search(r"VmHWM:\\s+(\\d+) kB", status.read())[1])]), file=sys.stderr)
"""


def peaks_mb(home: Path, *commands: list[str], env: Mapping[str, str] | None = None) -> list[float]:
    """Return the peak after each command, all of which must succeed. Later ones may use again what was freed."""
    done = subprocess.run(  # noqa: S603 - the commands are our own
        [sys.executable, "-c", _MEASURE, json.dumps(commands)],
        cwd=home,
        env={"PYTHONPATH": SOURCES, "HOME": str(home), "LANG": "C.UTF-8", **(env or {})},
        capture_output=True,
        text=True,
        check=True,
    )
    told = [json.loads(line) for line in done.stderr.splitlines() if line.startswith("[")]
    assert [code for code, _ in told] == [0] * len(commands), done.stderr
    return [kilobytes / 1024 for _, kilobytes in told]
