"""A table is written row by row: memory does not grow with the run."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.answers.answered import Answered, answer
from tests.support.command import SOURCES

PEAK = """
import sys
from pathlib import Path
from conveyor_cli.main import run

code = run(sys.argv[1:])
status = Path("/proc/self/status").read_text()
print(code, next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM")) // 1024)
"""
CSV, PARQUET = (1_000, 13_000, 1_000), (3_000, 6_000, 10_000)
"""How many answers of how many bytes. Parquet has groups of 16 MB in memory, so it starts with more than one."""
MOST_GROWTH = 0.6
"""Of the bytes by which the answers are larger."""


def peak_mb(home: Path, *arguments: str) -> int:
    """Return the most memory that the command has used."""
    asked = [sys.executable, "-c", PEAK, "table", "--from", "november", "--force", *arguments]
    env = {"PYTHONPATH": SOURCES, "HOME": str(home), "LANG": "C.UTF-8"}
    done = subprocess.run(asked, cwd=home, env=env, capture_output=True, text=True, check=True)  # noqa: S603 - our own
    code, peak = done.stdout.splitlines()[-1].split()
    assert code == "0", done.stderr
    return int(peak)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("sizes", "arguments"),
    [(CSV, ("-o", "out.csv", "--join", "tickets.csv")), (PARQUET, ("-o", "out.parquet"))],
    ids=str,
)
def test_memory_does_not_grow_with_the_answers(
    answered: Answered, sizes: tuple[int, int, int], arguments: tuple[str, ...]
) -> None:
    """Nor with the table that is joined, whatever its order."""
    few, many, size = sizes
    peaks = []
    for count in (few, many):
        text = json.dumps({"label": "bug", "why": "x" * size})
        answered.write(*[answer(f"t-{number}", text) for number in range(count)])
        rows = [f"t-{number},{'y' * 200}\n" for number in reversed(range(count))]
        (answered.home / "tickets.csv").write_text("ticket,text\n" + "".join(rows))
        peaks.append(peak_mb(answered.home, *arguments))
    assert peaks[1] - peaks[0] < (many - few) * size / 1_000_000 * MOST_GROWTH, peaks
