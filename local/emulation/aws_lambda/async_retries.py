"""Asynchronous invocations: they are retried, and events that keep failing go to the OnFailure destination.

MiniStack invokes a rule's target only once. On AWS a rule invokes asynchronously like any other caller, with the
settings of the alias or version in the ARN, and those of $LATEST if it names none. MiniStack writes to the destination
whatever the function's role permits; on AWS the role must permit it, and the use of the queue's key, else the event is
lost and counted by the metric DestinationDeliveryFailures.
"""
# ruff: noqa: SLF001 - a patch replaces private names

from __future__ import annotations

import json
import logging
import os
from typing import Any

from ministack.services import cloudwatch, eventbridge, lambda_svc

from local.emulation.customer_keys import queue_key_denial
from local.emulation.iam import denial

type Json = dict[str, Any]

SEND = {"sqs": "sqs:SendMessage", "sns": "sns:Publish", "lambda": "lambda:InvokeFunction"}
FIRST_RETRY_SECONDS = 60.0  # twice as long before the second retry

logger = logging.getLogger("ministack")
dispatch_to_lambda = eventbridge._dispatch_to_lambda
invoke_async_with_retry = lambda_svc.invoke_async_with_retry
route_async_failure = lambda_svc._route_async_failure


def patch() -> None:
    """Apply the patches. Retries wait as long as on AWS, times SFN_WAIT_SCALE."""
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
        dispatch_to_lambda(arn, payload)  # which logs that the function does not exist
        return
    record = lambda_svc._execution_record_for_config(function, {**config, "FunctionArn": arn})
    lambda_svc.invoke_async_with_retry(record, json.loads(payload))


def _invoke_async_with_retry(function: Json, event: object) -> None:
    config = function.get("config") or function
    name, qualifier = lambda_svc._lambda_function_name_and_qualifier_from_arn(config["FunctionArn"])
    known = lambda_svc._functions[name]
    settings = lambda_svc._event_invoke_config(known, qualifier or "$LATEST")
    if settings is None and not qualifier:
        settings = lambda_svc._event_invoke_config(
            known, None
        )  # as PutFunctionEventInvokeConfig keeps those of $LATEST
    invoke_async_with_retry({**function, "event_invoke_config": settings, "event_invoke_configs": {}}, event)


def _route_async_failure(target: str, name: str, event: object, result: Json) -> None:
    role = lambda_svc._functions[name]["config"]["Role"]
    reason = denial(role, name, SEND[target.split(":")[2]], target) or queue_key_denial(role, name, target)
    if reason:
        logger.warning("Lambda %s lost a failed event: %s", name, reason)
        cloudwatch.record_metric("AWS/Lambda", "DestinationDeliveryFailures", 1, "Count", {"FunctionName": name})
        return
    route_async_failure(target, name, event, result)
