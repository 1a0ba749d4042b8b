"""Tables of any size."""

from pathlib import Path

import pytest

from tests.cli.tables.test_typed import parquet
from tests.support.peaks import peaks_mb

SIZES = {"csv": (1_000, 10_000, 12), "parquet": (2_000, 20_000, 24)}
"""Rows of two tables, and the megabytes that the second may need more: it has 18 or 36 MB more.

A group of rows of Parquet is held as a whole, and several of them.
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
@pytest.mark.parametrize("kind", SIZES)
def test_the_memory_does_not_grow_with_the_rows(tmp_path: Path, kind: str) -> None:
    """Ten times the rows need hardly more."""
    few, many, allowed = SIZES[kind]
    (tmp_path / "prompt.md").write_text("{{ text }}")
    peaks = []
    for rows in (few, many):
        write(tmp_path / f"{rows}.{kind}", rows)
        typed = ["prepare", f"{rows}.{kind}", "--template", "prompt.md", "--model", "m-1", "--id", "id"]
        peaks += peaks_mb(tmp_path, typed)
    assert peaks[1] - peaks[0] < allowed
