"""The values of a metric widget, by GetMetricData."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from local.dashboard.session import Session

type Json = dict[str, Any]

STATISTIC, PERIOD = "Average", 300
"""Of a widget that does not say."""


@dataclass(frozen=True)
class Line:
    """The values of one metric."""

    label: str
    times: list[datetime]
    """Of the starts of periods, oldest first."""
    values: list[float]
    period: int


def lines(session: Session, properties: Json, start: int, end: int) -> list[Line]:
    """Return all lines of a widget between two times, in seconds since 1970."""
    queries = _queries(properties)
    periods = {query["Id"]: query.get("Period") or query["MetricStat"]["Period"] for query in queries}
    first = start - start % max(periods.values())
    answer = session.client("cloudwatch").get_metric_data(
        MetricDataQueries=queries,
        StartTime=datetime.fromtimestamp(first, UTC),
        EndTime=datetime.fromtimestamp(end, UTC),
        ScanBy="TimestampAscending",
    )
    return [
        Line(result["Label"], result["Timestamps"], result["Values"], periods[result["Id"]])
        for result in answer["MetricDataResults"]
    ]


def _queries(properties: Json) -> list[Json]:
    """Return the queries of the rows: namespace, name, pairs of dimensions, and options; `.` repeats the row above."""
    queries: list[Json] = []
    before: list[str] = []
    for number, row in enumerate(properties["metrics"]):
        options = row[-1] if isinstance(row[-1], dict) else {}
        names = [before[place] if name == "." else name for place, name in enumerate(row) if isinstance(name, str)]
        period = options.get("period") or properties.get("period") or PERIOD
        common = {
            "Id": options.get("id", f"q{number}"),
            "ReturnData": options.get("visible", True),
            **({"Label": options["label"]} if options.get("label") else {}),
        }
        if "expression" in options:
            queries.append({**common, "Expression": options["expression"], "Period": period})
            continue
        before = names
        namespace, metric, *dimensions = names
        pairs = [{"Name": name, "Value": value} for name, value in zip(dimensions[::2], dimensions[1::2], strict=True)]
        of = {"Namespace": namespace, "MetricName": metric, "Dimensions": pairs}
        statistic = options.get("stat") or properties.get("stat") or STATISTIC
        queries.append({**common, "MetricStat": {"Metric": of, "Period": period, "Stat": statistic}})
    return queries
