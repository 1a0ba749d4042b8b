"""What all kinds of tables that are written have in common."""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from conveyor_cli.writing.cells import Cell

type Cells = Sequence[Cell]
type Write = Callable[[Path, "NewTable"], int]
"""Writes a table into a file, and returns how many rows it has."""


class NewTable(NamedTuple):
    """A table that is going to be written."""

    columns: Sequence[str]
    """Names, each once, whatever their case."""
    rows: Iterable[Cells]
    """Read once. Each row has a cell for each column."""
    scratch: Path
    """An empty folder for what is needed meanwhile."""


def is_parquet(file: Path) -> bool:
    """Return whether a file is Parquet. Raises OSError."""
    with file.open("rb") as opened:
        return opened.read(4) == b"PAR1"
