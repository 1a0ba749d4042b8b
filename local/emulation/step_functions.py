"""The tasks of a state machine, and its log, need the permissions of its role. A Parallel has an Output.

MiniStack checks no policy when a task calls another service. On AWS a task without permission fails, with the error
that the Java SDK of that service has for it. It lets a machine log whatever its role permits, and keeps the logging of
a template under names that no client reads. And it ignores the field Output of a JSONata Parallel.
"""
# ruff: noqa: SLF001 - a patch replaces private names

from __future__ import annotations

from contextvars import ContextVar
from typing import Any
from uuid import uuid4

from ministack.core.responses import error_response_json
from ministack.services import stepfunctions
from ministack.services.cloudformation import provisioners

from local.emulation import events_put
from local.emulation.iam import denial
from local.emulation.sns.topics import key_of

type Json = dict[str, Any]

MACHINE = provisioners._RESOURCE_HANDLERS["AWS::StepFunctions::StateMachine"]
LOGGING = tuple(
    f"logs:{action}"
    for action in (
        "CreateLogDelivery", "CreateLogStream", "GetLogDelivery", "UpdateLogDelivery", "DeleteLogDelivery",
        "ListLogDeliveries", "PutLogEvents", "PutResourcePolicy", "DescribeResourcePolicies", "DescribeLogGroups",
    )
)  # fmt: skip
"""What the role of a machine that logs needs, as AWS documents it (Step Functions Developer Guide, "Logging")."""
NO_LOG = "The state machine IAM Role is not authorized to access the Log Destination"

create = MACHINE["create"]
create_state_machine = stepfunctions._create_state_machine
update_state_machine = stepfunctions._update_state_machine
execute_parallel = stepfunctions._execute_parallel
execute_task = stepfunctions._execute_task
invoke_resource = stepfunctions._invoke_resource

# The role's ARN, and the execution's name, which is the name of the role's session.
role_session: ContextVar[tuple[str, str] | None] = ContextVar("role_session", default=None)
# The ARNs of the execution and of its machine.
running: ContextVar[tuple[str, str]] = ContextVar("running")


def patch() -> None:
    """Apply the patches."""
    MACHINE["create"] = _create
    stepfunctions._create_state_machine = _create_state_machine
    stepfunctions._update_state_machine = _update_state_machine
    stepfunctions._execute_parallel = _execute_parallel
    stepfunctions._execute_task = _execute_task
    stepfunctions._invoke_resource = _invoke_resource


def _create(logical_id: str, properties: Json, stack: str) -> tuple[str, Json]:
    """Create the machine of a template, with the names of the API for its logging."""
    logging = _decapitalized(properties.get("LoggingConfiguration"))
    if not _may_log(properties.get("RoleArn"), logging):
        raise ValueError(NO_LOG)
    given = properties | ({"LoggingConfiguration": logging} if logging else {})
    created: tuple[str, Json] = create(logical_id, given, stack)
    return created


def _create_state_machine(data: Json) -> Any:  # noqa: ANN401 - MiniStack's own
    if not _may_log(data.get("roleArn"), data.get("loggingConfiguration")):
        return error_response_json("AccessDeniedException", NO_LOG, 400)
    return create_state_machine(data)


def _update_state_machine(data: Json) -> Any:  # noqa: ANN401 - MiniStack's own
    """Update a machine, by the API or for a template."""
    known = stepfunctions._state_machines.get(data.get("stateMachineArn"), {})
    given = data
    if "loggingConfiguration" in data:
        given = data | {"loggingConfiguration": _decapitalized(data["loggingConfiguration"])}
    now = known | given
    if not _may_log(now.get("roleArn"), now.get("loggingConfiguration")):
        return error_response_json("AccessDeniedException", NO_LOG, 400)
    return update_state_machine(given)


def _may_log(role: str | None, logging: Json | None) -> bool:
    if role is None or (logging or {}).get("level", "OFF") == "OFF":
        return True
    return all(denial(role, "states", action, "*") is None for action in LOGGING)


def _decapitalized(value: Any) -> Any:  # noqa: ANN401 - anything that JSON holds
    """Return a value of a template with the names that the API has."""
    if isinstance(value, dict):
        return {name[0].lower() + name[1:]: _decapitalized(each) for name, each in value.items()}
    return [_decapitalized(each) for each in value] if isinstance(value, list) else value


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
