"""What AWS itself publishes, the local AWS publishes under the same conditions: by rules, and by alarms."""

from __future__ import annotations

import json
import time
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from local.stack.local_aws import REGION

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from local.stack.local_aws import Aws

type Json = dict[str, Any]

ACCOUNT = "000000000000"
SECONDS = 10.0
OF_ACCOUNT = {"StringEquals": {"aws:SourceAccount": ACCOUNT}}
FAILS: Json = {"StartAt": "Fail", "States": {"Fail": {"Type": "Fail", "Error": "Broken"}}}
TRUST = {"Effect": "Allow", "Principal": {"Service": "states.amazonaws.com"}, "Action": "sts:AssumeRole"}


@dataclass(frozen=True)
class Place:
    """A topic with a subscriber, and a rule whose messages go to it, else into a queue."""

    aws: Aws
    name: str

    def client(self, service: str) -> Any:
        """Give a client, closed with the local AWS."""
        return self.aws.client(service)

    def arn(self, service: str, resource: str) -> str:
        """Build an ARN."""
        return f"arn:aws:{service}:{REGION}:{ACCOUNT}:{resource}"

    @property
    def topic(self) -> str:
        """The topic's ARN."""
        return self.arn("sns", self.name)

    @property
    def rule(self) -> str:
        """The rule's ARN."""
        return self.arn("events", f"rule/{self.name}")

    def set_up(self, statement: Json, key: str = "", queue_for: str = "") -> None:
        """Make it all; the topic has one statement, and a key if one is named; the queue takes from one rule."""
        sns, sqs, events = (self.client(service) for service in ("sns", "sqs", "events"))
        attributes = {"KmsMasterKeyId": key} if key else {}
        sns.create_topic(Name=self.name, Attributes=attributes | {"Policy": policy(statement, "sns:Publish")})
        for name, service, source in (
            (f"{self.name}-got", "sns", self.topic),
            (f"{self.name}-lost", "events", queue_for or self.rule),
        ):
            allowed = allows(f"{service}.amazonaws.com", {"ArnEquals": {"aws:SourceArn": source}})
            sqs.create_queue(QueueName=name, Attributes={"Policy": policy(allowed, "sqs:SendMessage")})
        sns.subscribe(TopicArn=self.topic, Protocol="sqs", Endpoint=self.arn("sqs", f"{self.name}-got"))
        events.put_rule(Name=self.name, EventPattern=json.dumps({"source": [self.name]}))
        lost = {"Arn": self.arn("sqs", f"{self.name}-lost")}
        events.put_targets(Rule=self.name, Targets=[{"Id": "1", "Arn": self.topic, "DeadLetterConfig": lost}])

    def send(self) -> None:
        """Put an event that the rule matches."""
        entry = {"Source": self.name, "DetailType": "Test", "Detail": '{"run": "r"}'}
        assert self.client("events").put_events(Entries=[entry])["FailedEntryCount"] == 0

    def bodies(self, of: str) -> list[Json]:
        """Take the messages that are `got` by the subscriber, or `lost` to it."""
        sqs = self.client("sqs")
        url = sqs.get_queue_url(QueueName=f"{self.name}-{of}")["QueueUrl"]
        return [json.loads(each["Body"]) for each in sqs.receive_message(QueueUrl=url).get("Messages", [])]

    def make_key(self, statement: Json) -> str:
        """Make a key for topics with one statement beside its administrator's."""
        administrator = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, "Action": "kms:*"}
        used = statement | {"Action": ["kms:GenerateDataKey*", "kms:Decrypt"]}
        statements = [each | {"Resource": "*"} for each in (administrator, used)]
        made = self.client("kms").create_key(Policy=json.dumps({"Version": "2012-10-17", "Statement": statements}))
        arn: str = made["KeyMetadata"]["Arn"]
        return arn

    def make_alarm(self, namespace: str, metric: str, dimensions: Mapping[str, str], **more: Any) -> None:
        """Make an alarm on a sum above 0, of the topic's name."""
        watched = [{"Name": name, "Value": value} for name, value in dimensions.items()]
        more = {"Period": 60, "EvaluationPeriods": 1} | more
        self.client("cloudwatch").put_metric_alarm(
            AlarmName=self.name,
            Namespace=namespace,
            MetricName=metric,
            Dimensions=watched,
            Statistic="Sum",
            Threshold=0,
            ComparisonOperator="GreaterThanThreshold",
            TreatMissingData="notBreaching",
            AlarmActions=[self.topic],
            **more,
        )

    def put(self, value: float, minutes_ago: float = 0, **dimensions: str) -> None:
        """Put a value of the metric `Errors`."""
        given = [{"Name": name, "Value": each} for name, each in dimensions.items()]
        at = datetime.now(UTC) - timedelta(minutes=minutes_ago)
        data = {"MetricName": "Errors", "Dimensions": given, "Timestamp": at, "Value": value}
        self.client("cloudwatch").put_metric_data(Namespace=self.name, MetricData=[data])


@pytest.fixture
def place(aws: Aws) -> Place:
    """Give names of its own."""
    return Place(aws, f"t-{uuid4().hex[:8]}")


def allows(service: str, condition: Json | None = None) -> Json:
    """Make a statement that lets a service do something."""
    statement: Json = {"Effect": "Allow", "Principal": {"Service": service}}
    return statement | ({"Condition": condition} if condition else {})


def policy(statement: Json, action: str) -> str:
    """Make a policy of one statement."""
    return json.dumps({"Version": "2012-10-17", "Statement": [statement | {"Action": action, "Resource": "*"}]})


def come[Findings](look: Callable[[], Findings]) -> Findings:
    """Look until something has come."""
    deadline = time.monotonic() + SECONDS
    while not (found := look()) and time.monotonic() < deadline:
        time.sleep(0.05)
    return found


EVENTBRIDGE = allows("events.amazonaws.com")
CLOUDWATCH = allows("cloudwatch.amazonaws.com", OF_ACCOUNT)


def test_a_rule_publishes_where_the_topics_policy_lets_eventbridge(place: Place) -> None:
    """Without any condition."""
    place.set_up(EVENTBRIDGE)
    place.send()
    (got,) = come(lambda: place.bodies("got"))
    assert json.loads(got["Message"])["detail"] == {"run": "r"}
    assert place.bodies("lost") == []


@pytest.mark.parametrize("condition", ["aws:SourceArn", "aws:SourceAccount"])
def test_a_statement_with_a_condition_does_not_let_eventbridge_publish(place: Place, condition: str) -> None:
    """Although it would be met: AWS documents that there can be none. The event waits in the rule's queue."""
    met = {"aws:SourceArn": place.rule, "aws:SourceAccount": ACCOUNT}[condition]
    place.set_up(allows("events.amazonaws.com", {"StringEquals": {condition: met}}))
    place.send()
    (lost,) = come(lambda: place.bodies("lost"))
    assert (lost["source"], lost["detail"]) == (place.name, {"run": "r"})
    assert place.bodies("got") == []


@pytest.mark.parametrize("condition", [None, OF_ACCOUNT])
def test_a_rule_publishes_to_an_encrypted_topic_only_with_its_keys_permission(
    place: Place, condition: Json | None
) -> None:
    """And a condition there is one that EventBridge does not meet."""
    place.set_up(EVENTBRIDGE, key=place.make_key(allows("events.amazonaws.com", condition)))
    place.send()
    assert len(come(lambda: place.bodies("lost" if condition else "got"))) == 1
    assert place.bodies("got" if condition else "lost") == []


def test_a_queue_that_takes_nothing_from_a_rule_does_not_get_what_it_could_not_deliver(place: Place) -> None:
    """Then the message is lost, as on AWS."""
    place.set_up(CLOUDWATCH, queue_for=f"{place.rule}-of-another")
    place.send()
    time.sleep(0.5)
    assert place.bodies("got") + place.bodies("lost") == []


@pytest.mark.parametrize(("statement", "comes"), [(CLOUDWATCH, True), (EVENTBRIDGE, False)])
def test_an_alarm_publishes_where_the_topics_policy_lets_cloudwatch(
    place: Place, statement: Json, *, comes: bool
) -> None:
    """Conditions on account and alarm are met."""
    place.set_up(statement)
    place.make_alarm(place.name, "Errors", {"FunctionName": "a"})
    place.put(1, FunctionName="a")
    assert [json.loads(each["Message"])["NewStateValue"] for each in place.bodies("got")] == ["ALARM"] * comes


def test_an_alarm_watches_the_metric_of_its_dimensions_only(place: Place) -> None:
    """Errors of one function are no alarm of another's."""
    place.set_up(CLOUDWATCH)
    place.make_alarm(place.name, "Errors", {"FunctionName": "a"})
    place.put(1, FunctionName="b")
    assert place.bodies("got") == []


def test_an_alarm_counts_the_periods_that_breach(place: Place) -> None:
    """Three of six: many errors in one period are no alarm, nor is one error in each of two."""
    place.set_up(CLOUDWATCH)
    place.make_alarm(place.name, "Errors", {}, Period=600, EvaluationPeriods=6, DatapointsToAlarm=3)
    for minutes in (1, 1, 1, 15):
        place.put(1, minutes)
    assert place.bodies("got") == []
    place.put(1, 35)
    assert len(place.bodies("got")) == 1


def test_an_execution_that_fails_is_counted_where_its_alarm_looks(place: Place) -> None:
    """Step Functions counts under the ARN of the state machine."""
    place.set_up(CLOUDWATCH)
    with closing(place.client("iam")) as iam:
        trust = json.dumps({"Version": "2012-10-17", "Statement": [TRUST]})
        role = iam.create_role(RoleName=place.name, AssumeRolePolicyDocument=trust)["Role"]["Arn"]
    states = place.client("stepfunctions")
    machine = states.create_state_machine(name=place.name, definition=json.dumps(FAILS), roleArn=role)
    place.make_alarm("AWS/States", "ExecutionsFailed", {"StateMachineArn": machine["stateMachineArn"]})
    states.start_execution(stateMachineArn=machine["stateMachineArn"])
    (got,) = come(lambda: place.bodies("got"))
    assert json.loads(got["Message"])["AlarmName"] == place.name
