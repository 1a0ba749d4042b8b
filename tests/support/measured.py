"""A function of the local AWS that prints lines, with metrics and alarms of its own."""

from __future__ import annotations

import io
import json
import time
import zipfile
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from local.stack.local_aws import Aws

type Json = dict[str, Any]

SECONDS = 60.0
PROGRAM = """
def handler(event, context):
    if not event:
        raise ValueError
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


def wait_for(holds: Callable[[], bool]) -> bool:
    """Return whether something holds before the time is over."""
    deadline = time.monotonic() + SECONDS
    while not (found := holds()) and time.monotonic() < deadline:
        time.sleep(0.1)
    return found
