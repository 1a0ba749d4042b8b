"""State machines act with their role's permissions.

MiniStack asks no policy when a task calls another service. On AWS the call is the role's: what it may not do fails the
task, with the error that the Java SDK of that service has for it.
"""
# ruff: noqa: SLF001 - a mend reaches inside

from __future__ import annotations

from contextvars import ContextVar
from typing import Any
from uuid import uuid4

from ministack.services import stepfunctions

from local.emulation.roles import denial
from local.emulation.topics import key_of

type Json = dict[str, Any]

execute_task = stepfunctions._execute_task
invoke_resource = stepfunctions._invoke_resource

# Who acts: the role's ARN and the execution's name, which is the name of the role's session.
actor: ContextVar[tuple[str, str] | None] = ContextVar("actor", default=None)


def mend() -> None:
    """Put the mend in place."""
    stepfunctions._execute_task = _execute_task
    stepfunctions._invoke_resource = _invoke_resource


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
        _require("sns:Publish", arguments["TopicArn"], "SNS.AuthorizationErrorException", "AuthorizationError")
        key = key_of(arguments["TopicArn"])
        for action in ("kms:GenerateDataKey", "kms:Decrypt") if key else ():
            _require(action, str(key), "SNS.KMSAccessDeniedException", "KMSAccessDenied")
    return invoke_resource(resource, arguments)


def _require(action: str, resource: str, error: str, code: str) -> None:
    acting = actor.get()
    reason = denial(*acting, action, resource) if acting else None
    if reason:
        raise stepfunctions._ExecutionError(error, f"{reason} (Error Code: {code}; Request ID: {uuid4()})")
