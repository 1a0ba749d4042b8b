"""A run whose execution failed is reported in one message with the redrive command, and can continue."""

from __future__ import annotations

import json
import re
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from local.stack.deployment import STACK_NAME

if TYPE_CHECKING:
    from collections.abc import Iterator

    from local.stack.stack import Stack

PARAMS = {"model": "claude-haiku-4-5", "max_tokens": 16, "messages": [{"role": "user", "content": "Hello"}]}
SECONDS = 30.0


@contextmanager
def fewer_retries(stack: Stack) -> Iterator[None]:
    """Let the state machine retry a failed task once, instead of for 24 hours."""
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
def without_policy(stack: Stack, role: str) -> Iterator[None]:
    """Remove the only policy of a role for the length of the block."""
    (policy,) = stack.iam.list_role_policies(RoleName=role)["PolicyNames"]
    document = json.dumps(stack.iam.get_role_policy(RoleName=role, PolicyName=policy)["PolicyDocument"])
    stack.iam.delete_role_policy(RoleName=role, PolicyName=policy)
    try:
        yield
    finally:
        stack.iam.put_role_policy(RoleName=role, PolicyName=policy, PolicyDocument=document)


@contextmanager
def without_permissions(stack: Stack, function: str) -> Iterator[None]:
    """Remove all permissions of a function, which then fails."""
    arn = stack.lambdas.get_function_configuration(FunctionName=stack.functions[function])["Role"]
    role = arn.rsplit("/", 1)[-1]
    with without_policy(stack, role):
        yield


def test_a_run_whose_function_fails_is_reported_and_continues_after_a_redrive(stack: Stack) -> None:
    """The execution fails, one message has the redrive command, and a redrive creates no second batch."""
    key = "inbox/red.jsonl"
    paid = stack.provider_stats()["calls"].get("create", 0)
    before = reset_alarm(stack, "RunFailedAlarm")
    with fewer_retries(stack), without_permissions(stack, "split"):
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
    (message,) = [one for one in stack.messages() if one.text == red]
    assert message.subject == "Conveyor: broken red (a step kept failing; nothing is lost)"
    lines = red.splitlines()
    assert lines[0] == "The run of red is paused: its execution ended FAILED."
    assert f"Error: {ended['error']}" in lines
    assert f"  aws stepfunctions redrive-execution --region us-east-1 --execution-arn {execution}" in lines
    (alarm,) = stack.wait_for(lambda: alarms(stack, "RunFailedAlarm")[before:] or None, SECONDS, "alarm")
    machine = stack.outputs["StateMachineArn"]
    assert f"list-executions --region us-east-1 --state-machine-arn {machine} --status-filter FAILED" in alarm

    # The local AWS has no RedriveExecution. A redrive starts at the failed task; this starts at the first one.
    stack.states.start_execution(
        stateMachineArn=stack.outputs["StateMachineArn"], name=f"{run}-again", input=ended["input"]
    )
    assert stack.wait_for_message(run).status == "completed"
    assert len(stack.lines(f"results/red/{run}/results.jsonl")) == 1
    assert stack.provider_stats()["calls"]["create"] == paid + 1
    assert red_messages(stack, run) == [red]


def test_an_event_that_eventbridge_cannot_deliver_is_in_a_queue_and_the_alarm_still_comes(
    stack: Stack,
) -> None:
    """A paused run is still reported if the rule's role lacks its permissions."""
    before = reset_alarm(stack, "RunAbortedAlarm")
    machine = stack.outputs["StateMachineArn"]
    with rule_without_permissions(stack):
        name = f"aborted-{time.time_ns()}"
        started = stack.states.start_execution(stateMachineArn=machine, name=name, input='{"wait_seconds": 60000}')
        stack.states.stop_execution(executionArn=started["executionArn"])
        event = stack.wait_for(lambda: undelivered(stack, name), SECONDS, "message in the dead-letter queue")
    assert event["status"] == "ABORTED"
    assert event["executionArn"] == started["executionArn"]
    stack.wait_for(lambda: alarms(stack, "RunAbortedAlarm")[before:] or None, SECONDS, "alarm")
    assert red_messages(stack, name) == []


@contextmanager
def rule_without_permissions(stack: Stack) -> Iterator[None]:
    """Remove all permissions from the role of the rule for failed runs."""
    (role,) = [
        resource["PhysicalResourceId"]
        for resource in stack.aws.client("cloudformation").describe_stack_resources(StackName=STACK_NAME)[
            "StackResources"
        ]
        if resource["LogicalResourceId"] == "RedRuleRole"
    ]
    with without_policy(stack, role):
        yield


def undelivered(stack: Stack, name: str) -> dict[str, Any] | None:
    """Take the event about an execution from the dead-letter queue, and return its detail or None."""
    url = stack.outputs["FailedRunDeadLetterQueueUrl"]
    for message in stack.sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", []):
        stack.sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        detail: dict[str, Any] = json.loads(message["Body"])["detail"]
        if detail["name"] == name:
            return detail
    return None


def reset_alarm(stack: Stack, alarm: str) -> int:
    """Set an alarm, given by its name in the template, to OK, and count its messages so far."""
    cloudwatch = stack.aws.client("cloudwatch")
    (found,) = cloudwatch.describe_alarms(AlarmNamePrefix=f"{STACK_NAME}-{alarm}-")["MetricAlarms"]
    cloudwatch.set_alarm_state(AlarmName=found["AlarmName"], StateValue="OK", StateReason="for a test")
    return len(alarms(stack, alarm))


def alarms(stack: Stack, alarm: str) -> list[str]:
    """Return the descriptions in the messages of an alarm."""
    texts = [message.text for message in stack.messages() if message.text.startswith('{"AlarmName"')]
    states = [json.loads(text) for text in texts]
    return [state["AlarmDescription"] for state in states if state["AlarmName"].startswith(f"{STACK_NAME}-{alarm}-")]


def is_running(stack: Stack, execution: str) -> bool:
    """Whether an execution is running, or about to start: the fact of its run is written before."""
    try:
        return stack.states.describe_execution(executionArn=execution)["status"] == "RUNNING"
    except stack.states.exceptions.ExecutionDoesNotExist:
        return True


def red_messages(stack: Stack, run: str) -> list[str]:
    """Return the texts of the messages about a run's failed executions, which have no status."""
    return [message.text for message in stack.messages() if not message.status and run in message.text]
