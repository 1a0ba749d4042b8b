"""What DuckDB reads: Parquet, and JSON that is not one record a line. The only module that knows DuckDB."""

import glob
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import duckdb

from conveyor.jsonl.lines import LONGEST_LINE
from conveyor_cli.exits import Exit
from conveyor_cli.tables.header import named
from conveyor_cli.tables.source import Source, readable
from conveyor_cli.tables.table import Row, Table
from conveyor_cli.tables.values import from_number
from conveyor_cli.trouble import Trouble

_CONFIG: dict[str, str | bool | int | float | list[str]] = {
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "threads": 1,
}
"""Nothing is fetched from the network. One thread keeps the order of rows, and the memory small."""
_ROWS = 64
"""Rows that are Python objects at once."""


def read_parquet(source: Source) -> Table:
    """Open a Parquet file."""
    found = _ask(source, "SELECT * FROM read_parquet(?, hive_partitioning=false)", glob.escape(str(source.path)))
    columns = named(source.name, [each[0] for each in found.description])
    binary = frozenset(name for name, each in zip(columns, found.description, strict=True) if "BLOB" in str(each[1]))
    return Table(source.name, columns, _rows(source, found), [], binary)


def json_values(source: Source, *, is_utf8: bool) -> Iterator[bytes]:
    """Yield each value of a JSON array, or of JSON over several lines, as it is written."""
    if not is_utf8:
        message = f"{source.name} is JSON in another encoding than UTF-8"
        raise Trouble("encoding", message, "Nothing was written. Save it as UTF-8.", exit_code=Exit.NO_RESULTS)
    form = "array" if source.beginning().lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"[") else "unstructured"
    packed = "gzip" if source.is_packed else "uncompressed"
    query = f"SELECT json FROM read_json_objects(?, format='{form}', compression='{packed}', maximum_object_size=?)"  # noqa: S608
    found = _ask(source, query, glob.escape(str(source.path)), LONGEST_LINE)
    for (text,) in _fetched(source, found):
        yield text.encode()


def _rows(source: Source, found: duckdb.DuckDBPyConnection) -> Iterator[Row]:
    for number, values in enumerate(_fetched(source, found), 1):
        yield Row(number, [from_number(each) if type(each) is float else each for each in values])


def _fetched(source: Source, found: duckdb.DuckDBPyConnection) -> Iterator[tuple[Any, ...]]:
    with _explained(source):
        while rows := found.fetchmany(_ROWS):
            yield from rows


def _ask(source: Source, query: str, *given: object) -> duckdb.DuckDBPyConnection:
    with readable(source.name), _explained(source):
        connection = duckdb.connect(config=_CONFIG)
        connection.execute("SET TimeZone = 'UTC'")
        connection.execute("SET enable_progress_bar = false")  # in a notebook there would be one on stdout
        return connection.execute(query, given)


@contextmanager
def _explained(source: Source) -> Iterator[None]:
    """Raise a Trouble where DuckDB cannot go on. Its own message may quote the file."""
    try:
        yield
    except duckdb.Error as error:
        kind = "Parquet" if source.beginning().startswith(b"PAR1") else "JSON"
        message = f"{source.name} is damaged, or not {kind} that DuckDB reads ({type(error).__name__})"
        raise Trouble("unreadable-table", message, "Nothing was written.", exit_code=Exit.NO_RESULTS) from error
