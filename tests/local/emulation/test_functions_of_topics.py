"""A function that subscribes to a topic of the local AWS is invoked under the same conditions as on AWS."""

from __future__ import annotations

import io
import json
import time
import zipfile
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from local.stack.local_aws import REGION

if TYPE_CHECKING:
    from local.stack.local_aws import Aws

ACCOUNT = "000000000000"
SECONDS = 60.0
FAILS = "def handler(event, context):\n    raise ValueError(event['Records'][0]['Sns']['Message'])\n"


class Subscribed:
    """A topic, a function that always fails, and the queue for what could not be delivered."""

    def __init__(self, aws: Aws) -> None:
        """Create them. The function retries at once."""
        self.aws, self.name = aws, f"failing-{uuid4().hex[:8]}"
        sns, sqs, functions, iam = (aws.client(name) for name in ("sns", "sqs", "lambda", "iam"))
        self.topic = sns.create_topic(Name=self.name)["TopicArn"]
        self.queue = sqs.create_queue(QueueName=self.name)["QueueUrl"]
        self.queue_arn = f"arn:aws:sqs:{REGION}:{ACCOUNT}:{self.name}"
        trust = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
        role = iam.create_role(RoleName=self.name, AssumeRolePolicyDocument=policy(trust))["Role"]["Arn"]
        send = {"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": self.queue_arn}
        iam.put_role_policy(RoleName=self.name, PolicyName="send", PolicyDocument=policy(send))
        self.function = functions.create_function(
            FunctionName=self.name, Runtime="python3.13", Role=role, Handler="app.handler", Code={"ZipFile": zipped()}
        )["FunctionArn"]

    def subscribe(self, **attributes: str) -> None:
        """Subscribe the function."""
        self.aws.client("sns").subscribe(
            TopicArn=self.topic, Protocol="lambda", Endpoint=self.function, Attributes=attributes
        )

    def publish(self) -> None:
        """Publish a message."""
        self.aws.client("sns").publish(TopicArn=self.topic, Message="lost")

    def undelivered(self) -> Any:
        """Wait for what is put into the queue."""
        deadline = time.monotonic() + SECONDS
        while time.monotonic() < deadline:
            answer = self.aws.client("sqs").receive_message(QueueUrl=self.queue, WaitTimeSeconds=1)
            if "Messages" in answer:
                return json.loads(answer["Messages"][0]["Body"])
        raise TimeoutError("nothing in the queue")


def policy(statement: dict[str, Any]) -> str:
    """Return a policy of one statement."""
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def zipped() -> bytes:
    """Return the code of the function."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("app.py", FAILS)
    return file.getvalue()


@pytest.fixture
def subscribed(aws: Aws) -> Subscribed:
    """Return what a test needs."""
    return Subscribed(aws)


def test_a_message_on_which_a_function_keeps_failing_is_kept(subscribed: Subscribed) -> None:
    """After two retries it is in the queue of the function."""
    functions = subscribed.aws.client("lambda")
    functions.add_permission(
        FunctionName=subscribed.name, StatementId="topic", Action="lambda:InvokeFunction",
        Principal="sns.amazonaws.com", SourceArn=subscribed.topic,
    )  # fmt: skip
    functions.put_function_event_invoke_config(
        FunctionName=subscribed.name,
        MaximumRetryAttempts=2,
        DestinationConfig={"OnFailure": {"Destination": subscribed.queue_arn}},
    )
    subscribed.subscribe()
    subscribed.publish()
    failed = subscribed.undelivered()
    assert failed["requestPayload"]["Records"][0]["Sns"]["Message"] == "lost"


def test_without_a_permission_of_the_function_the_message_goes_to_the_queue_of_the_subscription(
    subscribed: Subscribed,
) -> None:
    """SNS puts it there itself, so the queue must let it."""
    allow = {"Effect": "Allow", "Principal": {"Service": "sns.amazonaws.com"}, "Action": "sqs:SendMessage"}
    only = {"Resource": subscribed.queue_arn, "Condition": {"ArnEquals": {"aws:SourceArn": subscribed.topic}}}
    subscribed.aws.client("sqs").set_queue_attributes(
        QueueUrl=subscribed.queue, Attributes={"Policy": policy(allow | only)}
    )
    subscribed.subscribe(RedrivePolicy=json.dumps({"deadLetterTargetArn": subscribed.queue_arn}))
    subscribed.publish()
    assert subscribed.undelivered()["Message"] == "lost"
