"""A table is written row by row: memory does not grow with the run."""

import json
from pathlib import Path

import pytest

from tests.cli.answers.answered import Answered, answer
from tests.support.peaks import peaks_mb

CSV, PARQUET = (300, 2_300, 6_000), (600, 1_200, 50_000)
"""How many answers of how many bytes. Parquet has groups of 16 MB in memory, so it starts with more than one."""
MOST_GROWTH = 0.6
"""Of the bytes by which the answers are larger."""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("sizes", "arguments"),
    [(CSV, ("-o", "out.csv", "--join", "tickets.csv")), (PARQUET, ("-o", "out.parquet"))],
    ids=str,
)
def test_memory_does_not_grow_with_the_answers(
    tmp_path: Path, sizes: tuple[int, int, int], arguments: tuple[str, ...]
) -> None:
    """Nor with the table that is joined, whatever its order."""
    few, many, size = sizes
    commands = []
    for count in (few, many):
        folder = tmp_path / str(count)
        folder.mkdir()
        text = json.dumps({"label": "bug", "why": "x" * size})
        Answered(folder).write(*[answer(f"t-{number}", text) for number in range(count)])
        rows = [f"t-{number},{'y' * size}\n" for number in reversed(range(count))]
        (folder / "tickets.csv").write_text("ticket,text\n" + "".join(rows))
        files = [each if each.startswith("-") else f"{count}/{each}" for each in arguments]
        commands.append(["table", "--from", f"{count}/november", *files])
    first, second = peaks_mb(tmp_path, *commands)
    assert second - first < (many - few) * size / 1_000_000 * MOST_GROWTH
