"""Queries: DuckDB answers them, from what the caller may read, within the limits of the workgroup.

MiniStack runs SQL of DuckDB instead of Trino's, takes any workgroup and client settings, knows no limit of bytes, and
writes the answer under a key that AWS does not use.
"""
# ruff: noqa: SLF001 - a patch replaces private names

from __future__ import annotations

import asyncio
import json
from contextvars import ContextVar
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import duckdb
from ministack.core.responses import error_response_json
from ministack.services import athena, s3

from local.emulation.athena import permissions, sql
from local.emulation.athena.catalog import AthenaError, View, files, find, lines_of

if TYPE_CHECKING:
    from sqlglot.exp import Expression

type Json = dict[str, Any]
type Answer = tuple[int, dict[str, str], bytes]

start_query_execution = athena._start_query_execution
execute_query = athena._execute_query

running: ContextVar[Json] = ContextVar("running")
"""The execution."""


def patch() -> None:
    """Apply the patches."""
    permissions.patch()
    athena._start_query_execution = _start_query_execution
    athena._execute_query = _execute_query
    athena._run_duckdb = _run
    athena._save_query_results = _save


def _start_query_execution(request: Json) -> Answer:
    group = athena._workgroups.get(request.get("WorkGroup", "primary"))
    if group is None:
        refusal: Answer = error_response_json("InvalidRequestException", "WorkGroup is not found.", 400)
        return refusal
    settings = group.get("Configuration", {})
    if settings.get("EnforceWorkGroupConfiguration"):
        request = {name: value for name, value in request.items() if name != "ResultConfiguration"}
    location = settings.get("ResultConfiguration", {}).get("OutputLocation", "")
    try:
        if location:
            permissions.require("s3:GetBucketLocation", f"arn:aws:s3:::{_place(location)[0]}")
    except permissions.DeniedError:
        words = f"Unable to verify/create output bucket {_place(location)[0]}"
        refused: Answer = error_response_json("InvalidRequestException", words, 400)
        return refused
    answer: Answer = start_query_execution(request)
    return answer


async def _execute_query(query_id: str, *others: object) -> None:
    running.set(athena._executions[query_id])
    await execute_query(query_id, *others)


async def _run(query: str, database: str, _catalog: str | None = None) -> Json:
    """Answer a query. All that it reads is read before it runs beside the event loop."""
    connection = duckdb.connect(":memory:")
    try:
        connection.execute(sql.MACROS)
        parsed = sql.parse(query)
        scanned = _install(connection, parsed, database, set())
        limit = _limit()
        running.get()["_scanned"] = scanned
        if limit and scanned > limit:
            raise AthenaError(f"Query cancelled! : Bytes scanned limit was exceeded: {limit}")
        return await asyncio.to_thread(_answer, connection, sql.written(parsed))
    except permissions.DeniedError as error:
        raise AthenaError(f"PERMISSION_DENIED: {error}") from error
    finally:
        connection.close()


def _install(connection: duckdb.DuckDBPyConnection, query: Expression, schema: str, done: set[tuple[str, str]]) -> int:
    """Create the tables and views of a query; returns the bytes of their files."""
    scanned = 0
    for database, name in sql.tables(query, schema):
        if (database, name) in done:
            continue
        done.add((database, name))
        found, place = find(database, name), f'"{database}"."{name}"'
        connection.execute(f'CREATE SCHEMA IF NOT EXISTS "{database}"')
        if isinstance(found, View):
            view = sql.parse(found.sql)
            scanned += _install(connection, view, found.schema, done)
            connection.execute(f"CREATE VIEW {place} AS {sql.written(view)}")
            _compare(connection, place, found)
        else:
            connection.execute(f'CREATE TABLE {place} ("{found.column}" VARCHAR, "$path" VARCHAR)')
            for path, content in files(found):
                scanned += len(content)
                connection.execute(f"INSERT INTO {place} SELECT unnest(?::VARCHAR[]), ?", [lines_of(content), path])
    return scanned


def _compare(connection: duckdb.DuckDBPyConnection, place: str, view: View) -> None:
    """Compare the columns that a view names with those of its query, as Trino does."""
    columns = [(row[0], row[1]) for row in connection.execute(f"DESCRIBE {place}").fetchall()]
    expected = [(name, sql.TYPES.get(kind, kind.upper())) for name, kind in view.columns]
    if columns != expected:
        raise AthenaError(f"INVALID_VIEW: View {place} is stale or in invalid state: {columns}, not {expected}")


def _limit() -> int:
    group = athena._workgroups[running.get()["WorkGroup"]]
    return int(group.get("Configuration", {}).get("BytesScannedCutoffPerQuery", 0))


def _answer(connection: duckdb.DuckDBPyConnection, query: str) -> Json:
    answer = connection.execute(query)
    kinds = [str(column[1]).upper().partition("(")[0] for column in answer.description or []]
    return {
        "columns": [column[0] for column in answer.description or []],
        "column_types": [athena._DUCKDB_TYPE_MAP.get(kind, "varchar") for kind in kinds],
        "rows": [list(row) for row in answer.fetchall()],
    }


async def _save(query_id: str) -> None:
    """Write the answer as CSV: every value has quotes, and null is nothing."""
    execution = athena._executions[query_id]
    execution["Statistics"]["DataScannedInBytes"] = execution["_scanned"]
    bucket, key = _place(execution["ResultConfiguration"]["OutputLocation"])
    rows = [execution["_results"]["columns"], *execution["_results"]["rows"]]
    content = "".join(",".join(map(_quoted, row)) + "\n" for row in rows).encode()
    try:
        permissions.require_object("s3:PutObject", bucket, key)
    except permissions.DeniedError:
        status = HTTPStatus.FORBIDDEN.value
    else:
        status = s3._put_object(bucket, key, content, {"content-length": str(len(content))})[0]
    if status != HTTPStatus.OK:
        reason = f"Access denied when writing output to url: s3://{bucket}/{key}"
        execution["Status"] |= {"State": "FAILED", "StateChangeReason": reason}


def _quoted(value: object) -> str:
    if value is None:
        return ""
    text = athena._datum_text(value) if not isinstance(value, list | dict) else json.dumps(value)
    return '"' + text.replace('"', '""') + '"'


def _place(location: str) -> tuple[str, str]:
    """Return the bucket and the key of an address."""
    bucket, _, key = location.removeprefix("s3://").partition("/")
    return bucket, key
