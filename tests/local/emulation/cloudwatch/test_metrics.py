"""Metrics in the logs of functions: recorded, read, and watched by alarms as on AWS."""

from __future__ import annotations

import io
import json
import time
import zipfile
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest
from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from collections.abc import Callable

    from local.stack.local_aws import Aws

type Json = dict[str, Any]

SECONDS = 60.0
PROGRAM = """
def handler(event, context):
    print(*event, sep="\\n")
"""
TRUST = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
LOGS = {"Effect": "Allow", "Action": ["logs:CreateLogStream", "logs:PutLogEvents"], "Resource": "*"}


@dataclass(frozen=True)
class Place:
    """A function that prints lines, and the namespace of their metrics; both have the same name."""

    aws: Aws
    name: str

    def set_up(self) -> None:
        """Create the function and its role."""
        iam = self.aws.client("iam")
        document = {"Version": "2012-10-17", "Statement": [TRUST]}
        role = iam.create_role(RoleName=self.name, AssumeRolePolicyDocument=json.dumps(document))["Role"]["Arn"]
        policy = json.dumps({"Version": "2012-10-17", "Statement": [LOGS]})
        iam.put_role_policy(RoleName=self.name, PolicyName="p", PolicyDocument=policy)
        with io.BytesIO() as content, zipfile.ZipFile(content, "w") as package:
            package.writestr("app.py", PROGRAM)
            package.close()
            self.aws.client("lambda").create_function(
                FunctionName=self.name, Runtime="python3.13", Role=role, Handler="app.handler",
                Code={"ZipFile": content.getvalue()},
            )  # fmt: skip

    def print(self, *lines: str | Json) -> None:
        """Let the function print these lines."""
        texts = [line if isinstance(line, str) else json.dumps(line) for line in lines]
        self.aws.client("lambda").invoke(FunctionName=self.name, Payload=json.dumps(texts))

    def document(self, metric: str = "Age", value: object = 5, dimensions: list[list[str]] | None = None) -> Json:
        """Return a line with one metric, of a service and a reason."""
        directive = {
            "Namespace": self.name,
            "Dimensions": [["service"], ["service", "reason"]] if dimensions is None else dimensions,
            "Metrics": [{"Name": metric, "Unit": "Seconds"}],
        }
        members = {"service": "s", "reason": "room", metric: value}
        return {"_aws": {"Timestamp": int(time.time() * 1000), "CloudWatchMetrics": [directive]}, **members}

    def query(self, statistic: str, metric: str = "Age", **dimensions: str) -> Json:
        """Return a query of the metric by the hour."""
        listed = [{"Name": name, "Value": value} for name, value in dimensions.items()]
        of = {"Namespace": self.name, "MetricName": metric, "Dimensions": listed}
        return {"Id": "m", "MetricStat": {"Metric": of, "Period": 3600, "Stat": statistic}}

    def data(self, *queries: Json, **more: Any) -> list[Json]:
        """Answer queries of the last three hours."""
        now = datetime.now(UTC)
        request = {"StartTime": now - timedelta(hours=3), "EndTime": now + timedelta(minutes=1), **more}
        answer = self.aws.client("cloudwatch").get_metric_data(MetricDataQueries=list(queries), **request)
        results: list[Json] = answer["MetricDataResults"]
        return results

    def value(self, statistic: str, metric: str = "Age", **dimensions: str) -> float:
        """Return a statistic of the last hours: the sum over periods, of which there may be two."""
        (result,) = self.data(self.query(statistic, metric, **dimensions))
        return float(sum(result["Values"]))

    def alarm(self, **more: Any) -> None:
        """Make an alarm on the largest age of the service, above 10."""
        settings = {
            "Namespace": self.name, "MetricName": "Age", "Dimensions": [{"Name": "service", "Value": "s"}],
            "Statistic": "Maximum", "Period": 60, "EvaluationPeriods": 1, "Threshold": 10,
            "ComparisonOperator": "GreaterThanThreshold", "TreatMissingData": "notBreaching",
        } | more  # fmt: skip
        self.aws.client("cloudwatch").put_metric_alarm(AlarmName=self.name, **settings)

    def state(self) -> str:
        """Return the state of the alarm."""
        (alarm,) = self.aws.client("cloudwatch").describe_alarms(AlarmNames=[self.name])["MetricAlarms"]
        return str(alarm["StateValue"])


@pytest.fixture
def place(aws: Aws) -> Place:
    """Return names that no other test uses."""
    return Place(aws, f"e-{uuid4().hex[:8]}")


def wait_for(holds: Callable[[], bool]) -> bool:
    """Return whether something holds before the time is over."""
    deadline = time.monotonic() + SECONDS
    while not (found := holds()) and time.monotonic() < deadline:
        time.sleep(0.1)
    return found


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


def test_a_value_in_a_log_sets_off_an_alarm_which_ends_without_one(place: Place) -> None:
    """Of the alarm's dimensions only. As on AWS, periods without data are not breaching, if the alarm says so."""
    place.set_up()
    place.alarm(Period=10)
    place.print(place.document(value=100, dimensions=[["service", "reason"]]), place.document(value=10))
    assert place.state() == "OK"
    place.print(place.document(value=11))
    assert place.state() == "ALARM"
    assert wait_for(lambda: place.state() == "OK")


def test_an_alarm_needs_as_many_periods_as_it_says(place: Place) -> None:
    """Two of two, by the largest value in each."""
    place.alarm(EvaluationPeriods=2)
    put = place.aws.client("cloudwatch").put_metric_data
    for minutes, state in ((0.2, "OK"), (1.5, "ALARM")):
        at = datetime.now(UTC) - timedelta(minutes=minutes)
        values = [
            {"MetricName": "Age", "Dimensions": [{"Name": "service", "Value": "s"}], "Timestamp": at, "Value": value}
            for value in (50, 1)
        ]
        put(Namespace=place.name, MetricData=values)
        assert place.state() == state


@pytest.mark.parametrize(
    ("treatment", "state"),
    [("notBreaching", "OK"), ("breaching", "ALARM"), ("missing", "INSUFFICIENT_DATA"), ("ignore", "INSUFFICIENT_DATA")],
)
def test_missing_data_is_treated_as_the_alarm_says(place: Place, treatment: str, state: str) -> None:
    """The state of an alarm whose metric never had a value."""
    place.alarm(TreatMissingData=treatment)
    assert place.state() == state


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
