"""GetMetricData: each metric alone, newest values first, and SEARCH.

MiniStack adds up all metrics of a name if a query gives no dimensions, answers oldest first, checks no query, and does
not know expressions. Here a query of `SEARCH('{Namespace,dimension,…} MetricName="…" dimension="…"', 'Sum', 300)` gives
one result for each metric that has exactly these dimensions. All else that AWS calls metric math is refused.
"""
# ruff: noqa: SLF001 - a patch replaces private names

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ministack.services import cloudwatch

if TYPE_CHECKING:
    from collections.abc import Iterator

type Json = dict[str, Any]
type Answer = tuple[int, dict[str, str], bytes]

MAX_QUERIES = 500
DEFAULT_PERIOD = 300
SHORT_PERIODS = (1, 5, 10, 20, 30)
ID = re.compile(r"[a-z]\w*", re.ASCII)
STATISTIC = re.compile(r"SampleCount|Sum|Average|Minimum|Maximum|p\d{1,2}(\.\d+)?|p100")
SEARCH = re.compile(r"SEARCH\(\s*'(?P<term>[^']*)'\s*,\s*'(?P<statistic>[^']*)'\s*(,\s*(?P<period>\d+)\s*)?\)")
SCHEMA = re.compile(r"\s*\{([^}]*)\}(.*)", re.DOTALL)
TERM = re.compile(r'\s*(?:AND\s+)?(\w+)\s*=\s*"([^"]*)"\s*', re.ASCII)
LABEL = re.compile(r"\$\{PROP\('(MetricName|Dim\.[^']+)'\)\}")

get_metric_data = cloudwatch._get_metric_data


class RefusedQuery(Exception):
    """A query that AWS refuses, or that is not known here."""


@dataclass(frozen=True)
class Series:
    """One metric, and what to calculate of it."""

    namespace: str
    metric: str
    statistic: str
    period: int
    dimensions: dict[str, str] = field(default_factory=dict)
    label: str = ""


def patch() -> None:
    """Apply the patch."""
    cloudwatch._get_metric_data = _get_metric_data


def _get_metric_data(parameters: Json, data: Json, is_cbor: object, is_json: object = False) -> Answer:  # noqa: FBT002 - MiniStack's own
    """Answer a request in JSON, which is what botocore sends; MiniStack answers those of older clients."""
    if not is_json:
        answer: Answer = get_metric_data(parameters, data, is_cbor, is_json)
        return answer
    try:
        results = list(_answer(data))
    except RefusedQuery as error:
        refusal: Answer = cloudwatch._error("ValidationError", str(error), 400, use_json=True)
        return refusal
    if data.get("ScanBy", "TimestampDescending") == "TimestampDescending":
        results = [
            result | {"Timestamps": result["Timestamps"][::-1], "Values": result["Values"][::-1]} for result in results
        ]
    success: Answer = cloudwatch._json_ok({"MetricDataResults": results, "Messages": []})
    return success


def _answer(data: Json) -> Iterator[Json]:
    """Yield the results of a request. Raises RefusedQuery."""
    start, end = cloudwatch._parse_ts(data["StartTime"]), cloudwatch._parse_ts(data["EndTime"])
    if start >= end:
        raise RefusedQuery("The parameter StartTime must be less than the parameter EndTime.")
    _check(data["MetricDataQueries"])
    for query in data["MetricDataQueries"]:
        yield from _results(query, start, end)


def _check(queries: list[Json]) -> None:
    ids = [query["Id"] for query in queries]
    if len(queries) > MAX_QUERIES:
        raise RefusedQuery(f"The collection MetricDataQueries must not have a size greater than {MAX_QUERIES}.")
    for name in ids:
        if not ID.fullmatch(name) or ids.count(name) > 1:
            raise RefusedQuery(f'The id "{name}" is not unique, or does not match ^[a-z][a-zA-Z0-9_]*$.')


def _results(query: Json, start: float, end: float) -> Iterator[Json]:
    if ("MetricStat" in query) == ("Expression" in query):
        raise RefusedQuery("Either MetricStat or Expression must be set.")
    series = _searched(query) if "Expression" in query else [_asked(query)]
    for one in series:
        if not STATISTIC.fullmatch(one.statistic):
            raise RefusedQuery(f"The statistic {one.statistic} is invalid.")
        if one.period % 60 and one.period not in SHORT_PERIODS:
            raise RefusedQuery(f"The period {one.period} must be 1, 5, 10, 20, 30 or any multiple of 60.")
        values = dict(_values(one, start, end))
        times = [cloudwatch._ts_iso(time) for time in values]
        if query.get("ReturnData", True):
            yield {"Id": query["Id"], "Label": one.label, "Timestamps": times, "Values": list(values.values()),
                   "StatusCode": "Complete"}  # fmt: skip


def _asked(query: Json) -> Series:
    asked, metric = query["MetricStat"], query["MetricStat"]["Metric"]
    dimensions = cloudwatch._dims_from_list(metric.get("Dimensions") or [])
    label = _label(query.get("Label") or metric["MetricName"], metric["MetricName"], dimensions)
    return Series(
        metric["Namespace"], metric["MetricName"], asked["Stat"], int(asked["Period"]), dimensions, label
    )  # fmt: skip


def _searched(query: Json) -> list[Series]:
    """Return the metrics that a SEARCH finds."""
    parts = SEARCH.fullmatch(query["Expression"].strip())
    schema = SCHEMA.fullmatch(parts["term"]) if parts else None
    if not parts or not schema:
        raise RefusedQuery(f"Error in expression '{query['Id']}': only SEARCH with a schema is known here")
    namespace, *names = (name.strip().strip('"') for name in schema[1].split(","))
    terms = dict(TERM.findall(schema[2]))
    if TERM.sub("", schema[2]).strip() or not terms.keys() <= {"MetricName", *names}:
        raise RefusedQuery(f"Error in expression '{query['Id']}': every term must be name=\"value\" and in the schema")
    found = [
        (metric, points[0]["Dimensions"])
        for (space, metric, _), points in list(cloudwatch._metrics.items())
        if points and space == namespace and points[0]["Dimensions"].keys() == set(names)
        if all({"MetricName": metric, **points[0]["Dimensions"]}[name] == value for name, value in terms.items())
    ]
    period = int(parts["period"] or query.get("Period") or DEFAULT_PERIOD)
    differing = [name for name in names if len({dimensions[name] for _, dimensions in found}) > 1]
    series = []
    for metric, dimensions in found:
        label = _label(query.get("Label") or "", metric, dimensions)
        if not LABEL.search(query.get("Label") or ""):
            of_metric = [metric] if len({name for name, _ in found}) > 1 or not differing else []
            label = " ".join(filter(None, [label, *of_metric, *(dimensions[name] for name in differing)]))
        series.append(Series(namespace, metric, parts["statistic"], period, dimensions, label))
    return sorted(series, key=lambda one: one.label)


def _label(label: str, metric: str, dimensions: dict[str, str]) -> str:
    """Return a label with its properties replaced."""
    properties = {"MetricName": metric, **{f"Dim.{name}": value for name, value in dimensions.items()}}
    text = LABEL.sub(lambda match: properties.get(match[1], match[0]), label)
    if "${" in text:
        raise RefusedQuery(f"The label {label} has a property that is not known here.")
    return text


def _values(series: Series, start: float, end: float) -> Iterator[tuple[int, float]]:
    """Yield the start of each period with data, oldest first, and the statistic."""
    periods: dict[int, list[Json]] = defaultdict(list)
    key = (series.namespace, series.metric, cloudwatch._dims_key(series.dimensions))
    for point in list(cloudwatch._metrics.get(key, [])):
        if start // 60 * 60 <= point["Timestamp"] < end:
            periods[int(point["Timestamp"] // series.period) * series.period].append(point)
    for begin, points in sorted(periods.items()):
        value = cloudwatch._stat_value(cloudwatch._calc_stats(points), series.statistic, points)
        if value is not None:
            yield begin, value
