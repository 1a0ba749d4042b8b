"""GetMetricData of the local AWS answers as AWS does, or refuses."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from tests.support.measured import Place

type Json = dict[str, Any]

SEARCH = "SEARCH('{NAME,service,project} MetricName=\"CostUsd\" service=\"s\"', 'Sum', 3600)"


def put_costs(place: Place) -> None:
    """Put costs of two projects of a service, of another service, and of all projects."""
    for service, project, value in (("s", "b", 2), ("s", "a", 1), ("s", "a", 0.5), ("t", "c", 9), ("s", "", 3.5)):
        dimensions = {"service": service, "project": project} if project else {"service": service}
        listed = [{"Name": name, "Value": text} for name, text in dimensions.items()]
        data = {"MetricName": "CostUsd", "Dimensions": listed, "Value": value}
        place.aws.client("cloudwatch").put_metric_data(Namespace=place.name, MetricData=[data])


def test_a_search_finds_the_metrics_with_exactly_its_dimensions(place: Place) -> None:
    """One result each, labelled by what they differ in, or as the query says."""
    put_costs(place)
    expression = SEARCH.replace("NAME", place.name)
    found = place.data({"Id": "e", "Expression": expression})
    assert [(result["Id"], result["Label"], sum(result["Values"])) for result in found] == [
        ("e", "a", 1.5), ("e", "b", 2)
    ]  # fmt: skip
    labelled = place.data({"Id": "e", "Expression": expression, "Label": "${PROP('Dim.project')}: dollars"})
    assert [result["Label"] for result in labelled] == ["a: dollars", "b: dollars"]
    assert place.data({"Id": "e", "Expression": expression.replace('"s"', '"none"')}) == []


def test_values_come_newest_first_by_period(place: Place) -> None:
    """Unless the request says otherwise."""
    now = datetime.now(UTC)
    for minutes in (90, 30, 31):
        data = {"MetricName": "Age", "Timestamp": now - timedelta(minutes=minutes), "Value": minutes}
        place.aws.client("cloudwatch").put_metric_data(Namespace=place.name, MetricData=[data])
    query = place.query("Sum")
    query["MetricStat"]["Period"] = 60
    (down,) = place.data(query)
    (up,) = place.data(query, ScanBy="TimestampAscending")
    assert down["Values"] == [30, 31, 90] == up["Values"][::-1]
    assert down["Timestamps"] == up["Timestamps"][::-1] == sorted(down["Timestamps"], reverse=True)


@pytest.mark.parametrize(
    "query",
    [
        {"Id": "e", "Expression": "m1 / m2"},
        {"Id": "e", "Expression": "SEARCH('Age', 'Sum', 60)"},
        {"Id": "e", "Expression": "SEARCH('{N,service} Age', 'Sum', 60)"},
        {"Id": "e", "Expression": "SEARCH('{N,service} other=\"x\"', 'Sum', 60)"},
        {"Id": "Upper", "MetricStat": {"Metric": {"Namespace": "N", "MetricName": "m"}, "Period": 60, "Stat": "Sum"}},
        {"Id": "m", "MetricStat": {"Metric": {"Namespace": "N", "MetricName": "m"}, "Period": 61, "Stat": "Sum"}},
        {"Id": "m", "MetricStat": {"Metric": {"Namespace": "N", "MetricName": "m"}, "Period": 60, "Stat": "Most"}},
        {"Id": "m"},
    ],
)
def test_a_query_that_is_wrong_or_not_known_is_refused(place: Place, query: Json) -> None:
    """Instead of an answer without it."""
    with pytest.raises(ClientError) as error:
        place.data(query)
    assert error.value.response["Error"]["Code"] == "ValidationError"
