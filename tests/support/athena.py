"""Queries in Athena."""

from __future__ import annotations

import time
from typing import Any

SECONDS = 30.0
OVER = {"SUCCEEDED", "FAILED", "CANCELLED"}


class Failed(Exception):
    """A query has failed, with Athena's words."""


def ask(athena: Any, query: str, workgroup: str, database: str) -> list[dict[str, str | None]]:
    """Return the rows of a query: its values as text, by column; null is None. Raises Failed."""
    context = {"Database": database, "Catalog": "AwsDataCatalog"}
    started = athena.start_query_execution(QueryString=query, WorkGroup=workgroup, QueryExecutionContext=context)
    wait(athena, started["QueryExecutionId"])
    found = athena.get_query_results(QueryExecutionId=started["QueryExecutionId"])["ResultSet"]["Rows"]
    names, *rows = [[value.get("VarCharValue") for value in row["Data"]] for row in found]
    return [dict(zip(map(str, names), row, strict=True)) for row in rows]


def wait(athena: Any, query: str) -> None:
    """Wait for the end of a query. Raises Failed if it has failed."""
    deadline = time.monotonic() + SECONDS
    while True:
        status = athena.get_query_execution(QueryExecutionId=query)["QueryExecution"]["Status"]
        if status["State"] == "SUCCEEDED":
            return
        if status["State"] in OVER or time.monotonic() > deadline:
            raise Failed(status.get("StateChangeReason", status["State"]))
        time.sleep(0.05)
