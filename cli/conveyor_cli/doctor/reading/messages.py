"""Reads who gets messages, the alarms, the failure queues, and which executions have stopped; tries an alarm."""

from datetime import UTC, datetime, timedelta
from itertools import islice
from time import monotonic, sleep
from typing import Any

from conveyor_cli.doctor.checks import messages, runs
from conveyor_cli.doctor.finding import Finding, unasked
from conveyor_cli.doctor.reading.desk import Desk

type Json = dict[str, Any]

_DAYS = 14
"""In which an execution can be redriven."""
_ENDS = ("FAILED", "TIMED_OUT", "ABORTED")
_MOST = 100
"""Executions of each kind that are read."""
DRILLED = "QueueFullAlarm"
"""The alarm that is tried: what it says is the least urgent."""
_REASON = "Tried by conveyor doctor: nothing is wrong."
_ACTS = 30.0
"""Seconds within which an alarm acts."""
_PAUSE = 1.0


def subscriptions(desk: Desk) -> Finding:
    """Read who is subscribed to the topic."""
    topic = desk.id("Topic")
    pages = desk.client("sns").get_paginator("list_subscriptions_by_topic").paginate(TopicArn=topic)
    return messages.subscriptions(desk.region, topic, [each for page in pages for each in page["Subscriptions"]])


def alarms(desk: Desk) -> Finding:
    """Read all alarms of the stack."""
    names = desk.template.ids("AWS::CloudWatch::Alarm")
    expected = {each: messages.Alarm(name, desk.template.properties(each)) for each, name in names.items()}
    pages = desk.client("cloudwatch").get_paginator("describe_alarms").paginate(AlarmNames=list(names.values()))
    found = {each["AlarmName"]: each for page in pages for each in page["MetricAlarms"]}
    return messages.alarms(desk.region, desk.id("Topic"), expected, found)


def drill(desk: Desk) -> Finding:
    """Drive an alarm to ALARM and back, and read what its actions did. Sends a message to all who are subscribed."""
    cloudwatch, name = desk.client("cloudwatch"), desk.id(DRILLED)
    (alarm,) = cloudwatch.describe_alarms(AlarmNames=[name])["MetricAlarms"]
    if alarm["StateValue"] == "ALARM":
        return unasked(f"not tried: {DRILLED} is in ALARM")
    before = len(_actions(desk, name))
    cloudwatch.set_alarm_state(AlarmName=name, StateValue="ALARM", StateReason=_REASON)
    until = monotonic() + _ACTS
    while not (acted := _actions(desk, name)[before:]) and monotonic() < until:
        sleep(_PAUSE)
    cloudwatch.set_alarm_state(AlarmName=name, StateValue=alarm["StateValue"], StateReason=_REASON)
    return messages.drill(desk.region, name, acted)


def _actions(desk: Desk, alarm: str) -> list[str]:
    """Return what the actions of an alarm did in the last hours, the oldest first."""
    pages = desk.client("cloudwatch").get_paginator("describe_alarm_history")
    found = pages.paginate(
        AlarmName=alarm, HistoryItemType="Action", StartDate=_start_of_day(), ScanBy="TimestampAscending"
    )
    return [each["HistorySummary"] for page in found for each in page["AlarmHistoryItems"]]


def _start_of_day() -> datetime:
    """Return the last midnight but one in UTC: all that is read in one drill is read from the same moment on."""
    return datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=1)


def queues(desk: Desk) -> Finding:
    """Count what is in the failure queues."""
    sqs, counts = desk.client("sqs"), dict[str, tuple[str, int]]()
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    for logical, url in desk.template.ids("AWS::SQS::Queue").items():
        found = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
        counts[logical] = (url, sum(int(found[name]) for name in names))
    return messages.queues(desk.region, counts)


def executions(desk: Desk) -> Finding:
    """Read which executions did not succeed, and can still be redriven."""
    since = datetime.now(UTC) - timedelta(days=_DAYS)
    pages = desk.client("stepfunctions").get_paginator("list_executions")
    found = list[Json]()
    for status in _ENDS:
        listed = pages.paginate(stateMachineArn=desk.id("Machine"), statusFilter=status)
        every = (each for page in listed for each in page["executions"])
        found += [each for each in islice(every, _MOST) if each.get("stopDate", each["startDate"]) >= since]
    return runs.executions(desk.region, sorted(found, key=lambda each: each["startDate"], reverse=True), _DAYS)
