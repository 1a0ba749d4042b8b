"""Functions that subscribe to a topic: they are invoked asynchronously, and only with their policy's permission.

MiniStack invokes such a function once, whatever its policy says. On AWS the topic needs `lambda:InvokeFunction`, Lambda
repeats a failed event, and an event that keeps failing goes to the function's OnFailure destination. What SNS
cannot hand over goes into the dead-letter queue of the subscription (RedrivePolicy), if the queue's policy lets it.
"""
# ruff: noqa: SLF001 - a patch replaces private names

from __future__ import annotations

import json
import logging
from typing import Any

from ministack.core import iam_evaluator as evaluator
from ministack.core.responses import get_account_id, get_region
from ministack.services import lambda_svc, sns

type Json = dict[str, Any]

TOPICS = "sns.amazonaws.com"

logger = logging.getLogger("ministack")


def patch() -> None:
    """Apply the patch."""
    sns._deliver_to_lambda = _deliver


def _deliver(endpoint: str, envelope: str, topic: str, subscription: str, *_: Any) -> None:  # noqa: ANN401
    function, config, _name = lambda_svc._get_func_record_for_ref(endpoint)
    if not function or not config or not _may_invoke(endpoint, topic):
        logger.warning("SNS: %s may not invoke %s", topic, endpoint)
        _redrive(envelope, topic, subscription)
        return
    record = {"EventVersion": "1.0", "EventSubscriptionArn": subscription, "EventSource": "aws:sns"}
    event = {"Records": [{**record, "Sns": json.loads(envelope)}]}
    called = lambda_svc._execution_record_for_config(function, {**config, "FunctionArn": endpoint})
    lambda_svc.invoke_async_with_retry(called, event)


def _may_invoke(function: str, topic: str) -> bool:
    policy = evaluator._resource_policy("lambda", function)
    context = evaluator.EvalContext(
        principal_arn="*",
        principal_type="Service",
        principal_account="",
        action="lambda:InvokeFunction",
        resource_arn=function,
        region=get_region(),
        service_context={"aws:sourcearn": topic, "aws:sourceaccount": get_account_id()},
    )
    decision = evaluator.evaluate_resource_policy(policy[0] if policy else {}, context, service=TOPICS)
    return bool(decision.decision == "Allow")


def _redrive(envelope: str, topic: str, subscription: str) -> None:
    """Put what cannot be delivered into the queue of the subscription, if it has one."""
    known = next(each for each in sns._topics[topic]["subscriptions"] if each["arn"] == subscription)
    queue = json.loads(known["attributes"].get("RedrivePolicy") or "{}").get("deadLetterTargetArn")
    if queue:
        sns._deliver_to_sqs(queue, envelope, False, envelope, topic_arn=topic)  # noqa: FBT003
