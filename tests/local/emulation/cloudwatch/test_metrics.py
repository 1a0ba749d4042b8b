"""Metrics in the logs of functions, and those of services, are recorded as on AWS."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from tests.support.measured import wait_for

if TYPE_CHECKING:
    from tests.support.measured import Place

type Json = dict[str, Any]


def test_a_line_gives_a_value_for_each_set_of_dimensions(place: Place) -> None:
    """With its unit; other lines give none, and all of them are in the log as they were printed."""
    place.set_up()
    lines: list[str | Json] = [place.document(), "no JSON", place.document(value=[7, 9]), {"message": "x"}]
    place.print(*lines)
    place.print(place.document(value=2.5))
    for dimensions in ({"service": "s"}, {"service": "s", "reason": "room"}):
        assert place.value("Sum", **dimensions) == 23.5
        assert place.value("SampleCount", **dimensions) == 4
        assert place.value("Maximum", **dimensions) == 9
    assert place.value("Sum") == place.value("Sum", reason="room") == 0
    now = datetime.now(UTC)
    statistics = place.aws.client("cloudwatch").get_metric_statistics(
        Namespace=place.name, MetricName="Age", Dimensions=[{"Name": "service", "Value": "s"}], Period=7200,
        StartTime=now - timedelta(hours=1), EndTime=now + timedelta(minutes=1), Statistics=["Sum", "Maximum"],
    )["Datapoints"]  # fmt: skip
    assert [point["Unit"] for point in statistics] == ["Seconds"] * len(statistics)
    assert sum(point["Sum"] for point in statistics) == 23.5
    logs = place.aws.client("logs")
    events = logs.filter_log_events(logGroupName=f"/aws/lambda/{place.name}", filterPattern='"_aws"')["events"]
    assert [json.loads(event["message"]) for event in events][:2] == [lines[0], lines[2]]


def broken(place: Place) -> list[Json]:
    """Return documents that break one rule each."""
    many = {f"d{number}": "x" for number in range(31)}
    good = place.document()
    directive = good["_aws"]["CloudWatchMetrics"][0]
    metrics = [{"Name": "Age"}] * 101

    def changed(**more: object) -> Json:
        return {**good, "_aws": {**good["_aws"], "CloudWatchMetrics": [{**directive, **more}]}}

    return [
        place.document(dimensions=[["service"], list(many)]) | many,
        place.document(dimensions=[["service", "absent"]]),
        place.document() | {"reason": 5},
        place.document() | {"reason": ""},
        place.document(value="5"),
        place.document(value=True),
        place.document(value=None),
        place.document(value=[1] * 101),
        place.document(value=[[1]]),
        changed(Metrics=metrics),
        changed(Metrics=[{"Name": "Age", "Unit": "Hours"}]),
        changed(Metrics=[{"Name": "Age"}, {"Name": "Absent"}]),
        changed(Namespace=""),
        changed(Dimensions=[]),
        {**good, "_aws": {"CloudWatchMetrics": [directive]}},
        {**good, "_aws": []},
    ]


def test_a_document_that_breaks_a_rule_gives_no_metric_and_is_counted(place: Place) -> None:
    """Not even those of its values that are right."""
    place.set_up()
    documents = broken(place)
    place.print(*documents)
    assert place.aws.client("cloudwatch").list_metrics(Namespace=place.name)["Metrics"] == []
    query = place.query("Sum", "EMFValidationErrors", LogGroupName=f"/aws/lambda/{place.name}")
    query["MetricStat"]["Metric"]["Namespace"] = "AWS/Logs"
    assert sum(place.data(query)[0]["Values"]) == len(documents)


def test_every_call_of_a_function_is_counted(place: Place) -> None:
    """Of clients, and those that nobody waits for."""
    place.set_up()
    invoke = place.aws.client("lambda").invoke
    invoke(FunctionName=place.name, Payload=b"[]")
    invoke(FunctionName=place.name, Payload=b'["a"]')
    invoke(FunctionName=place.name, Payload=b'["b"]', InvocationType="Event")

    def total(metric: str, statistic: str = "Sum") -> float:
        query = place.query(statistic, metric, FunctionName=place.name)
        query["MetricStat"]["Metric"]["Namespace"] = "AWS/Lambda"
        return float(sum(place.data(query)[0]["Values"]))

    assert wait_for(lambda: total("Duration", "SampleCount") == 3)
    assert (total("Invocations"), total("Errors"), total("Errors", "SampleCount"), total("Throttles")) == (3, 1, 3, 0)
