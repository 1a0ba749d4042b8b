"""Records in JSON: one a line, several lines each, or an array of them. Values stay as they are written."""

from collections.abc import Iterable, Iterator

import orjson

from conveyor.jsonl.lines import LONGEST_LINE, read_lines
from conveyor.jsonl.members import DuplicateKey, values_of
from conveyor.jsonl.syntax_errors import why_not_json
from conveyor_cli.tables.header import empty
from conveyor_cli.tables.source import UTF8, Source
from conveyor_cli.tables.table import Columns, Row, Table
from conveyor_cli.tables.values import Written

type _Record = tuple[dict[str, Written], str]
"""The members of a record; or none, and why not."""
_NULL = b"null"
_ONE_LINE = bytes.maketrans(b"\r\n", b"  ")
"""Line ends are between values only: JSON has none in a string."""


def read_records(source: Source, encoding: str, *, has_lines: bool) -> Table:
    """Open a file of records. It is read twice: the columns are the names of all records.

    `has_lines`: whether each record is a line.
    """
    names, first = dict[str, None](), ""
    for number, (members, problem) in enumerate(_records(source, encoding, has_lines=has_lines), 1):
        names.update(dict.fromkeys(members))
        first = first or (problem and f"record {number:,}: {problem}")
    if not names:
        raise empty(source.name, "has no records with values", *filter(None, [first]))
    columns = tuple(names)
    return Table(source.name, columns, _rows(columns, _records(source, encoding, has_lines=has_lines)), [])


def _rows(columns: Columns, records: Iterable[_Record]) -> Iterator[Row]:
    for number, (members, problem) in enumerate(records, 1):
        yield Row(number, [members.get(name) for name in columns], problem)


def _records(source: Source, encoding: str, *, has_lines: bool) -> Iterator[_Record]:
    if has_lines:
        for line in read_lines(source.utf8(encoding)):
            yield _members(line.raw, line.before)
        return
    from conveyor_cli.tables.duck import json_values  # noqa: PLC0415 - DuckDB is loaded where it is needed

    for raw in json_values(source, is_utf8=encoding == UTF8):
        yield _members(raw)


def _members(raw: bytes | None, before: bytes = b"") -> _Record:
    """Return the members of a record. A null is no value."""
    if raw is None:
        return {}, f"the record has more than {LONGEST_LINE:,} bytes"
    try:
        record = orjson.loads(raw)
    except orjson.JSONDecodeError:
        return {}, f"not JSON: {why_not_json(raw, before)[1]}"
    if not isinstance(record, dict):
        return {}, "not a JSON object with the columns as names"
    try:
        values = values_of(raw)
    except DuplicateKey:
        return {}, "a name occurs twice in the record"
    written = {name: bytes(value).strip().translate(_ONE_LINE) for name, value in values.items()}
    return {name: Written(value) for name, value in written.items() if value != _NULL}, ""
