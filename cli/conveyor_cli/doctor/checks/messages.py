"""Checks of what tells people: the topic's subscriptions, the alarms, and the failure queues. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from shlex import quote
from typing import Any, NamedTuple

from conveyor.wording.text import counted
from conveyor_cli.doctor.checks.policies import as_json
from conveyor_cli.doctor.finding import Fault, Finding, aws, failed, judged, ok, unasked

type Json = dict[str, Any]

_PENDING = "PendingConfirmation"
_ADDRESS = "<address>"
_SHOWN = 5


def subscriptions(region: str, topic: str, answer: Sequence[Json]) -> Finding:
    """Judge who gets the messages. `answer`: `Subscriptions` of ListSubscriptionsByTopic."""
    confirmed = [each for each in answer if each["SubscriptionArn"].startswith("arn:")]
    pending = [each for each in answer if each["SubscriptionArn"] == _PENDING]
    if not confirmed and not pending:
        more = "Nobody is told when a run waits, fails or ends. Subscribe an address, and confirm by the mail it gets:"
        return failed("nobody is subscribed", more, commands=[_subscribe(region, topic, "email", _ADDRESS)])
    if pending:
        names = ", ".join(each["Endpoint"] for each in pending[:_SHOWN])
        more = 'Click the link in the mail "AWS Notification - Subscription Confirmation", or ask for a new one:'
        again = [_subscribe(region, topic, each["Protocol"], each["Endpoint"]) for each in pending[:_SHOWN]]
        return failed(f"not confirmed: {names}", more, commands=again)
    kinds = ", ".join(sorted({each["Protocol"] for each in confirmed}))
    return ok(f"{counted(len(confirmed), 'confirmed subscription')} ({kinds})")


def _subscribe(region: str, topic: str, protocol: str, endpoint: str) -> str:
    command = aws(region, "sns subscribe", topic_arn=topic, protocol=protocol)
    return f"{command} --notification-endpoint {endpoint if endpoint == _ADDRESS else quote(endpoint)}"


class Alarm(NamedTuple):
    """An alarm as it was deployed."""

    name: str
    properties: Json
    """Of the template, whose words are those of PutMetricAlarm."""


def alarms(region: str, topic: str, expected: Mapping[str, Alarm], found: Mapping[str, Json]) -> Finding:
    """Judge the alarms. `expected`: by logical names. `found`: as DescribeAlarms says, by name."""

    def faults() -> Iterator[Fault]:
        for logical, (name, properties) in expected.items():
            alarm = found.get(name)
            given = as_json({"AlarmName": name, **properties})
            restore = aws(region, "cloudwatch put-metric-alarm", cli_input_json=given)
            if alarm is None:
                yield Fault(f"{logical} does not exist", restore)
                continue
            if not alarm.get("ActionsEnabled", True):
                command = aws(region, "cloudwatch enable-alarm-actions", alarm_names=name)
                yield Fault(f"{logical} tells nobody: its actions are off", command)
            if topic not in alarm.get("AlarmActions", []):
                yield Fault(f"{logical} does not send to the topic", restore)
            if alarm["StateValue"] == "ALARM":
                show = aws(region, "cloudwatch describe-alarms", alarm_names=name)
                yield Fault(f"{logical} is in ALARM", show)

    return judged(
        faults(), f"{len(expected)} of {len(expected)} on, none in ALARM", "What to do: docs/runbook.md, by the name."
    )


def drill_unasked() -> Finding:
    """Return that no alarm was tried."""
    return unasked("not tried; add --alarm (everybody who is subscribed gets a message)")


def drill(region: str, name: str, history: Sequence[str]) -> Finding:
    """Judge an alarm that was driven to ALARM and back. `history`: what its actions did."""
    if not history:
        show = aws(
            region, "cloudwatch describe-alarm-history", alarm_name=name, history_item_type="Action", max_items=5
        )
        return failed("the alarm went to ALARM, and no action followed", commands=[show])
    if failures := [each for each in history if not each.startswith("Successfully")]:
        return failed(failures[0])
    return ok("one went to ALARM and back, and sent its message: look whether it has come")


def queues(region: str, counts: Mapping[str, tuple[str, int]]) -> Finding:
    """Judge the failure queues: URLs and numbers of messages by logical name."""
    faults = [
        Fault(
            f"{name} has {counted(count, 'message')}",
            aws(region, "sqs receive-message", queue_url=url, message_attribute_names="All"),
        )
        for name, (url, count) in counts.items()
        if count
    ]
    more = "See what failed, and go on as docs/runbook.md says of the alarm of the queue."
    return judged(faults, f"{len(counts)} of {len(counts)} empty", more)
