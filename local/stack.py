"""The whole of Conveyor on this machine: local AWS, provider, deployed template, and a queue on its topic."""

from __future__ import annotations

import json
import re
import tempfile
import time
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from local.aws import REGION, Aws, local_aws
from local.deployment import STACK_NAME, build, deploy
from local.process import tail
from local.simulated import simulated_provider

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from mypy_boto3_cloudformation import CloudFormationClient
    from mypy_boto3_iam import IAMClient
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_logs import CloudWatchLogsClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_secretsmanager import SecretsManagerClient
    from mypy_boto3_sns import SNSClient
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_stepfunctions import SFNClient
    from mypy_boto3_stepfunctions.type_defs import ExecutionListItemTypeDef

    from local.provider.control import Control

QUEUE_NAME = "conveyor-messages"
SECRET_NAME = "conveyor/api-key"  # noqa: S105 - the name of a secret, not the secret
WORKSPACE = "wrkspc_01LocalStack"
PLACEHOLDER_KEY = "sk-ant-local-placeholder"
GLANCE_SECONDS = 0.1
LATEST_EVENTS = 30
"""More than one turn of the state machine has."""
MEANWHILE = ("troubled", "at-risk", "undecided")
"""The statuses of messages about runs that go on: see the tables in `docs/operate.md`."""


@dataclass(frozen=True)
class Api:
    """A server that speaks the provider's API, and the key it takes."""

    url: str
    key: str = PLACEHOLDER_KEY


@dataclass(frozen=True)
class Message:
    """What a subscriber of the topic gets."""

    subject: str
    text: str
    attributes: dict[str, str]

    @property
    def run(self) -> str:
        """The run it is about; empty where it is about none."""
        return self.attributes.get("run", "")

    @property
    def status(self) -> str:
        """How the run stands, or has ended."""
        return self.attributes.get("status", "")

    @property
    def is_final(self) -> bool:
        """Whether the run has ended; a status that is not known here counts as an end."""
        return self.status not in MEANWHILE


@dataclass
class Stack:
    """A deployed stack, and what a user may do with it."""

    aws: Aws
    outputs: dict[str, str]
    queue_url: str
    work: Path
    provider: Control | None
    parameters: Mapping[str, str] = field(default_factory=dict)
    """Those of the template that were given."""
    _received: list[Message] = field(default_factory=list)

    @cached_property
    def s3(self) -> S3Client:
        """The S3 client."""
        client: S3Client = self.aws.client("s3")
        return client

    @cached_property
    def sqs(self) -> SQSClient:
        """The SQS client."""
        client: SQSClient = self.aws.client("sqs")
        return client

    @cached_property
    def states(self) -> SFNClient:
        """The Step Functions client."""
        client: SFNClient = self.aws.client("stepfunctions")
        return client

    @cached_property
    def lambdas(self) -> LambdaClient:
        """The Lambda client."""
        client: LambdaClient = self.aws.client("lambda")
        return client

    @cached_property
    def iam(self) -> IAMClient:
        """The IAM client."""
        client: IAMClient = self.aws.client("iam")
        return client

    @property
    def bucket(self) -> str:
        """The name of the bucket."""
        return self.outputs["BucketName"]

    def drop(self, content: bytes | Path, key: str, metadata: Mapping[str, str] | None = None) -> str:
        """Put a drop at `key`, which includes `inbox/`; answers with its version."""
        with ExitStack() as files:
            body = files.enter_context(content.open("rb")) if isinstance(content, Path) else content
            put = self.s3.put_object(Bucket=self.bucket, Key=key, Body=body, Metadata=dict(metadata or {}))
        return put["VersionId"]

    def keys(self, prefix: str = "") -> list[str]:
        """List the keys of the bucket under a prefix."""
        pages = self.s3.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=prefix)
        return [item["Key"] for page in pages for item in page.get("Contents", [])]

    def object(self, key: str) -> bytes:
        """Read an object."""
        return self.s3.get_object(Bucket=self.bucket, Key=key)["Body"].read()

    def lines(self, key: str) -> list[Any]:
        """Read a JSON Lines object."""
        return [json.loads(line) for line in self.object(key).split(b"\n") if line]

    def runs(self) -> list[str]:
        """List the ids of all runs."""
        return sorted({key.split("/")[1] for key in self.keys("runs/")})

    def run_of(self, key: str, version: str | None = None) -> str | None:
        """Find the newest run of a drop; None as long as there is none."""
        for run in reversed(self.runs()):
            if f"runs/{run}/run.json" in self.keys(f"runs/{run}/run.json"):
                drop = json.loads(self.object(f"runs/{run}/run.json"))["drop"]
                if drop["key"] == key and version in (None, drop["version"]):
                    return run
        return None

    def ledger(self, run: str) -> dict[str, bytes]:
        """Read all facts of a run, by their key below `runs/<run>/`."""
        prefix = f"runs/{run}/"
        return {key.removeprefix(prefix): self.object(key) for key in self.keys(prefix)}

    def messages(self) -> list[Message]:
        """Give all messages that came so far, the oldest first."""
        while messages := self.sqs.receive_message(QueueUrl=self.queue_url, MaxNumberOfMessages=10).get("Messages"):
            for message in messages:
                self._received.append(_read_message(message["Body"]))
                self.sqs.delete_message(QueueUrl=self.queue_url, ReceiptHandle=message["ReceiptHandle"])
        return list(self._received)

    def wait_for_message(self, about: str, seconds: float = 60.0) -> Message:
        """Wait for the message about a run, given by its id or by the key of its drop. Raises TimeoutError."""

        def message() -> Message | None:
            run = self.run_of(about) if about.startswith("inbox/") else about
            return next((message for message in self.messages() if message.run == run), None)

        return self.wait_for(message, seconds, f"message about {about}")

    def wait_for[Found](self, look: Callable[[], Found | None], seconds: float, what: str) -> Found:
        """Look until something is found. Raises TimeoutError, which tells what the stack says instead."""
        deadline = time.monotonic() + seconds
        while (found := look()) is None:
            if time.monotonic() > deadline:
                raise TimeoutError(f"no {what} within {seconds:g} s\n{self.account()}")
            time.sleep(GLANCE_SECONDS)
        return found

    def executions(self) -> list[ExecutionListItemTypeDef]:
        """List the executions of the state machine, the newest first."""
        return self.states.list_executions(stateMachineArn=self.outputs["StateMachineArn"])["executions"]

    def trouble(self, run: str) -> str | None:
        """Say what kept a run from going on when it last looked, as the state of its newest execution has it."""
        name = re.compile(rf"{re.escape(run)}(-[0-9]+)?")
        newest = next((each for each in self.executions() if name.fullmatch(each["name"])), None)
        if newest is None:
            return None
        history = self.states.get_execution_history(
            executionArn=newest["executionArn"], reverseOrder=True, maxResults=LATEST_EVENTS
        )
        exits = (event.get("stateExitedEventDetails", {}).get("output", "{}") for event in history["events"])
        states = [state for state in map(json.loads, exits) if "trouble" in state]
        return states[0]["trouble"]["reason"] if states and states[0]["trouble"] else None

    @cached_property
    def functions(self) -> dict[str, str]:
        """The names of the deployed functions by their short ones: submit, poll, split, report."""
        cloudformation: CloudFormationClient = self.aws.client("cloudformation")
        resources = cloudformation.describe_stack_resources(StackName=STACK_NAME)["StackResources"]
        return {
            resource["LogicalResourceId"].removesuffix("Function").lower(): resource["PhysicalResourceId"]
            for resource in resources
            if resource["ResourceType"] == "AWS::Lambda::Function"
        }

    def logs(self, function: str, words: str = "") -> list[str]:
        """Read the lines that a function (submit, poll, split or report) has logged; `words`: only lines with them."""
        logs: CloudWatchLogsClient = self.aws.client("logs")
        configuration = self.lambdas.get_function_configuration(FunctionName=self.functions[function])
        group = configuration.get("LoggingConfig", {}).get("LogGroup", f"/aws/lambda/{self.functions[function]}")
        pattern = f'"{words}"' if words else ""
        pages = logs.get_paginator("filter_log_events").paginate(logGroupName=group, filterPattern=pattern)
        return [event["message"].rstrip("\n") for page in pages for event in page["events"]]

    def provider_stats(self) -> dict[str, Any]:
        """Give what the simulated provider has counted."""
        return self._simulated.stats()

    def provider_settings(self, changes: Mapping[str, Any]) -> None:
        """Replace the settings of the simulated provider that are named; see local/provider/settings.py."""
        self._simulated.configure(**changes)

    def account(self) -> str:
        """Say how things stand, for an error message."""
        logs = [f"{name}: {line}" for name in self.functions for line in self.logs(name)[-5:]]
        executions = [f"{item['name']}: {item['status']}" for item in self.executions()[:5]]
        parts = {
            "keys": self.keys()[-20:],
            "executions": executions,
            "logs": logs,
            "local AWS": [tail(self.aws.log, 10)],
        }
        return "\n".join(line for title, lines in parts.items() for line in (f"-- {title}", *lines))

    @property
    def _simulated(self) -> Control:
        if self.provider is None:
            raise LookupError("this stack talks to a real server, not to the simulated provider")
        return self.provider


@contextmanager
def local_stack(  # noqa: PLR0913 - each has its default, and none belongs to another
    *,
    api: Api | None = None,
    wait_scale: float = 0.02,
    provider_settings: Mapping[str, Any] | None = None,
    parameters: Mapping[str, str] | None = None,
    aws_settings: Mapping[str, str] | None = None,
    announce: Callable[[str], None] = lambda _: None,
) -> Iterator[Stack]:
    """Run everything for the length of the block; nothing of it is left afterwards.

    `api`: a server to use; without it the simulated provider, with `provider_settings`. With the parameter Auth=aws
    calls to it are signed, and there is no secret.
    `wait_scale`: factor on the seconds of Wait and Retry. `parameters`: of the template, by name.
    `aws_settings`: environment of the local AWS. `announce` is told each step before it begins.
    Raises ProcessFailed where something does not start, build or deploy.
    """
    with ExitStack() as running:
        work = Path(running.enter_context(tempfile.TemporaryDirectory(prefix="conveyor-", ignore_cleanup_errors=True)))
        announce("building the template with the SAM CLI")
        built = build(work)
        announce("starting the local AWS, with IAM and TLS enforced")
        aws = running.enter_context(local_aws(work, wait_scale=wait_scale, extra=aws_settings))
        provider = None
        given = dict(parameters or {})
        signs = given.get("Auth") == "aws"
        if api is None:
            announce("starting the simulated provider")
            more = {"signed": signed_by(aws)} if signs else {}
            provider = running.enter_context(simulated_provider(work, dict(provider_settings or {}) | more))
            api = Api(provider.url)
        if signs:
            given |= {"WorkspaceId": WORKSPACE}
        else:
            secrets: SecretsManagerClient = aws.client("secretsmanager")
            secrets.create_secret(Name=SECRET_NAME, SecretString=api.key)
        announce("deploying the template with the SAM CLI")
        outputs = deploy(aws, built, {"ApiUrl": api.url} | given, work)
        yield Stack(aws, outputs, _subscribe(aws, outputs["TopicArn"]), work, provider, given)


def signed_by(aws: Aws) -> dict[str, str]:
    """Give the settings of a simulated provider whose calls are signed by the roles of a local AWS."""
    return {"aws": aws.url, "certificate": str(aws.certificate), "workspace": WORKSPACE, "region": REGION}


def _subscribe(aws: Aws, topic: str) -> str:
    """Put a queue on the topic; answers with its URL."""
    sqs: SQSClient = aws.client("sqs")
    sns: SNSClient = aws.client("sns")
    url = sqs.create_queue(QueueName=QUEUE_NAME)["QueueUrl"]
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
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    return url


def _read_message(body: str) -> Message:
    notification = json.loads(body)
    attributes = {name: value["Value"] for name, value in notification.get("MessageAttributes", {}).items()}
    return Message(notification.get("Subject", ""), notification["Message"], attributes)
