"""The tasks of a state machine need the permissions of its role.

MiniStack checks no policy when a task calls another service. On AWS a task without permission fails, with the error
that the Java SDK of that service has for it.
"""
# ruff: noqa: SLF001 - a patch replaces private names

from __future__ import annotations

from contextvars import ContextVar
from typing import Any
from uuid import uuid4

from ministack.services import stepfunctions

from local.emulation.iam import denial
from local.emulation.sns_topics import key_of

type Json = dict[str, Any]

execute_task = stepfunctions._execute_task
invoke_resource = stepfunctions._invoke_resource

# The role's ARN, and the execution's name, which is the name of the role's session.
role_session: ContextVar[tuple[str, str] | None] = ContextVar("role_session", default=None)


def patch() -> None:
    """Apply the patches."""
    stepfunctions._execute_task = _execute_task
    stepfunctions._invoke_resource = _invoke_resource


def _execute_task(state: Json, task_input: object, execution: Json, context: Json) -> tuple[object, str | None]:
    machine = stepfunctions._state_machines[execution["stateMachineArn"]]
    role_session.set((machine["roleArn"], execution["name"]))
    result: tuple[object, str | None] = execute_task(state, task_input, execution, context)
    return result


def _invoke_resource(resource: str, arguments: Json) -> object:
    if "states:::lambda:invoke" in resource:
        function = arguments["FunctionName"]
        _require("lambda:InvokeFunction", function, "Lambda.AWSLambdaException", "AccessDeniedException")
    elif "states:::sns:publish" in resource:
        _require("sns:Publish", arguments["TopicArn"], "SNS.AuthorizationErrorException", "AuthorizationError")
        key = key_of(arguments["TopicArn"])
        for action in ("kms:GenerateDataKey", "kms:Decrypt") if key else ():
            _require(action, str(key), "SNS.KMSAccessDeniedException", "KMSAccessDenied")
    return invoke_resource(resource, arguments)


def _require(action: str, resource: str, error: str, code: str) -> None:
    session = role_session.get()
    reason = denial(*session, action, resource) if session else None
    if reason:
        raise stepfunctions._ExecutionError(error, f"{reason} (Error Code: {code}; Request ID: {uuid4()})")
