"""Tables of any size."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.tables.test_typed import parquet
from tests.support.command import SOURCES

FEW, MANY = 2_000, 20_000
ALLOWED = 24 << 10
"""Kilobytes that the second may need more: what it writes has 40 MB. A group of rows of Parquet is held as a whole."""
MEASURE = """
import resource, sys
from conveyor_cli.main import run
code = run(sys.argv[1:])
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, file=sys.stderr)
sys.exit(code)
"""


def write(path: Path, rows: int) -> None:
    """Write a table whose rows have 2,000 characters."""
    if path.suffix == ".parquet":
        columns = "i AS id, repeat(md5(i::VARCHAR), 60) AS text"
        parquet(path.parent, f"SELECT {columns} FROM range({rows}) t(i)", path.name)  # noqa: S608 - our own
        return
    with path.open("w") as file:
        file.write("id,text\n")
        file.writelines(f"{number},{number * 7919:08x} {'x' * 1990}\n" for number in range(rows))


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_the_memory_does_not_grow_with_the_rows(tmp_path: Path, kind: str) -> None:
    """Ten times the rows need hardly more."""
    peaks = []
    (tmp_path / "prompt.md").write_text("{{ text }}")
    for rows in (FEW, MANY):
        write(tmp_path / f"{rows}.{kind}", rows)
        typed = ["prepare", f"{rows}.{kind}", "--template", "prompt.md", "--model", "m-1", "--id", "id"]
        done = subprocess.run(  # noqa: S603 - the command is our own
            [sys.executable, "-c", MEASURE, *typed],
            cwd=tmp_path,
            env={"PYTHONPATH": SOURCES, "LANG": "C.UTF-8"},
            capture_output=True,
            text=True,
            check=True,
        )
        peaks.append(int(done.stderr))
    assert peaks[1] - peaks[0] < ALLOWED
