"""The metrics of Lambda, Step Functions and SQS that our alarms and dashboard watch.

MiniStack counts only the calls of Invoke by clients, not those of state machines and events, and has no metrics of
executions and queues. AWS measures a queue every minute; here each change of it is seen within a second.
"""
# ruff: noqa: SLF001 - a patch replaces private names

from __future__ import annotations

import threading
import time
from typing import Any

from ministack.core.responses import request_scope
from ministack.services import cloudwatch, lambda_svc, sqs, stepfunctions

type Json = dict[str, Any]

EXECUTIONS = {
    "RUNNING": "ExecutionsStarted",
    "SUCCEEDED": "ExecutionsSucceeded",
    "FAILED": "ExecutionsFailed",
    "TIMED_OUT": "ExecutionsTimedOut",
    "ABORTED": "ExecutionsAborted",
}
SECONDS, UNCHANGED_SECONDS = 1.0, 30.0
"""Between two looks at queues, and between two values of a queue that does not change."""

emit_execution_status_event = stepfunctions._emit_execution_status_event
execute_function_dispatch = lambda_svc._execute_function_dispatch
measured: dict[str, tuple[int, float]] = {}
"""The last value of each queue, given by its ARN, and when it was recorded."""


def patch() -> None:
    """Apply the patches, and start the thread that looks at queues."""
    stepfunctions._emit_execution_status_event = _emit_execution_status_event
    lambda_svc._execute_function_dispatch = _execute_function_dispatch
    lambda_svc._emit_lambda_metrics = _emit_lambda_metrics
    threading.Thread(target=_measure_queues, daemon=True).start()


def _emit_execution_status_event(execution: Json) -> None:
    emit_execution_status_event(execution)
    metric = EXECUTIONS[execution["status"]]
    cloudwatch.record_metric("AWS/States", metric, 1, "Count", {"StateMachineArn": execution["stateMachineArn"]})


def _execute_function_dispatch(function: Json, config: Json, *more: Any) -> Json:  # noqa: ANN401 - MiniStack's own
    start = time.monotonic()
    result: Json = execute_function_dispatch(function, config, *more)
    of = {"FunctionName": config["FunctionName"]}
    for metric, value in (("Invocations", 1), ("Errors", int(bool(result.get("error")))), ("Throttles", 0)):
        cloudwatch.record_metric("AWS/Lambda", metric, value, "Count", of)
    cloudwatch.record_metric("AWS/Lambda", "Duration", 1000 * (time.monotonic() - start), "Milliseconds", of)
    return result


def _emit_lambda_metrics(function_name: str, duration_ms: float, *, error: bool, throttle: bool) -> None:  # noqa: ARG001 - MiniStack's own
    """Count a throttled call, which MiniStack reports without a duration; all others are counted above."""
    if throttle and not duration_ms:
        cloudwatch.record_metric("AWS/Lambda", "Throttles", 1, "Count", {"FunctionName": function_name})


def _measure_queues() -> None:
    while True:
        time.sleep(SECONDS)
        for (account, region, _), queue in list(sqs._queues._data.items()):
            with request_scope(account, region):
                _measure(queue)


def _measure(queue: Json) -> None:
    """Record how many messages can be received, if that has changed or the last value is old."""
    arn, now = queue["attributes"]["QueueArn"], time.time()
    visible = sum(message["visible_at"] <= now for message in list(queue["messages"]))
    value, recorded = measured.get(arn, (0, 0.0))
    if visible != value or now - recorded > UNCHANGED_SECONDS:
        measured[arn] = visible, now
        of = {"QueueName": arn.rpartition(":")[2]}
        cloudwatch.record_metric("AWS/SQS", "ApproximateNumberOfMessagesVisible", visible, "Count", of)
