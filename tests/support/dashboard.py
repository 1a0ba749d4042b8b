"""The dashboard and the saved queries of the template, as CloudFormation writes them."""

from __future__ import annotations

import json
import re
from typing import Any, NamedTuple

from tests.support import template

type Json = dict[str, Any]

_SEARCH = re.compile(r"SEARCH\('\{(?P<schema>[^}]+)\} MetricName=\"(?P<metric>\w+)\" service=\"stack\"', '\w+', \d+\)")
STACK = "stack"


class Metric(NamedTuple):
    """A metric that a widget or an alarm names."""

    namespace: str
    name: str
    dimensions: frozenset[str]
    """Their names."""
    values: dict[str, str]
    """Those that are given, by the name of the dimension."""


def queries() -> dict[str, str]:
    """Return the text of each saved query, by its name in the mapping."""
    mapping = template.template()["Mappings"]["Queries"]
    return {name: "\n".join(query["Lines"]) for name, query in mapping.items()}


def body() -> Json:
    """Return the body of the dashboard. A reference is the name of what it refers to."""
    text, variables = template.resources("AWS::CloudWatch::Dashboard")["Dashboard"]["DashboardBody"]["Fn::Sub"]
    written = {"AWS::StackName": STACK, **{name: _joined(value) for name, value in variables.items()}}
    parsed: Json = json.loads(re.sub(r"\$\{([\w:.]+)\}", lambda found: written.get(found[1], found[1]), text))
    return parsed


def widgets(kind: str) -> list[Json]:
    """Return the properties of all widgets of one kind."""
    return [widget["properties"] for widget in body()["widgets"] if widget["type"] == kind]


def metrics() -> list[Metric]:
    """Return the metrics of all widgets."""
    return [_metric(entry) for widget in widgets("metric") for entry in widget["metrics"]]


def _metric(entry: list[Any]) -> Metric:
    if isinstance(entry[0], dict):
        found = _SEARCH.fullmatch(entry[0]["expression"])
        assert found, entry[0]
        namespace, *names = found["schema"].split(",")
        return Metric(namespace, found["metric"], frozenset(names), {"service": STACK})
    namespace, name, *pairs = [word for word in entry if isinstance(word, str)]
    values = dict(zip(pairs[::2], pairs[1::2], strict=True))
    return Metric(namespace, name, frozenset(values), values)


def _joined(value: Json) -> str:
    """Join the lines of a query as the template does."""
    separator, found = value["Fn::Join"]
    mapping, name, key = found["Fn::FindInMap"]
    lines: list[str] = template.template()["Mappings"][mapping][name][key]
    return str(separator).join(lines)
