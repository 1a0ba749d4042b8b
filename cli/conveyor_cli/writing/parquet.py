"""Tables as Parquet, through DuckDB. Each column has the type that all of its values have, and else it is text."""

import glob
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import date, datetime, time
from enum import Flag, auto
from pathlib import Path
from types import NoneType

import duckdb
import msgspec

from conveyor_cli.trouble import Trouble
from conveyor_cli.writing.cells import Cell, Nested, Number, plain
from conveyor_cli.writing.table import Cells, NewTable

_LARGEST_EXACT = 2**53
_BITS_64 = range(-(2**63), 2**63)
_LEAST_BUFFER = 1 << 24
_IS_LEFT_OUT = "left_out"
_LEFT_OUT = b'{"left_out":"yes"}\n'
_INTEGER = re.compile(r"-?[0-9]+")


class Kind(Flag):
    """What the values of a column are."""

    BOOLEAN = auto()
    INTEGER = auto()
    LARGE = auto()
    """Integers of 64 bits that a floating point number does not have."""
    NUMBER = auto()
    DAY = auto()
    MOMENT = auto()
    MOMENT_IN_ZONE = auto()
    TIME = auto()
    TEXT = auto()


_NONE = Kind(0)
_TYPES = {
    Kind.BOOLEAN: "BOOLEAN",
    Kind.INTEGER: "BIGINT",
    Kind.LARGE: "BIGINT",
    Kind.INTEGER | Kind.LARGE: "BIGINT",
    Kind.NUMBER: "DOUBLE",
    Kind.NUMBER | Kind.INTEGER: "DOUBLE",
    Kind.DAY: "DATE",
    Kind.MOMENT: "TIMESTAMP",
    Kind.MOMENT_IN_ZONE: "TIMESTAMPTZ",
    Kind.TIME: "TIME",
}
"""Whatever is not here is text."""


def write_parquet(file: Path, table: NewTable) -> int:
    """Write a file. Raises Trouble, OSError."""
    stage = _Stage(table.scratch / "stage.jsonl", len(table.columns))
    count = stage.write(table.rows)
    names = [f"{stage.typed(at)} AS {_quoted(name)}" for at, name in enumerate(table.columns)]
    with _duckdb(table.scratch) as connection:
        _copy(connection, f"SELECT {', '.join(names)} FROM {stage.source}", file)  # noqa: S608 - names are quoted
    return count


def write_parquet_beside(original: Path, width: int, file: Path, table: NewTable) -> int:
    """Write the rows of another Parquet file with the types they have there, and new columns after them.

    `width`: how many columns that file has, which are the first of the table. The rows have the cells of the new ones
    only, for each row of that file; a row without cells is left out. Raises Trouble, OSError.
    """
    stage = _Stage(table.scratch / "stage.jsonl", len(table.columns) - width)
    count = stage.write(table.rows)
    old = [f"o{at}" for at in range(width)]
    names = [f"o.{name} AS {_quoted(column)}" for name, column in zip(old, table.columns, strict=False)]
    names += [f"{stage.typed(at)} AS {_quoted(column)}" for at, column in enumerate(table.columns[width:])]
    there = f"read_parquet({_text(glob.escape(str(original)))}, hive_partitioning=false) AS o({', '.join(old)})"
    query = f"SELECT {', '.join(names)} FROM {there} POSITIONAL JOIN {stage.source} WHERE s.{_IS_LEFT_OUT} IS NULL"  # noqa: S608 - names are quoted
    with _duckdb(table.scratch) as connection:
        _copy(connection, query, file)
    return count


class _Stage:
    """The rows as lines of JSON, all values as text, and what kinds of values each column has."""

    def __init__(self, path: Path, width: int) -> None:
        self._path = path
        self._kinds = [_NONE] * width
        self._longest = _LEAST_BUFFER

    def write(self, rows: Iterable[Cells]) -> int:
        """Write all rows, and return how many are not left out."""
        encode = msgspec.json.Encoder().encode
        count = 0
        with self._path.open("wb") as out:
            for row in rows:
                if not row:
                    out.write(_LEFT_OUT)
                    continue
                count += 1
                line = encode({f"c{at}": plain(cell) for at, cell in enumerate(row) if cell is not None})
                self._kinds = [_joined(kind, _kind(cell)) for kind, cell in zip(self._kinds, row, strict=True)]
                self._longest = max(self._longest, len(line) + 1)
                out.write(line + b"\n")
        return count

    def typed(self, at: int) -> str:
        """Return the expression of a column with its type."""
        name = _TYPES.get(self._kinds[at])
        return f"CAST(s.c{at} AS {name})" if name else f"s.c{at}"

    @property
    def source(self) -> str:
        """The rows as a table `s` of a query."""
        names = [*(f"c{at}" for at in range(len(self._kinds))), _IS_LEFT_OUT]
        columns = ", ".join(f"{name}: 'VARCHAR'" for name in names)
        return (
            f"read_json({_text(glob.escape(str(self._path)))}, format='newline_delimited', columns={{{columns}}}, "
            f"compression='uncompressed', maximum_object_size={self._longest}) AS s"
        )


_OF_TYPE: dict[type, Kind] = {
    NoneType: _NONE,
    str: Kind.TEXT,
    bool: Kind.BOOLEAN,
    float: Kind.NUMBER,
    date: Kind.DAY,
    Nested: Kind.TEXT,
}


def _kind(cell: Cell) -> Kind:  # noqa: PLR0911 - a return for each kind
    found = _OF_TYPE.get(type(cell))
    if found is not None:
        return found
    match cell:
        case int():
            if abs(cell) <= _LARGEST_EXACT:
                return Kind.INTEGER
            return Kind.LARGE if cell in _BITS_64 else Kind.TEXT
        case Number():
            return Kind.TEXT if _INTEGER.fullmatch(cell.text) and cell.text != "-0" else Kind.NUMBER
        case datetime():
            return Kind.MOMENT if cell.tzinfo is None else Kind.MOMENT_IN_ZONE
        case time() if cell.tzinfo is None:
            return Kind.TIME
    return Kind.TEXT


def _joined(kind: Kind, found: Kind) -> Kind:
    """Return both. An enumeration takes its time to join flags, and most cells add none to their column."""
    return kind if found is kind or found is _NONE else kind | found


@contextmanager
def _duckdb(scratch: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """Yield DuckDB with little memory. One thread keeps the order of rows; nothing is fetched from the network."""
    config: dict[str, str | bool | int | float | list[str]] = {
        "autoinstall_known_extensions": "false",
        "autoload_known_extensions": "false",
        "threads": 1,
        "memory_limit": "512MB",
        "temp_directory": str(scratch / "spill"),
    }
    try:
        with duckdb.connect(config=config) as connection:
            connection.execute("SET TimeZone = 'UTC'")
            connection.execute("SET enable_progress_bar = false")  # in a notebook there would be one on stdout
            yield connection
    except duckdb.Error as error:  # its own message may quote an answer
        message = f"DuckDB cannot write the table ({type(error).__name__})"
        raise Trouble("not-written", message, "Is there room on the disk? Write .csv instead.") from error


def _copy(connection: duckdb.DuckDBPyConnection, query: str, file: Path) -> None:
    """Write what a query returns. Each group of rows is in memory while it is made."""
    connection.execute(
        f"COPY ({query}) TO {_text(str(file))} (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE_BYTES '16MB')"
    )


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _text(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
