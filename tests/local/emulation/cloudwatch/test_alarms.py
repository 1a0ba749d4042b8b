"""Alarms go off and end as on AWS."""

from __future__ import annotations

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
