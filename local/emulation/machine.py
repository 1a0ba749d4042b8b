"""State machines act with their role's permissions, and publish with message attributes.

MiniStack asks no policy when a task calls another service. On AWS the call is the role's: what it may not do fails the
task, with the error that the Java SDK of that service has for it. And MiniStack expects message attributes as a Query
API client writes them, so that those of a state machine are lost.
"""
# ruff: noqa: SLF001 - a mend reaches inside

from __future__ import annotations

from contextvars import ContextVar
from typing import Any
from uuid import uuid4

from ministack.services import kms, sns, stepfunctions

from local.emulation.roles import denial

type Json = dict[str, Any]

execute_task = stepfunctions._execute_task
invoke_resource = stepfunctions._invoke_resource
attributes_of_query = sns._parse_message_attributes

# Who acts: the role's ARN and the execution's name, which is the name of the role's session.
actor: ContextVar[tuple[str, str] | None] = ContextVar("actor", default=None)


def mend() -> None:
    """Put the mends in place."""
    stepfunctions._execute_task = _execute_task
    stepfunctions._invoke_resource = _invoke_resource
    sns._parse_message_attributes = _attributes


def _execute_task(state: Json, given: object, execution: Json, context: Json) -> tuple[object, str | None]:
    machine = stepfunctions._state_machines[execution["stateMachineArn"]]
    actor.set((machine["roleArn"], execution["name"]))
    done: tuple[object, str | None] = execute_task(state, given, execution, context)
    return done


def _invoke_resource(resource: str, arguments: Json) -> object:
    if "states:::lambda:invoke" in resource:
        function = arguments["FunctionName"]
        _require("lambda:InvokeFunction", function, "Lambda.AWSLambdaException", "AccessDeniedException")
    elif "states:::sns:publish" in resource:
        topic = arguments["TopicArn"]
        _require("sns:Publish", topic, "SNS.AuthorizationErrorException", "AuthorizationError")
        for action in ("kms:GenerateDataKey", "kms:Decrypt"):
            for key in _keys(topic):
                _require(action, key, "SNS.KMSAccessDeniedException", "KMSAccessDenied")
    return invoke_resource(resource, arguments)


def _keys(topic: str) -> list[str]:
    """Give the ARN of the key that encrypts a topic, if one does."""
    found = kms._resolve_key(sns._topics.get(topic, {}).get("attributes", {}).get("KmsMasterKeyId"))
    return [found["Arn"]] if found else []


def _require(action: str, resource: str, error: str, code: str) -> None:
    acting = actor.get()
    reason = denial(*acting, action, resource) if acting else None
    if reason:
        raise stepfunctions._ExecutionError(error, f"{reason} (Error Code: {code}; Request ID: {uuid4()})")


def _attributes(parameters: Json) -> Json:
    """Take the attributes of a state machine as they are, the others as before."""
    given = parameters.get("MessageAttributes")
    found: Json = given if isinstance(given, dict) else attributes_of_query(parameters)
    return found
