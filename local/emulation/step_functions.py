"""The tasks of a state machine need the permissions of its role. A Parallel has an Output.

MiniStack checks no policy when a task calls another service. On AWS a task without permission fails, with the error
that the Java SDK of that service has for it. And MiniStack ignores the field Output of a JSONata Parallel.
"""
# ruff: noqa: SLF001 - a patch replaces private names

from __future__ import annotations

from contextvars import ContextVar
from typing import Any
from uuid import uuid4

from ministack.services import stepfunctions

from local.emulation import events_put
from local.emulation.iam import denial
from local.emulation.sns.topics import key_of

type Json = dict[str, Any]

execute_parallel = stepfunctions._execute_parallel
execute_task = stepfunctions._execute_task
invoke_resource = stepfunctions._invoke_resource

# The role's ARN, and the execution's name, which is the name of the role's session.
role_session: ContextVar[tuple[str, str] | None] = ContextVar("role_session", default=None)
# The ARNs of the execution and of its machine.
running: ContextVar[tuple[str, str]] = ContextVar("running")


def patch() -> None:
    """Apply the patches."""
    stepfunctions._execute_parallel = _execute_parallel
    stepfunctions._execute_task = _execute_task
    stepfunctions._invoke_resource = _invoke_resource


def _execute_task(state: Json, task_input: object, execution: Json, context: Json) -> tuple[object, str | None]:
    machine = stepfunctions._state_machines[execution["stateMachineArn"]]
    role_session.set((machine["roleArn"], execution["name"]))
    running.set((execution["executionArn"], execution["stateMachineArn"]))
    result: tuple[object, str | None] = execute_task(state, task_input, execution, context)
    return result


def _execute_parallel(state: Json, given: object, execution: Json, context: Json) -> tuple[object, str | None]:
    results, following = execute_parallel(state, given, execution, context)
    if stepfunctions._state_query_language(state, context) == "JSONata":
        results = stepfunctions._apply_jsonata_output(state, given, context, result=results, default=results)
    return results, following


def _invoke_resource(resource: str, arguments: Json) -> object:
    if "states:::lambda:invoke" in resource:
        function = arguments["FunctionName"]
        _require("lambda:InvokeFunction", function, "Lambda.AWSLambdaException", "AccessDeniedException")
    elif "states:::sns:publish" in resource:
        _require("sns:Publish", arguments["TopicArn"], "SNS.AuthorizationErrorException", "AuthorizationError")
        key = key_of(arguments["TopicArn"])
        for action in ("kms:GenerateDataKey", "kms:Decrypt") if key else ():
            _require(action, str(key), "SNS.KMSAccessDeniedException", "KMSAccessDenied")
    elif events_put.RESOURCE in resource and (session := role_session.get()):
        return events_put.put(arguments, session[0], *running.get(), lambda sent: invoke_resource(resource, sent))
    return invoke_resource(resource, arguments)


def _require(action: str, resource: str, error: str, code: str) -> None:
    session = role_session.get()
    reason = denial(*session, action, resource) if session else None
    if reason:
        raise stepfunctions._ExecutionError(error, f"{reason} (Error Code: {code}; Request ID: {uuid4()})")
