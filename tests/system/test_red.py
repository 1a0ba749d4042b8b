"""A run that a crash has ended is red, says so in one message with the command to type, and can go on."""

from __future__ import annotations

import json
import re
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from local.stack import Stack

PARAMS = {"model": "claude-haiku-4-5", "max_tokens": 16, "messages": [{"role": "user", "content": "Hello"}]}
SECONDS = 30.0


@contextmanager
def impatient(stack: Stack) -> Iterator[None]:
    """Let the state machine try a failed task twice in all, instead of for 24 hours."""
    machine = stack.outputs["StateMachineArn"]
    definition = stack.states.describe_state_machine(stateMachineArn=machine)["definition"]
    cut, count = re.subn(r'"MaxAttempts":\s*\d+', '"MaxAttempts": 1', definition)
    assert count == len(re.findall(r'"Type":\s*"Task"', definition))
    stack.states.update_state_machine(stateMachineArn=machine, definition=cut)
    try:
        yield
    finally:
        stack.states.update_state_machine(stateMachineArn=machine, definition=definition)


@contextmanager
def powerless(stack: Stack, function: str) -> Iterator[None]:
    """Take all permissions from a function, which crashes then."""
    arn = stack.lambdas.get_function_configuration(FunctionName=stack.functions[function])["Role"]
    role = arn.rsplit("/", 1)[-1]
    (policy,) = stack.iam.list_role_policies(RoleName=role)["PolicyNames"]
    document = json.dumps(stack.iam.get_role_policy(RoleName=role, PolicyName=policy)["PolicyDocument"])
    stack.iam.delete_role_policy(RoleName=role, PolicyName=policy)
    try:
        yield
    finally:
        stack.iam.put_role_policy(RoleName=role, PolicyName=policy, PolicyDocument=document)


def test_a_run_whose_function_crashes_is_red_and_goes_on_after_a_redrive(stack: Stack) -> None:
    """Nothing catches the crash, one message says what to type, and typing it costs no second batch."""
    key = "inbox/red.jsonl"
    paid = stack.provider_stats()["calls"].get("create", 0)
    with impatient(stack), powerless(stack, "split"):
        version = stack.drop(json.dumps({"custom_id": "a", "params": PARAMS}).encode(), key)
        run = stack.wait_for(lambda: stack.run_of(key, version), SECONDS, "run")
        execution = stack.outputs["StateMachineArn"].replace(":stateMachine:", ":execution:") + f":{run}"
        stack.wait_for(lambda: not is_running(stack, execution) or None, SECONDS, "end of the execution")
    ended = stack.states.describe_execution(executionArn=execution)
    assert ended["status"] == "FAILED"
    assert ended["error"]
    history = stack.states.get_execution_history(executionArn=execution, maxResults=1000)
    assert "AccessDenied" in json.dumps(history, default=str)

    (red,) = stack.wait_for(lambda: red_messages(stack, run) or None, SECONDS, "red message")
    assert f"Conveyor run {run} ended FAILED." in red
    lines = [line.strip('"') for line in red.splitlines()]  # EventBridge leaves the quotes of its template on
    assert f"Error: {ended['error']}" in lines
    assert f"aws stepfunctions redrive-execution --region us-east-1 --execution-arn {execution}" in lines

    # The local AWS knows no RedriveExecution. A redrive begins with the failed task; this begins with the first one.
    stack.states.start_execution(
        stateMachineArn=stack.outputs["StateMachineArn"], name=f"{run}-again", input=ended["input"]
    )
    assert stack.wait_for_message(run).status == "completed"
    assert len(stack.lines(f"results/red/{run}/results.jsonl")) == 1
    assert stack.provider_stats()["calls"]["create"] == paid + 1
    assert red_messages(stack, run) == [red]


def is_running(stack: Stack, execution: str) -> bool:
    """Whether an execution goes on."""
    return stack.states.describe_execution(executionArn=execution)["status"] == "RUNNING"


def red_messages(stack: Stack, run: str) -> list[str]:
    """Give the texts of the messages about a run that are not its own last word, which has a status."""
    return [message.text for message in stack.messages() if not message.status and run in message.text]
