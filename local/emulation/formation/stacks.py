"""CloudFormation: the policy of a bucket that exists already, and the deletion of a state machine.

MiniStack replaces a policy that a bucket has; on AWS a stack that creates one fails, and adopts it only by an import.
And MiniStack removes a state machine at once, with its executions; on AWS it is being deleted until each of them has
reached its next state, which ends it, and the stack waits for that.

MiniStack reads templates in Python; here libyaml reads them, in a tenth of the time.
"""
# ruff: noqa: SLF001 - a patch replaces private names

from __future__ import annotations

import time
from typing import Any

from ministack.core.responses import error_response_json
from ministack.services import s3, stepfunctions
from ministack.services.cloudformation import changesets, engine, provisioners, stacks

type Json = dict[str, Any]

BUCKET_POLICY, STATE_MACHINE = "AWS::S3::BucketPolicy", "AWS::StepFunctions::StateMachine"
DELETING = "DELETING"
LOOK_SECONDS = 0.05

create_policy = provisioners._s3_bucket_policy_create
delete_machine = provisioners._sfn_state_machine_delete
runs_on_worker_thread = stacks._runs_on_worker_thread
start_execution = stepfunctions._start_execution
add_event = stepfunctions._add_event


def patch() -> None:
    """Apply the patches."""
    policy: Json = provisioners._RESOURCE_HANDLERS[BUCKET_POLICY]
    policy |= {"create": _create_policy, "import": _import_policy}
    changesets._IMPORT_LOOKUPS[BUCKET_POLICY] = (("Bucket",), _policy_problem)
    provisioners._RESOURCE_HANDLERS[STATE_MACHINE]["delete"] = _delete_machine
    stacks._runs_on_worker_thread = _runs_on_worker_thread
    stepfunctions._start_execution = _start_execution
    stepfunctions._add_event = _add_event
    engine.CfnLoader = _Loader


class _Loader(engine.yaml.CSafeLoader):  # type: ignore[misc]  # MiniStack has no types
    """Reads a template with CloudFormation's tags."""

    yaml_constructors = engine.CfnLoader.yaml_constructors


def _create_policy(logical_id: str, properties: Json, stack: str) -> object:
    bucket = properties.get("Bucket", "")
    if bucket in s3._bucket_policies:
        raise ValueError(f"The bucket policy already exists on bucket {bucket}.")
    return create_policy(logical_id, properties, stack)


def _import_policy(identifier: Json) -> tuple[str, Json]:
    return f"{identifier['Bucket']}-policy", {}


def _policy_problem(bucket: str) -> str | None:
    """Return why there is no policy to import, or None."""
    if bucket in s3._bucket_policies:
        return None
    return f"Resource of type '{BUCKET_POLICY}' with identifier '{bucket}' was not found."


def _runs_on_worker_thread(resource_type: str) -> bool:
    """Let the server answer while a machine is being deleted."""
    return resource_type == STATE_MACHINE or runs_on_worker_thread(resource_type)


def _delete_machine(arn: str, properties: Json) -> None:
    """Remove a machine when all its executions have ended."""
    machine = stepfunctions._state_machines.get(arn)
    if machine:
        machine["status"] = DELETING
        while any(_is_running(execution, arn) for execution in list(stepfunctions._executions.values())):
            time.sleep(LOOK_SECONDS)
    delete_machine(arn, properties)


def _is_running(execution: Json, machine: str) -> bool:
    return bool(execution["stateMachineArn"] == machine and execution["status"] == "RUNNING")


def _start_execution(data: Json) -> object:
    arn = stepfunctions._resolve_state_machine_arn(data.get("stateMachineArn", ""))
    if arn and stepfunctions._state_machines[arn].get("status") == DELETING:
        return error_response_json("StateMachineDeleting", f"State Machine Deleting: '{arn}'", 400)
    return start_execution(data)


def _add_event(execution: Json, event_type: str, details: Json | None = None) -> object:
    """End an execution that enters a state of a machine that is being deleted."""
    machine = stepfunctions._state_machines.get(execution["stateMachineArn"], {})
    if machine.get("status") == DELETING and event_type.endswith("StateEntered"):
        raise stepfunctions._ExecutionError("States.Runtime", f"State machine {machine['name']} has been deleted.")
    return add_event(execution, event_type, details)
