"""Every command of the runbook, and of every alarm, typed into a shell on the deployed stack.

No section is left out: a title without a scene fails. What messages type themselves, `test_message_commands.py` types.
"""

from __future__ import annotations

import json
import re
from contextlib import contextmanager
from functools import cache, partial
from typing import TYPE_CHECKING, Any

import pytest

from conveyor.domain.keys import BUDGETS
from conveyor.domain.status import Status
from local.stack.deployment import STACK_NAME
from local.stack.start import PLACEHOLDER_KEY, SECRET_NAME
from tests.support import runbook
from tests.support.shell.aws import Interpreter
from tests.support.shell.terminal import interpreted
from tests.support.system.operator import Operator, Redriving

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from local.stack.stack import Stack

pytestmark = pytest.mark.parametrize("stack", ["messages"], indirect=True)
WITH_COMMANDS = [title for title in runbook.sections() if runbook.not_typed_before(title)]
QUEUES = {
    "UploadDeadLetterAlarm": "UploadDeadLetterQueueUrl",
    "SubmitFailureAlarm": "SubmitFailureQueueUrl",
    "FailedRunDeadLetterAlarm": "FailedRunDeadLetterQueueUrl",
}


@pytest.fixture
def operator(stack: Stack, tmp_path: Path) -> Iterator[Operator]:
    """Return an operator at a terminal, with a key that the provider takes in the shell's variable."""
    client = cache(lambda service: _client(stack, service))
    env = {**stack.aws.env, "API_KEY": PLACEHOLDER_KEY, "CONVEYOR_STACK": STACK_NAME, "HOME": str(tmp_path)}
    with interpreted(tmp_path / "home", Interpreter(client), env) as terminal:
        yield Operator(stack, terminal)


def _client(stack: Stack, service: str) -> Any:
    client = stack.aws.client(service)
    return Redriving(client) if service == "stepfunctions" else client


@pytest.mark.parametrize("title", WITH_COMMANDS)
def test_every_command_of_the_runbook_and_of_its_alarms_does_what_it_says(operator: Operator, title: str) -> None:
    """A command that fails costs an operator most when something is broken already."""
    alarms = [name for name in title.split(", ") if name.endswith("Alarm")]
    with SCENES.get(title, nothing)(operator):
        for alarm in alarms:
            operator.type(operator.commands_of(alarm))
        operator.type(runbook.not_typed_before(title))
    if check := CHECKS.get(title):
        check(operator)


@contextmanager
def nothing(_: Operator) -> Iterator[None]:
    """Nothing needs to happen before: runs that the commands need are made when they are typed."""
    yield


@contextmanager
def aborted(operator: Operator) -> Iterator[None]:
    """Abort the execution of a run."""
    run = operator.going_run()
    machine = operator.stack.outputs["StateMachineArn"]
    arn = f"{machine.replace(':stateMachine:', ':execution:')}:{run}"
    operator.stack.states.stop_execution(executionArn=arn, cause="for a test")
    operator.values["executionArn"] = arn
    yield
    operator.stop(run)  # which only a redriven execution sees
    assert operator.stack.wait_for_message(run).status in {"stopped", "stuck"}


@contextmanager
def queued(queue: str, operator: Operator) -> Iterator[None]:
    """Put into a queue, for the description and for the section, what AWS would; at the end the queue is empty."""
    key = f"inbox/{queue}.jsonl"
    version = operator.drop(key)
    run = operator.stack.wait_for(lambda: operator.stack.run_of(key, version), 60, "run")
    arn = f"{operator.stack.outputs['StateMachineArn'].replace(':stateMachine:', ':execution:')}:{run}"
    event = {
        "detail": {"bucket": {"name": operator.stack.bucket}, "object": {"key": key, "version-id": version, "size": 1}}
    }
    bodies = {
        "UploadDeadLetterQueueUrl": event,
        "SubmitFailureQueueUrl": {"requestPayload": event, "responsePayload": {"errorMessage": "AccessDenied"}},
        "FailedRunDeadLetterQueueUrl": {"detail": {"executionArn": arn, "status": "FAILED"}},
    }
    url = operator.stack.outputs[queue]
    operator.values["executionArn"] = arn
    operator.files["event.json"] = json.dumps(event)
    for _ in range(2):
        operator.stack.sqs.send_message(QueueUrl=url, MessageBody=json.dumps(bodies[queue]))
    yield
    left = operator.stack.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    assert {left["ApproximateNumberOfMessages"], left["ApproximateNumberOfMessagesNotVisible"]} == {"0"}
    assert operator.stack.wait_for_message(run).status == "completed", "one run, started once"


@contextmanager
def limits(operator: Operator) -> Iterator[None]:
    """Have limits of projects, which the commands fetch and write back unchanged."""
    operator.stack.s3.put_object(Bucket=operator.stack.bucket, Key=BUDGETS, Body=b"{}")
    yield
    assert operator.stack.object(BUDGETS) == b"{}"
    operator.stack.s3.delete_object(Bucket=operator.stack.bucket, Key=BUDGETS)


SCENES: dict[str, Callable[[Operator], Any]] = {
    runbook.titled("RunFailedAlarm"): aborted,
    Status.WAITING_FOR_BUDGET: limits,
    **{title: partial(queued, queue) for title, queue in QUEUES.items()},
}


def has_run(operator: Operator) -> None:
    """Check that the query ran."""
    answer = json.loads(operator.said[-1])
    assert answer["status"] == "Complete"


def knows_the_key(operator: Operator) -> None:
    """Check that the secret has the key of the shell's variable."""
    secret = operator.stack.aws.client("secretsmanager").get_secret_value(SecretId=SECRET_NAME)
    assert secret["SecretString"] == PLACEHOLDER_KEY


CHECKS = {
    runbook.BEGIN: has_run,
    "ProviderTroubleAlarm": knows_the_key,
    "AccountRefusedAlarm": knows_the_key,
}


def test_the_descriptions_of_alarms_name_what_is_deployed(operator: Operator) -> None:
    """A log group or a queue of another stack would show nothing."""
    for alarm in operator.alarms():
        text = alarm["AlarmDescription"]
        assert "${" not in re.sub(r'"\$\{API_KEY:\?\}"', "", text)
        assert runbook.commands_of_alarm(text)
