"""EventBridge and CloudWatch need permission from a topic's policy, and from that of its key, to publish.

MiniStack checks neither. On AWS a rule's message without permission is lost, or put into the target's dead-letter
queue; an alarm's is lost, and its history says so. For EventBridge a statement with a condition permits nothing: "You
can't use Condition blocks in Amazon SNS topic policies for EventBridge" (EventBridge User Guide, "Using resource-based
policies"); it also does not name a source when it uses a key.
"""
# ruff: noqa: SLF001 - a patch replaces private names

from __future__ import annotations

import json
import logging
import time
from typing import Any

from ministack.core.arn import parse_arn
from ministack.core.responses import get_account_id
from ministack.services import cloudwatch, eventbridge, sqs

from local.emulation.customer_keys import key_of_queue
from local.emulation.iam import EVENTS, denial, permits
from local.emulation.sns.topics import key_of

type Json = dict[str, Any]

ALARMS = "cloudwatch.amazonaws.com"
KEY_ACTIONS = ("kms:GenerateDataKey", "kms:Decrypt")

logger = logging.getLogger("ministack")
invoke_target = eventbridge._invoke_target
dispatch_alarm_actions = cloudwatch._dispatch_alarm_actions


def patch() -> None:
    """Apply the patches."""
    eventbridge._invoke_target = _invoke_target
    cloudwatch._dispatch_alarm_actions = _dispatch_alarm_actions


def may_publish(topic: str, service: str, source: str) -> bool:
    """Return whether a service may publish to a topic for a rule or an alarm, given by its ARN."""
    key = key_of(topic)
    required = [("sns:Publish", topic), *((action, key) for action in KEY_ACTIONS if key)]
    keys = {"aws:sourcearn": source}
    return all(permits(action, str(resource), service, keys) for action, resource in required)


def _may_deliver(target: Json, rule: Json) -> bool:
    """Return whether a rule may publish to a topic (by its policy) or start a state machine (by the target's role)."""
    arn, role = target["Arn"], target.get("RoleArn")
    match parse_arn(arn).service:
        case "sns":
            return may_publish(arn, EVENTS, rule["Arn"])
        case "states":
            return role is not None and denial(role, rule["Name"], "states:StartExecution", arn) is None
        case _:
            return True


def _invoke_target(target: Json, event: Json, rule: Json, view: Any = None) -> None:  # noqa: ANN401 - MiniStack's own
    if _may_deliver(target, rule):
        invoke_target(target, event, rule, view)
        return
    logger.warning("EventBridge: the rule %s may not deliver to %s", rule["Name"], target["Arn"])
    cloudwatch.record_metric("AWS/Events", "FailedInvocations", 1, "Count", {"RuleName": rule["Name"]})
    queue = target.get("DeadLetterConfig", {}).get("Arn")
    if not queue:
        return
    key = key_of_queue(queue)
    may_encrypt = all(permits(action, key, EVENTS, {}) for action in KEY_ACTIONS if key)
    if may_encrypt and sqs.queue_policy_allows(queue, EVENTS, rule["Arn"], get_account_id()):
        undelivered = json.dumps((view or eventbridge._pattern_event_view(event)).event_with_detail())
        eventbridge._dispatch_to_sqs(parse_arn(queue), undelivered)
        return
    logger.warning("EventBridge: the rule %s lost an event", rule["Name"])
    cloudwatch.record_metric("AWS/Events", "InvocationsFailedToBeSentToDlq", 1, "Count", {"RuleName": rule["Name"]})


def _dispatch_alarm_actions(alarm: Json, old_state: str, new_state: str, reason: str) -> None:
    """Publish to the topics that let it, and note in the history of the alarm what its actions did."""
    actions = {"ALARM": "AlarmActions", "OK": "OKActions", "INSUFFICIENT_DATA": "InsufficientDataActions"}[new_state]
    topics = [arn for arn in alarm.get(actions) or [] if cloudwatch._is_sns_action_arn(arn)]
    permitted = [topic for topic in topics if may_publish(topic, ALARMS, alarm["AlarmArn"])]
    for topic in set(topics) - set(permitted):
        logger.warning("CloudWatch: the alarm %s may not publish to %s", alarm["AlarmName"], topic)
    dispatch_alarm_actions({**alarm, actions: permitted}, old_state, new_state, reason)
    for topic in topics if alarm.get("ActionsEnabled", True) else []:
        summary = "Successfully executed" if topic in permitted else "Failed to execute"
        entry = {"AlarmName": alarm["AlarmName"], "AlarmType": "MetricAlarm", "HistoryItemType": "Action"}
        entry |= {"Timestamp": cloudwatch._ts_iso(time.time()), "HistorySummary": f"{summary} action {topic}"}
        cloudwatch._history_entries().append(entry | {"HistoryData": "{}"})
