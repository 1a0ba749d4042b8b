"""SQL of Trino, translated for DuckDB by sqlglot. What sqlglot does not know as a function of Trino is refused.

Three functions answer differently there: a scalar of JSON is null if it is an object, an array or no JSON; a pattern
that does not match gives null; and an array of nulls is joined to an empty text.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlglot
from sqlglot import exp

from local.emulation.athena.catalog import AthenaError

if TYPE_CHECKING:
    from collections.abc import Iterator

MACROS = """
CREATE MACRO trino_scalar(text, path) AS CASE
    WHEN NOT json_valid(text) THEN NULL
    WHEN json_type(text, path) IN ('OBJECT', 'ARRAY') THEN NULL
    ELSE json_extract_string(text, path)
END;
CREATE MACRO trino_extract(text, pattern, part) AS
    CASE WHEN regexp_matches(text, pattern) THEN regexp_extract(text, pattern, part) END;
CREATE MACRO trino_join(list, between) AS
    CASE WHEN list IS NOT NULL THEN coalesce(array_to_string(list, between), '') END;
"""
TYPES = {"varchar": "VARCHAR", "bigint": "BIGINT", "boolean": "BOOLEAN", "double": "DOUBLE"}
"""Of DuckDB, by those of Trino; all others have the same name, in capitals."""


def parse(text: str) -> exp.Expression:
    """Read a query. Raises AthenaError with the words of Trino."""
    try:
        statements = sqlglot.parse(text.rstrip().removesuffix(";"), read="athena")
    except sqlglot.errors.ParseError as error:
        raise AthenaError(f"mismatched input: {error.errors[0]['description']}") from error
    query = statements[0]
    if len(statements) != 1 or not isinstance(query, exp.Query):
        raise AthenaError("NOT_SUPPORTED: only one query at once is emulated")
    for function in query.find_all(exp.Anonymous):
        raise AthenaError(f"FUNCTION_NOT_FOUND: line 1:1: Function '{function.name}' not registered")
    return query


def tables(query: exp.Expression, schema: str) -> Iterator[tuple[str, str]]:
    """Yield the schema and the name of each table of a query, after each has got its schema in the query."""
    named = {each.alias for each in query.find_all(exp.CTE)}
    for table in query.find_all(exp.Table):
        if table.args.get("db") or table.name not in named:
            table.set("db", exp.to_identifier((table.db or schema).lower(), quoted=True))
            table.set("this", exp.to_identifier(table.name.lower(), quoted=True))
            table.set("catalog", None)
            yield table.db, table.name


def written(query: exp.Expression) -> str:
    """Write a query for DuckDB."""
    text: str = query.transform(_function).sql("duckdb")
    return text


def _function(node: exp.Expression) -> exp.Expression:
    if isinstance(node, exp.JSONExtractScalar):
        return exp.Anonymous(this="trino_scalar", expressions=[node.this, node.expression])
    if isinstance(node, exp.RegexpExtract):
        group = node.args.get("group") or exp.Literal.number(0)
        return exp.Anonymous(this="trino_extract", expressions=[node.this, node.expression, group])
    if isinstance(node, exp.ArrayToString):
        return exp.Anonymous(this="trino_join", expressions=[node.this, node.expression])
    return node
