"""Alarms are evaluated by their dimensions and period by period, and Step Functions has metrics.

MiniStack ignores the dimensions of an alarm's metric, adds up all periods, evaluates alarms only when a client puts
data, not when a service does, and has no metrics of executions. Here an alarm is evaluated with each value of its
metric. AWS evaluates every minute, so an alarm can also end without a value; here it stays until the next one.
"""
# ruff: noqa: SLF001 - a patch replaces private names

from __future__ import annotations

import operator
import time
from typing import Any

from ministack.services import cloudwatch, stepfunctions

type Json = dict[str, Any]

COMPARISONS = {
    "GreaterThanThreshold": operator.gt,
    "GreaterThanOrEqualToThreshold": operator.ge,
    "LessThanThreshold": operator.lt,
    "LessThanOrEqualToThreshold": operator.le,
}
METRIC_OF_STATUS = {"FAILED": "ExecutionsFailed", "TIMED_OUT": "ExecutionsTimedOut", "ABORTED": "ExecutionsAborted"}

record_metric = cloudwatch.record_metric
emit_execution_status_event = stepfunctions._emit_execution_status_event


def patch() -> None:
    """Apply the patches."""
    cloudwatch._evaluate_alarm = _evaluate_alarm
    cloudwatch.record_metric = _record_metric
    stepfunctions._emit_execution_status_event = _emit_execution_status_event


def _evaluate_alarm(alarm: Json) -> None:
    """Set the state of an alarm; periods without data are not breaching."""
    dimensions = cloudwatch._dims_key(cloudwatch._dims_from_list(alarm["Dimensions"]))
    points = cloudwatch._metrics.get((alarm["Namespace"], alarm["MetricName"], dimensions), [])
    now, breaching = time.time(), 0
    for number in range(alarm["EvaluationPeriods"]):
        end = now - number * alarm["Period"]
        values = [point for point in points if end - alarm["Period"] < point["Timestamp"] <= end]
        if values:
            value = cloudwatch._stat_value(cloudwatch._calc_stats(values), alarm["Statistic"])
            breaching += COMPARISONS[alarm["ComparisonOperator"]](value, alarm["Threshold"])
    needed = int(alarm.get("DatapointsToAlarm") or alarm["EvaluationPeriods"])
    old, new = alarm["StateValue"], "ALARM" if breaching >= needed else "OK"
    if old != new:
        reason = f"Threshold Crossed: {breaching} of {alarm['EvaluationPeriods']} periods are breaching"
        alarm |= {"StateValue": new, "StateReason": reason, "StateUpdatedTimestamp": int(now)}
        cloudwatch._record_history(alarm["AlarmName"], old, new, reason)
        cloudwatch._dispatch_alarm_actions(alarm, old, new, reason)


def _record_metric(namespace: str, name: str, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - MiniStack's own
    record_metric(namespace, name, *args, **kwargs)
    for alarm in list(cloudwatch._alarms.values()):
        if (alarm["Namespace"], alarm["MetricName"]) == (namespace, name):
            _evaluate_alarm(alarm)


def _emit_execution_status_event(execution: Json) -> None:
    emit_execution_status_event(execution)
    metric = METRIC_OF_STATUS.get(execution["status"])
    if metric:
        _record_metric("AWS/States", metric, 1, "Count", {"StateMachineArn": execution["stateMachineArn"]})
