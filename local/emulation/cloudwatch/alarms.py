"""Alarms are evaluated by their dimensions and period by period.

MiniStack ignores the dimensions of an alarm's metric and how it treats missing data, adds up all periods, and
evaluates alarms only when a client puts data, not when a service does. AWS evaluates every minute. Here an alarm is
evaluated with each value of its metric, and once a second until it is OK, so that it also ends when no value comes any
more.
"""
# ruff: noqa: SLF001 - a patch replaces private names

from __future__ import annotations

import logging
import operator
import threading
import time
from typing import TYPE_CHECKING, Any

from ministack.core.responses import request_scope
from ministack.services import cloudwatch

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

type Json = dict[str, Any]

COMPARISONS = {
    "GreaterThanThreshold": operator.gt,
    "GreaterThanOrEqualToThreshold": operator.ge,
    "LessThanThreshold": operator.lt,
    "LessThanOrEqualToThreshold": operator.le,
}
SECONDS = 1.0
"""Between two evaluations of alarms that are not OK."""

logger = logging.getLogger("ministack")
record_metric = cloudwatch.record_metric
evaluating = threading.Lock()


def patch() -> None:
    """Apply the patches, and start the thread that ends alarms."""
    cloudwatch._evaluate_alarm = _evaluate_alarm
    cloudwatch.record_metric = _record_metric
    threading.Thread(target=_end_alarms, daemon=True).start()


def evaluate(namespace: str, metric: str) -> None:
    """Evaluate the alarms on a metric, after it has got a value."""
    _evaluate(lambda alarm: (alarm["Namespace"], alarm["MetricName"]) == (namespace, metric))


def _evaluate(concerns: Callable[[Json], bool]) -> None:
    for alarm in list(cloudwatch._alarms.values()):
        if concerns(alarm):
            _evaluate_alarm(alarm)


def _evaluate_alarm(alarm: Json) -> None:
    """Set the state of an alarm, and do what it does when that changes."""
    with evaluating:
        old, (new, reason) = alarm["StateValue"], _state(alarm)
        if old == new:
            return
        alarm |= {"StateValue": new, "StateReason": reason, "StateUpdatedTimestamp": int(time.time())}
        cloudwatch._record_history(alarm["AlarmName"], old, new, reason)
    cloudwatch._dispatch_alarm_actions(alarm, old, new, reason)


def _state(alarm: Json) -> tuple[str, str]:
    """Return the state that an alarm should have, and why."""
    count, treatment = alarm["EvaluationPeriods"], alarm.get("TreatMissingData") or "missing"
    values = _values(alarm)
    if not values and treatment in {"missing", "ignore"}:
        state = "INSUFFICIENT_DATA" if treatment == "missing" else alarm["StateValue"]
        return state, f"Insufficient Data: no data was received for {count} periods"
    compare = COMPARISONS[alarm["ComparisonOperator"]]
    breaching = sum(compare(value, alarm["Threshold"]) for value in values)
    if treatment == "breaching":
        breaching += count - len(values)
    needed = int(alarm.get("DatapointsToAlarm") or count)
    reason = f"Threshold Crossed: {breaching} of {count} periods are breaching"
    return ("ALARM" if breaching >= needed else "OK"), reason


def _values(alarm: Json) -> list[float]:
    """Return the statistic of each period that has data."""
    dimensions = cloudwatch._dims_key(cloudwatch._dims_from_list(alarm["Dimensions"]))
    points = list(cloudwatch._metrics.get((alarm["Namespace"], alarm["MetricName"], dimensions), []))
    statistic = alarm.get("ExtendedStatistic") or alarm["Statistic"]
    now, values = time.time(), []
    for number in range(alarm["EvaluationPeriods"]):
        end = now - number * alarm["Period"]
        period = [point for point in points if end - alarm["Period"] < point["Timestamp"] <= end]
        if period:
            values.append(cloudwatch._stat_value(cloudwatch._calc_stats(period), statistic, period))
    return values


def _end_alarms() -> None:
    """Evaluate alarms that are not OK, for ever; values of their metrics set off all others."""
    while True:
        time.sleep(SECONDS)
        for account, region in {key[:2] for key in list(cloudwatch._alarms._data)}:
            with request_scope(account, region):
                try:
                    _evaluate(lambda alarm: alarm["StateValue"] != "OK")
                except Exception:
                    logger.exception("CloudWatch: alarms were not evaluated")


def _record_metric(
    namespace: str, name: str, value: float, unit: str = "None", dimensions: Mapping[str, str] | None = None
) -> None:
    record_metric(namespace, name, value, unit, dimensions)
    evaluate(namespace, name)
