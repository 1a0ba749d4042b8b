"""Tables and views of the Glue catalog, as Athena reads them.

MiniStack knows no views and no `"$path"`. Only one kind of table is here, that of the template: one column of lines.
Athena reads every file under the location, but those that begin with `_` or `.`, or are in such a folder.
"""
# ruff: noqa: SLF001 - private names of MiniStack are read

from __future__ import annotations

import base64
import json
import re
from typing import TYPE_CHECKING, Any, NamedTuple

from ministack.services import glue, s3

from local.emulation.athena import permissions

if TYPE_CHECKING:
    from collections.abc import Iterator

type Json = dict[str, Any]

LINES = "org.apache.hadoop.hive.serde2.lazy.LazySimpleSerDe"
TEXT = "org.apache.hadoop.mapred.TextInputFormat"
COLUMN_END = "\x01"
"""Where LazySimpleSerDe cuts a line, unless a table names another character."""
NULL = r"\N"
_VIEW = re.compile(r"/\* Presto View: ([A-Za-z0-9+/=]+) \*/")


class AthenaError(Exception):
    """A query fails, with Athena's words."""


class View(NamedTuple):
    """A view."""

    schema: str
    sql: str
    columns: list[tuple[str, str]]
    """Names, and types of Trino."""


class Lines(NamedTuple):
    """A table of lines."""

    column: str
    bucket: str
    prefix: str


def find(database: str, name: str) -> View | Lines:
    """Look a table or view up, as the caller may. Raises AthenaError."""
    permissions.require_table(database, name)
    found: Json | None = glue._tables.get(f"{database}/{name}")
    if found is None:
        raise AthenaError(f"TABLE_NOT_FOUND: line 1:1: Table 'awsdatacatalog.{database}.{name}' does not exist")
    return _view(found) if found.get("TableType") == "VIRTUAL_VIEW" else _lines(found)


def _view(table: Json) -> View:
    written = _VIEW.fullmatch(table["ViewOriginalText"])
    if written is None or table.get("ViewExpandedText") != "/* Presto View */":
        raise AthenaError(f"HIVE_INVALID_VIEW_DATA: no view of Presto: {table['Name']}")
    view: Json = json.loads(base64.b64decode(written[1], validate=True))
    schema = view["schema"]
    if view["catalog"] != "awsdatacatalog" or schema != schema.lower():
        raise AthenaError(f"HIVE_INVALID_VIEW_DATA: catalog and schema of {table['Name']}")
    return View(schema, view["originalSql"], [(column["name"], column["type"]) for column in view["columns"]])


def _lines(table: Json) -> Lines:
    storage = table["StorageDescriptor"]
    serde, columns = storage["SerdeInfo"], storage["Columns"]
    is_plain = not serde.get("Parameters") and not table.get("PartitionKeys") and len(columns) == 1
    if not is_plain or (serde["SerializationLibrary"], storage["InputFormat"]) != (LINES, TEXT):
        raise AthenaError(f"NOT_SUPPORTED: only tables with one column of lines are emulated: {table['Name']}")
    bucket, _, prefix = storage["Location"].removeprefix("s3://").partition("/")
    if columns[0]["Type"] != "string" or not prefix.endswith("/"):
        raise AthenaError(f"NOT_SUPPORTED: a text column and a location that ends in a slash: {table['Name']}")
    return Lines(columns[0]["Name"], bucket, prefix)


def files(table: Lines) -> Iterator[tuple[str, bytes]]:
    """Yield the address and the content of each file of a table, as the caller may read them."""
    permissions.require_listing(table.bucket, table.prefix)
    for key in sorted(s3._buckets[table.bucket]["objects"]):
        if key.startswith(table.prefix) and not _is_hidden(key.removeprefix(table.prefix)):
            permissions.require_object("s3:GetObject", table.bucket, key)
            yield f"s3://{table.bucket}/{key}", s3._get_object_data(table.bucket, key) or b""


def lines_of(content: bytes) -> list[str | None]:
    """Return the values of the only column of a table."""
    lines = re.split(r"\r\n|\n|\r", content.decode(errors="replace"))
    values = [line.partition(COLUMN_END)[0] for line in (lines if lines[-1] else lines[:-1])]
    return [None if value == NULL else value for value in values]


def _is_hidden(path: str) -> bool:
    return any(part.startswith(("_", ".")) for part in path.split("/"))
