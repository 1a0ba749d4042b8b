"""Asynchronous invocations: tried again, and what failed for good goes to the OnFailure destination.

MiniStack has a rule's target invoked once. On AWS a rule invokes asynchronously like any other, and the settings are
those of the alias or version that was named; where none was, of $LATEST, which MiniStack tells from none. MiniStack
writes to the destination whatever the function's role may do; on AWS that is the role's write, and where it may not,
the event is lost and the metric DestinationDeliveryFailures counts it.
"""
# ruff: noqa: SLF001 - a mend reaches inside

from __future__ import annotations

import json
import logging
import os
from typing import Any

from ministack.services import cloudwatch, eventbridge, lambda_svc

from local.emulation.roles import denial

type Json = dict[str, Any]

SEND = {"sqs": "sqs:SendMessage", "sns": "sns:Publish", "lambda": "lambda:InvokeFunction"}
FIRST_RETRY_SECONDS = 60.0  # and twice as many before the second one

logger = logging.getLogger("ministack")
dispatch_to_lambda = eventbridge._dispatch_to_lambda
invoke_async_with_retry = lambda_svc.invoke_async_with_retry
route_async_failure = lambda_svc._route_async_failure


def mend() -> None:
    """Put the mends in place. Retries wait as long as on AWS, scaled like all other waits."""
    eventbridge._dispatch_to_lambda = _dispatch_to_lambda
    lambda_svc.invoke_async_with_retry = _invoke_async_with_retry
    lambda_svc._route_async_failure = _route_async_failure
    if "LAMBDA_ASYNC_RETRY_BASE_SECONDS" not in os.environ:
        seconds = FIRST_RETRY_SECONDS * float(os.environ.get("SFN_WAIT_SCALE", "1"))
        lambda_svc._LAMBDA_ASYNC_RETRY_BASE_SECONDS = seconds
        lambda_svc._LAMBDA_ASYNC_RETRY_MAX_SECONDS = 2 * seconds


def _dispatch_to_lambda(arn: str, payload: str) -> None:
    function, config, _ = lambda_svc._get_func_record_for_ref(arn)
    if not function or not config:
        dispatch_to_lambda(arn, payload)  # which logs that there is none
        return
    named = lambda_svc._execution_record_for_config(function, {**config, "FunctionArn": arn})
    lambda_svc.invoke_async_with_retry(named, json.loads(payload))


def _invoke_async_with_retry(function: Json, event: object) -> None:
    config = function.get("config") or function
    name, qualifier = lambda_svc._lambda_function_name_and_qualifier_from_arn(config["FunctionArn"])
    settings = lambda_svc._event_invoke_config(lambda_svc._functions[name], qualifier or "$LATEST")
    invoke_async_with_retry({**function, "event_invoke_config": settings, "event_invoke_configs": {}}, event)


def _route_async_failure(target: str, name: str, event: object, result: Json) -> None:
    role = lambda_svc._functions[name]["config"]["Role"]
    reason = denial(role, name, SEND[target.split(":")[2]], target)
    if reason:
        logger.warning("Lambda %s lost a failed event: %s", name, reason)
        cloudwatch.record_metric("AWS/Lambda", "DestinationDeliveryFailures", 1, "Count", {"FunctionName": name})
        return
    route_async_failure(target, name, event, result)
