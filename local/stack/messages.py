"""The messages of the topic as a person gets them by mail, and their JSON bodies as a queue does."""

from __future__ import annotations

import json
import re
import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING

from local.paths import EXPORTS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mypy_boto3_sns import SNSClient
    from mypy_boto3_sqs import SQSClient

    from local.stack.local_aws import Aws

MAILS, BODIES = "conveyor-mails", "conveyor-messages"
"""Names of queues: for mail, see `local/emulation/sns/messages.py`."""
NON_FINAL_STATUSES = (
    "started",
    "waiting-for-approval",
    "troubled",
    "at-risk",
    "undecided",
    "waiting-for-budget",
    "budget-reached",
)
"""The statuses of messages about runs that continue: see the tables in `docs/operate.md`."""


COMMAND, TYPED_HERE = "^(    conveyor .+)$", r"\1 --local"
"""A command of `conveyor` in a mail, and as it is typed beside a local stack, which no person has chosen."""
OF_AWS = "^    ((?:echo .+ \\| )?aws )"
"""The beginning of a command of AWS CLI in a mail."""


@dataclass(frozen=True)
class Message:
    """A message as a person receives it."""

    subject: str
    text: str
    attributes: dict[str, str]

    @property
    def text_here(self) -> str:
        """The text for a person beside the local stack: its commands are about that."""
        of_conveyor = re.sub(COMMAND, TYPED_HERE, self.text, flags=re.MULTILINE)
        sourced = f"    . {shlex.quote(str(EXPORTS))} && "
        return re.sub(OF_AWS, lambda found: sourced + found[1], of_conveyor, flags=re.MULTILINE)

    @property
    def run(self) -> str:
        """The id of the run; empty if the message is about none."""
        return self.attributes.get("run", "")

    @property
    def status(self) -> str:
        """The status of the run."""
        return self.attributes.get("status", "")

    @property
    def is_final(self) -> bool:
        """Whether the run has ended; an unknown status counts as an end."""
        return self.status not in NON_FINAL_STATUSES


def subscribe(aws: Aws, topic: str) -> str:
    """Subscribe a mail address, and a queue for programs, to a topic; returns the URL of the queue with the mail."""
    sns: SNSClient = aws.client("sns")
    mails, bodies = (_create_queue(aws.client("sqs"), name, topic) for name in (MAILS, BODIES))
    sns.subscribe(TopicArn=topic, Protocol="email", Endpoint=f"{MAILS}@sqs.local")
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=bodies[1])
    return mails[0]


def _create_queue(sqs: SQSClient, name: str, topic: str) -> tuple[str, str]:
    """Create a queue to which a topic may send; returns its URL and its ARN."""
    url = sqs.create_queue(QueueName=name)["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "sns.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": arn,
        "Condition": {"ArnEquals": {"aws:SourceArn": topic}},
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})
    return url, arn


def receive(sqs: SQSClient, queue_url: str) -> Iterator[Message]:
    """Take all messages from a queue, oldest first."""
    while messages := sqs.receive_message(QueueUrl=queue_url, MaxNumberOfMessages=10).get("Messages"):
        for message in messages:
            yield _parse(message["Body"])
            sqs.delete_message(QueueUrl=queue_url, ReceiptHandle=message["ReceiptHandle"])


def _parse(body: str) -> Message:
    notification = json.loads(body)
    attributes = {name: value["Value"] for name, value in notification.get("MessageAttributes", {}).items()}
    return Message(notification.get("Subject", ""), notification["Message"], attributes)
