"""What the demo shows while a run waits, and which message ends the demo."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING
from uuid import uuid4

from rich.console import Console

from local.demo.progress import Progress, watch
from local.stack.stack import Stack

if TYPE_CHECKING:
    from pathlib import Path

    from local.stack.local_aws import Aws

RUN = "20261122T100000Z-0123456789ab"
KEY = "inbox/a.jsonl"
STUCK = {
    "StartAt": "Poll",
    "States": {
        "Poll": {"Type": "Pass", "Result": {"trouble": {"reason": "nothing answers"}}, "Next": "Wait"},
        "Wait": {"Type": "Wait", "Seconds": 3600, "End": True},
    },
}
TRUST = {"Effect": "Allow", "Principal": {"Service": "states.amazonaws.com"}, "Action": "sts:AssumeRole"}


def stack_in_trouble(aws: Aws, work: Path) -> Stack:
    """Set up a run that waits because of trouble, and its two messages: about the trouble, and the final one."""
    name = f"t-{uuid4().hex[:8]}"
    s3, sqs, states = (aws.client(service) for service in ("s3", "sqs", "stepfunctions"))
    s3.create_bucket(Bucket=name)
    run_fact = json.dumps({"drop": {"key": KEY, "version": "v"}})
    for fact, content in {"run.json": run_fact, "plan.jsonl": '{}\n{"requests": 3}\n'}.items():
        s3.put_object(Bucket=name, Key=f"runs/{RUN}/{fact}", Body=content)
    url = sqs.create_queue(QueueName=name)["QueueUrl"]
    for status in ("troubled", "completed"):
        attributes = {"run": {"Value": RUN}, "status": {"Value": status}}
        message = {"Subject": f"it is {status}", "Message": f"text: {status}", "MessageAttributes": attributes}
        sqs.send_message(QueueUrl=url, MessageBody=json.dumps(message))
    trust = json.dumps({"Version": "2012-10-17", "Statement": [TRUST]})
    role = aws.client("iam").create_role(RoleName=name, AssumeRolePolicyDocument=trust)["Role"]["Arn"]
    machine = states.create_state_machine(name=name, definition=json.dumps(STUCK), roleArn=role)["stateMachineArn"]
    states.start_execution(stateMachineArn=machine, name=RUN, input="{}")
    stack = Stack(aws, {"BucketName": name, "StateMachineArn": machine}, url, work, None)
    stack.wait_for(lambda: stack.trouble(RUN), 10, "trouble")
    return stack


def test_trouble_is_shown_while_it_lasts_and_its_message_is_not_the_end(aws: Aws, tmp_path: Path) -> None:
    """The user sees the reason of the wait, the message about it, and the end."""
    stack = stack_in_trouble(aws, tmp_path)
    output = io.StringIO()
    with Progress(Console(file=output, width=200)) as progress:
        message = watch(stack, KEY, "v", 10, progress)
        progress.doing("waiting", "for nothing new")
        progress.doing("waiting", "for nothing new")
    assert message.status == "completed"
    text = output.getvalue()
    assert "it is troubled\n\ntext: troubled\n" in text
    assert "text: completed" not in text
    assert "last error: nothing answers …" in text
    assert text.index("it is troubled") < text.index("notified   it is completed")
    assert text.count("for nothing new") == 1
