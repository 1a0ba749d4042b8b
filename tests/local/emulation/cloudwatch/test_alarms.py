"""Alarms go off and end as on AWS."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from tests.support.measured import wait_for

if TYPE_CHECKING:
    from tests.support.measured import Place


def test_a_value_in_a_log_sets_off_an_alarm_which_ends_without_one(place: Place) -> None:
    """Of the alarm's dimensions only. As on AWS, periods without data are not breaching, if the alarm says so."""
    place.set_up()
    place.alarm(Period=10)
    place.print(place.document(value=100, dimensions=[["service", "reason"]]), place.document(value=10))
    assert place.state() == "OK"
    place.print(place.document(value=11))
    assert place.state() == "ALARM"
    assert wait_for(lambda: place.state() == "OK")


def test_a_message_in_a_queue_sets_off_an_alarm(place: Place) -> None:
    """As long as it can be received."""
    queue = place.aws.client("sqs").create_queue(QueueName=place.name)["QueueUrl"]
    watched = {"Namespace": "AWS/SQS", "MetricName": "ApproximateNumberOfMessagesVisible", "Threshold": 0}
    place.alarm(**watched, Dimensions=[{"Name": "QueueName", "Value": place.name}], Period=10)
    place.aws.client("sqs").send_message(QueueUrl=queue, MessageBody="m")
    assert wait_for(lambda: place.state() == "ALARM")
    place.aws.client("sqs").purge_queue(QueueUrl=queue)
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


def test_the_history_of_an_alarm_has_what_its_actions_did(place: Place) -> None:
    """Of those that are switched on; also that a topic does not let it publish."""
    cloudwatch, sns = place.aws.client("cloudwatch"), place.aws.client("sns")
    topic = sns.create_topic(Name=place.name)["TopicArn"]
    place.alarm(AlarmActions=[topic], TreatMissingData="ignore")

    def permit(service: str) -> None:
        statement = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sns:Publish", "Resource": topic}
        policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        sns.set_topic_attributes(TopicArn=topic, AttributeName="Policy", AttributeValue=policy)

    def done() -> list[str]:
        for state in ("OK", "ALARM"):
            cloudwatch.set_alarm_state(AlarmName=place.name, StateValue=state, StateReason="a test")
        answer = cloudwatch.describe_alarm_history(AlarmName=place.name, HistoryItemType="Action")
        return sorted(each["HistorySummary"] for each in answer["AlarmHistoryItems"])

    failed, did = f"Failed to execute action {topic}", f"Successfully executed action {topic}"
    cloudwatch.disable_alarm_actions(AlarmNames=[place.name])
    assert done() == []
    cloudwatch.enable_alarm_actions(AlarmNames=[place.name])
    permit("s3.amazonaws.com")
    assert done() == [failed]
    permit("cloudwatch.amazonaws.com")
    assert done() == [failed, did]
