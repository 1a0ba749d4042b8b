"""Queries of logs: those that the stack has saved, and those of a dashboard."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from local.dashboard.session import STACK, NotShown

if TYPE_CHECKING:
    from local.dashboard.session import Session

SAVED_QUERY = "AWS::Logs::QueryDefinition"
POLL_SECONDS = 0.1
SECONDS = 60.0
_SOURCE = re.compile(r"\s*SOURCE\s+'([^']+)'\s*\|")
_RUN = re.compile(r"(\brun\s*=\s*)'[^']*'")


@dataclass(frozen=True)
class Table:
    """The rows of a result; a row has no value for a column that its events lack."""

    columns: list[str]
    rows: list[dict[str, str]]


def saved(session: Session) -> dict[str, str]:
    """Return the ids of the saved queries, by their names in the template."""
    resources = session.client("cloudformation").describe_stack_resources(StackName=STACK)["StackResources"]
    return {
        resource["LogicalResourceId"]: resource["PhysicalResourceId"]
        for resource in resources
        if resource["ResourceType"] == SAVED_QUERY
    }


def run_saved(session: Session, name: str, run: str, seconds: int) -> Table:
    """Run a saved query on the last seconds. `run`: the id to put into a query of one run. Raises NotShown."""
    ids = saved(session)
    if name not in ids:
        known = "\n".join(f"    make query QUERY={each}" for each in sorted(ids))
        raise NotShown(f"{f'No saved query is named {name}.' if name else 'Name a saved query.'} There are:\n{known}")
    pages = session.client("logs").describe_query_definitions()["queryDefinitions"]
    query = next(each for each in pages if each["queryDefinitionId"] == ids[name])
    text = _RUN.sub(rf"\1'{run}'", query["queryString"]) if run else query["queryString"]
    end = int(time.time()) + 1
    return ask(session, text, query["logGroupNames"], end - seconds, end)


def run_widget(session: Session, query: str, start: int, end: int) -> Table:
    """Run the query of a widget, which names its log groups; times in seconds since 1970."""
    groups = []
    while source := _SOURCE.match(query):
        groups.append(source[1])
        query = query[source.end() :]
    return ask(session, query, groups, start, end)


def ask(session: Session, query: str, groups: list[str], start: int, end: int) -> Table:
    """Run a query, and wait for its result. Raises TimeoutError."""
    logs = session.client("logs")
    started = logs.start_query(logGroupNames=groups, startTime=start, endTime=end, queryString=query)
    deadline = time.monotonic() + SECONDS
    while (answer := logs.get_query_results(queryId=started["queryId"]))["status"] in {"Scheduled", "Running"}:
        if time.monotonic() > deadline:
            raise TimeoutError(f"the query has not ended within {SECONDS:g} s")
        time.sleep(POLL_SECONDS)
    return table(answer["results"])


def table(results: list[list[dict[str, Any]]]) -> Table:
    """Return the rows of a result, and the columns in the order of the query, as far as rows show it."""
    rows = [{field["field"]: field["value"] for field in row if field["field"] != "@ptr"} for row in results]
    columns: list[str] = []
    for row in rows:
        place = 0
        for name in row:
            if name in columns:
                place = columns.index(name) + 1
            else:
                columns.insert(place, name)
                place += 1
    return Table(columns, rows)
