"""Rules and alarms of the local AWS publish to a topic under the same conditions as on AWS."""

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
SECONDS = 60.0
OF_ACCOUNT = {"StringEquals": {"aws:SourceAccount": ACCOUNT}}
FAILS: Json = {"StartAt": "Fail", "States": {"Fail": {"Type": "Fail", "Error": "Broken"}}}
TRUST = {"Effect": "Allow", "Principal": {"Service": "states.amazonaws.com"}, "Action": "sts:AssumeRole"}


@dataclass(frozen=True)
class Place:
    """A topic with a subscriber, and a rule that publishes to it; what it cannot deliver goes into a queue."""

    aws: Aws
    name: str

    def client(self, service: str) -> Any:
        """Return a client, which is closed with the local AWS."""
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

    def set_up(self, statement: Json, key: str = "", queue_for: str = "", queue_key: str = "") -> None:
        """Create all; the topic has one statement; it and the queue may have a key; the queue is for one rule."""
        sns, sqs, events = (self.client(service) for service in ("sns", "sqs", "events"))
        attributes = {"KmsMasterKeyId": key} if key else {}
        sns.create_topic(Name=self.name, Attributes=attributes | {"Policy": policy(statement, "sns:Publish")})
        for name, service, source in (
            (f"{self.name}-got", "sns", self.topic),
            (f"{self.name}-lost", "events", queue_for or self.rule),
        ):
            allowed = allows(f"{service}.amazonaws.com", {"ArnEquals": {"aws:SourceArn": source}})
            encrypted = {"KmsMasterKeyId": queue_key} if queue_key and service == "events" else {}
            sqs.create_queue(QueueName=name, Attributes=encrypted | {"Policy": policy(allowed, "sqs:SendMessage")})
        sns.subscribe(TopicArn=self.topic, Protocol="sqs", Endpoint=self.arn("sqs", f"{self.name}-got"))
        events.put_rule(Name=self.name, EventPattern=json.dumps({"source": [self.name]}))
        lost = {"Arn": self.arn("sqs", f"{self.name}-lost")}
        events.put_targets(Rule=self.name, Targets=[{"Id": "1", "Arn": self.topic, "DeadLetterConfig": lost}])

    def send(self) -> None:
        """Put an event that the rule matches."""
        entry = {"Source": self.name, "DetailType": "Test", "Detail": '{"run": "r"}'}
        assert self.client("events").put_events(Entries=[entry])["FailedEntryCount"] == 0

    def bodies(self, kind: str) -> list[Json]:
        """Receive the messages that the subscriber `got`, or those that were `lost`."""
        sqs = self.client("sqs")
        url = sqs.get_queue_url(QueueName=f"{self.name}-{kind}")["QueueUrl"]
        return [json.loads(message["Body"]) for message in sqs.receive_message(QueueUrl=url).get("Messages", [])]

    def make_key(self, statement: Json) -> str:
        """Create a key for topics, with one statement and that of its administrator."""
        administrator = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, "Action": "kms:*"}
        used = statement | {"Action": ["kms:GenerateDataKey*", "kms:Decrypt"]}
        statements = [part | {"Resource": "*"} for part in (administrator, used)]
        created = self.client("kms").create_key(Policy=json.dumps({"Version": "2012-10-17", "Statement": statements}))
        arn: str = created["KeyMetadata"]["Arn"]
        return arn

    def make_alarm(self, namespace: str, metric: str, dimensions: Mapping[str, str], **more: Any) -> None:
        """Create an alarm with the topic's name, on a sum above 0."""
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
        listed = [{"Name": name, "Value": text} for name, text in dimensions.items()]
        at = datetime.now(UTC) - timedelta(minutes=minutes_ago)
        data = {"MetricName": "Errors", "Dimensions": listed, "Timestamp": at, "Value": value}
        self.client("cloudwatch").put_metric_data(Namespace=self.name, MetricData=[data])


@pytest.fixture
def place(aws: Aws) -> Place:
    """Return names that no other test uses."""
    return Place(aws, f"t-{uuid4().hex[:8]}")


def allows(service: str, condition: Json | None = None) -> Json:
    """Return a statement that allows a service an action."""
    statement: Json = {"Effect": "Allow", "Principal": {"Service": service}}
    return statement | ({"Condition": condition} if condition else {})


def policy(statement: Json, action: str) -> str:
    """Return a policy with one statement."""
    return json.dumps({"Version": "2012-10-17", "Statement": [statement | {"Action": action, "Resource": "*"}]})


def wait_for[T](look_up: Callable[[], T]) -> T:
    """Call `look_up` until it returns something, or the time is over."""
    deadline = time.monotonic() + SECONDS
    while not (value := look_up()) and time.monotonic() < deadline:
        time.sleep(0.05)
    return value


EVENTBRIDGE = allows("events.amazonaws.com")
CLOUDWATCH = allows("cloudwatch.amazonaws.com", OF_ACCOUNT)


def test_a_rule_publishes_if_the_topics_policy_allows_eventbridge(place: Place) -> None:
    """Without a condition."""
    place.set_up(EVENTBRIDGE)
    place.send()
    (got,) = wait_for(lambda: place.bodies("got"))
    assert json.loads(got["Message"])["detail"] == {"run": "r"}
    assert place.bodies("lost") == []


@pytest.mark.parametrize("condition", ["aws:SourceArn", "aws:SourceAccount"])
def test_a_statement_with_a_condition_does_not_allow_eventbridge(place: Place, condition: str) -> None:
    """Even if it is met: AWS documents that conditions are not supported. The event goes into the rule's queue."""
    met = {"aws:SourceArn": place.rule, "aws:SourceAccount": ACCOUNT}[condition]
    place.set_up(allows("events.amazonaws.com", {"StringEquals": {condition: met}}))
    place.send()
    (lost,) = wait_for(lambda: place.bodies("lost"))
    assert (lost["source"], lost["detail"]) == (place.name, {"run": "r"})
    assert place.bodies("got") == []


@pytest.mark.parametrize("condition", [None, OF_ACCOUNT])
def test_a_rule_publishes_to_an_encrypted_topic_only_with_its_keys_permission(
    place: Place, condition: Json | None
) -> None:
    """EventBridge meets no condition there either."""
    place.set_up(EVENTBRIDGE, key=place.make_key(allows("events.amazonaws.com", condition)))
    place.send()
    assert len(wait_for(lambda: place.bodies("lost" if condition else "got"))) == 1
    assert place.bodies("got" if condition else "lost") == []


def test_an_undelivered_message_needs_permission_of_the_queue(place: Place) -> None:
    """Else it is lost, as on AWS."""
    place.set_up(CLOUDWATCH, queue_for=f"{place.rule}-of-another")
    place.send()
    time.sleep(0.5)
    assert place.bodies("got") + place.bodies("lost") == []


@pytest.mark.parametrize(("of_key", "is_kept"), [(EVENTBRIDGE, True), (CLOUDWATCH, False)])
def test_an_undelivered_message_needs_the_key_of_the_queue_or_it_is_counted_as_lost(
    place: Place, of_key: Json, *, is_kept: bool
) -> None:
    """The metric has an alarm in the template."""
    place.set_up(CLOUDWATCH, queue_key=place.make_key(of_key))
    place.make_alarm("AWS/Events", "InvocationsFailedToBeSentToDlq", {"RuleName": place.name})
    place.send()
    assert len(wait_for(lambda: place.bodies("lost" if is_kept else "got"))) == 1
    assert place.bodies("got" if is_kept else "lost") == []


@pytest.mark.parametrize(("statement", "comes"), [(CLOUDWATCH, True), (EVENTBRIDGE, False)])
def test_an_alarm_publishes_if_the_topics_policy_allows_cloudwatch(
    place: Place, statement: Json, *, comes: bool
) -> None:
    """It meets conditions on account and alarm."""
    place.set_up(statement)
    place.make_alarm(place.name, "Errors", {"FunctionName": "a"})
    place.put(1, FunctionName="a")
    assert [json.loads(body["Message"])["NewStateValue"] for body in place.bodies("got")] == ["ALARM"] * comes


def test_an_alarm_watches_the_metric_of_its_dimensions_only(place: Place) -> None:
    """Errors of one function do not set off the alarm of another."""
    place.set_up(CLOUDWATCH)
    place.make_alarm(place.name, "Errors", {"FunctionName": "a"})
    place.put(1, FunctionName="b")
    assert place.bodies("got") == []


def test_an_alarm_counts_the_periods_that_breach(place: Place) -> None:
    """Three of six: neither many errors in one period nor errors in two periods set it off."""
    place.set_up(CLOUDWATCH)
    place.make_alarm(place.name, "Errors", {}, Period=600, EvaluationPeriods=6, DatapointsToAlarm=3)
    for minutes in (1, 1, 1, 15):
        place.put(1, minutes)
    assert place.bodies("got") == []
    place.put(1, 35)
    assert len(place.bodies("got")) == 1


def test_a_failed_execution_is_counted_by_the_metric_of_its_alarm(place: Place) -> None:
    """The dimension is the ARN of the state machine."""
    place.set_up(CLOUDWATCH)
    with closing(place.client("iam")) as iam:
        trust = json.dumps({"Version": "2012-10-17", "Statement": [TRUST]})
        role = iam.create_role(RoleName=place.name, AssumeRolePolicyDocument=trust)["Role"]["Arn"]
    states = place.client("stepfunctions")
    machine = states.create_state_machine(name=place.name, definition=json.dumps(FAILS), roleArn=role)
    place.make_alarm("AWS/States", "ExecutionsFailed", {"StateMachineArn": machine["stateMachineArn"]})
    states.start_execution(stateMachineArn=machine["stateMachineArn"])
    (got,) = wait_for(lambda: place.bodies("got"))
    assert json.loads(got["Message"])["AlarmName"] == place.name
