"""A run that a crash has ended is red, says so in one message with the command to type, and can go on."""

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
    before = silence(stack, "RunFailedAlarm")
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
    (message,) = [each for each in stack.messages() if each.text == red]
    assert message.subject == "Conveyor: broken red (a step kept failing; nothing is lost)"
    lines = red.splitlines()
    assert lines[0] == "The run of red is paused: its execution ended FAILED."
    assert f"Error: {ended['error']}" in lines
    assert f"  aws stepfunctions redrive-execution --region us-east-1 --execution-arn {execution}" in lines
    (alarm,) = stack.wait_for(lambda: alarms(stack, "RunFailedAlarm")[before:] or None, SECONDS, "alarm")
    machine = stack.outputs["StateMachineArn"]
    assert f"list-executions --region us-east-1 --state-machine-arn {machine} --status-filter FAILED" in alarm

    # The local AWS knows no RedriveExecution. A redrive begins with the failed task; this begins with the first one.
    stack.states.start_execution(
        stateMachineArn=stack.outputs["StateMachineArn"], name=f"{run}-again", input=ended["input"]
    )
    assert stack.wait_for_message(run).status == "completed"
    assert len(stack.lines(f"results/red/{run}/results.jsonl")) == 1
    assert stack.provider_stats()["calls"]["create"] == paid + 1
    assert red_messages(stack, run) == [red]


def test_a_message_that_eventbridge_may_not_have_told_waits_in_a_queue_and_the_alarm_comes_all_the_same(
    stack: Stack,
) -> None:
    """Whoever breaks the rule's role does not silence the news of a run that stands still."""
    before = silence(stack, "RunAbortedAlarm")
    machine = stack.outputs["StateMachineArn"]
    with powerless_rule(stack):
        name = f"aborted-{time.time_ns()}"
        started = stack.states.start_execution(stateMachineArn=machine, name=name, input='{"wait_seconds": 60000}')
        stack.states.stop_execution(executionArn=started["executionArn"])
        event = stack.wait_for(lambda: undelivered(stack, name), SECONDS, "message in the dead-letter queue")
    assert event["status"] == "ABORTED"
    assert event["executionArn"] == started["executionArn"]
    stack.wait_for(lambda: alarms(stack, "RunAbortedAlarm")[before:] or None, SECONDS, "alarm")
    assert red_messages(stack, name) == []


@contextmanager
def powerless_rule(stack: Stack) -> Iterator[None]:
    """Take all permissions from the role of the rule for failed runs."""
    (role,) = [
        each["PhysicalResourceId"]
        for each in stack.aws.client("cloudformation").describe_stack_resources(StackName=STACK_NAME)["StackResources"]
        if each["LogicalResourceId"] == "RedRuleRole"
    ]
    (policy,) = stack.iam.list_role_policies(RoleName=role)["PolicyNames"]
    document = json.dumps(stack.iam.get_role_policy(RoleName=role, PolicyName=policy)["PolicyDocument"])
    stack.iam.delete_role_policy(RoleName=role, PolicyName=policy)
    try:
        yield
    finally:
        stack.iam.put_role_policy(RoleName=role, PolicyName=policy, PolicyDocument=document)


def undelivered(stack: Stack, name: str) -> dict[str, Any] | None:
    """Take the event about an execution out of the queue of undelivered messages: its detail."""
    url = stack.outputs["FailedRunDeadLetterQueueUrl"]
    for message in stack.sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", []):
        stack.sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        detail: dict[str, Any] = json.loads(message["Body"])["detail"]
        if detail["name"] == name:
            return detail
    return None


def silence(stack: Stack, alarm: str) -> int:
    """Bring an alarm, given by its name in the template, into the state OK, and count its messages so far."""
    cloudwatch = stack.aws.client("cloudwatch")
    (found,) = cloudwatch.describe_alarms(AlarmNamePrefix=f"{STACK_NAME}-{alarm}-")["MetricAlarms"]
    cloudwatch.set_alarm_state(AlarmName=found["AlarmName"], StateValue="OK", StateReason="for a test")
    return len(alarms(stack, alarm))


def alarms(stack: Stack, alarm: str) -> list[str]:
    """Give the descriptions in the messages of an alarm."""
    texts = [message.text for message in stack.messages() if message.text.startswith('{"AlarmName"')]
    named = [json.loads(text) for text in texts]
    return [each["AlarmDescription"] for each in named if each["AlarmName"].startswith(f"{STACK_NAME}-{alarm}-")]


def is_running(stack: Stack, execution: str) -> bool:
    """Whether an execution goes on."""
    return stack.states.describe_execution(executionArn=execution)["status"] == "RUNNING"


def red_messages(stack: Stack, run: str) -> list[str]:
    """Give the texts of the messages about a run that are not its own last word, which has a status."""
    return [message.text for message in stack.messages() if not message.status and run in message.text]
