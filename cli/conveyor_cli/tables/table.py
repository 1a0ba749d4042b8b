"""A table: its columns, and its rows one after the other."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

type Columns = tuple[str, ...]


class Attached(NamedTuple):
    """A file that is sent beside the text of a prompt."""

    block: dict[str, Any]
    """A block of content of the Messages API."""
    words: str
    """What it is."""


class Row(NamedTuple):
    """One row. What it holds is in memory only until the next one is read."""

    number: int
    """Counted from 1, without the row that names the columns."""
    values: Sequence[Any]
    """A value for each column: see `values`."""
    problem: str = ""
    """Why it cannot be used. Quotes no cell."""
    attached: Attached | None = None


class Note(NamedTuple):
    """What a person should know about a table that can be used."""

    code: str
    words: str
    rows: int = 0
    """How many rows it is about."""
    column: str = ""
    """The column it is about, if it is one."""


class Table(NamedTuple):
    """What was opened. Its rows are read once."""

    name: str
    """Of the file."""
    columns: Columns
    rows: Iterator[Row]
    notes: list[Note]
    """Filled while the rows are read."""
    binary: frozenset[str] = frozenset()
    """Columns whose values are bytes: they are neither text nor JSON."""
    id_column: str = "custom_id"
    """The column that has ids unless another one is named, if there is such a column."""
    content: str | None = None
    """The column with the whole content of a file, which is carried along only if it is named."""
    close: Callable[[], object] = tuple
    """Ends the reading of its rows."""


class Reading(NamedTuple):
    """What a person said about how a file is to be read."""

    sheet: str | None = None
    separator: str | None = None
    encoding: str | None = None
    besides: tuple[Path, ...] = ()
    """Files that are no content, though they may be in the folder: prompts and the schema."""
