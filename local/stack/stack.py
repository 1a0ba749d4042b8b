"""A deployed stack, and what its users and the tests do with it."""

from __future__ import annotations

import json
import time
from contextlib import nullcontext
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from local.process import tail
from local.stack.deployment import STACK_NAME
from local.stack.messages import Message, receive

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from mypy_boto3_cloudformation import CloudFormationClient
    from mypy_boto3_iam import IAMClient
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_logs import CloudWatchLogsClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_stepfunctions import SFNClient
    from mypy_boto3_stepfunctions.type_defs import ExecutionListItemTypeDef

    from local.provider.control import Control
    from local.stack.local_aws import Aws

POLL_SECONDS = 0.1


@dataclass
class Stack:
    """A deployed stack."""

    aws: Aws
    outputs: dict[str, str]
    queue_url: str
    work: Path
    provider: Control | None
    parameters: Mapping[str, str] = field(default_factory=dict)
    """The parameters of the template that are not at their defaults."""
    _received: list[Message] = field(default_factory=list)
    _drops: dict[str, Any] = field(default_factory=dict)
    """The drops of runs, as far as they have been read."""

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
        """Upload a drop to `key`, which includes `inbox/`; returns its version."""
        with nullcontext(content) if isinstance(content, bytes) else content.open("rb") as body:
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
        pages = self.s3.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix="runs/", Delimiter="/")
        return sorted(item["Prefix"].split("/")[1] for page in pages for item in page.get("CommonPrefixes", []))

    def run_of(self, key: str, version: str | None = None) -> str | None:
        """Return the newest run of a drop; None if there is none yet."""
        for run in reversed(self.runs()):
            drop = self._drop_of(run)
            if drop and drop["key"] == key and version in (None, drop["version"]):
                return run
        return None

    def _drop_of(self, run: str) -> Any:  # noqa: ANN401 - JSON
        """Return the drop of a run, which never changes; None if it is not recorded yet."""
        fact = f"runs/{run}/run.json"
        if run not in self._drops and fact in self.keys(fact):
            self._drops[run] = json.loads(self.object(fact))["drop"]
        return self._drops.get(run)

    def ledger(self, run: str) -> dict[str, bytes]:
        """Read the ledger of a run, by key below `runs/<run>/`."""
        prefix = f"runs/{run}/"
        return {key.removeprefix(prefix): self.object(key) for key in self.keys(prefix)}

    def messages(self) -> list[Message]:
        """Return all messages received so far, oldest first."""
        self._received.extend(receive(self.sqs, self.queue_url))
        return list(self._received)

    def wait_for_message(self, run_or_key: str, seconds: float = 60.0) -> Message:
        """Wait for the first message about a run, given by its id or by the key of its drop. Raises TimeoutError."""

        def first_message() -> Message | None:
            run = self.run_of(run_or_key) if run_or_key.startswith("inbox/") else run_or_key
            return next((message for message in self.messages() if message.run == run), None)

        return self.wait_for(first_message, seconds, f"message about {run_or_key}")

    def wait_for[T](self, look_up: Callable[[], T | None], seconds: float, name: str) -> T:
        """Call `look_up` until it returns a value. Raises TimeoutError, with the state of the stack."""
        deadline = time.monotonic() + seconds
        while (value := look_up()) is None:
            if time.monotonic() > deadline:
                raise TimeoutError(f"no {name} within {seconds:g} s\n{self.describe()}")
            time.sleep(POLL_SECONDS)
        return value

    def executions(self) -> list[ExecutionListItemTypeDef]:
        """List the executions of the state machine, newest first."""
        return self.states.list_executions(stateMachineArn=self.outputs["StateMachineArn"])["executions"]

    @cached_property
    def functions(self) -> dict[str, str]:
        """The names of the deployed functions, by submit, poll, split and report."""
        cloudformation: CloudFormationClient = self.aws.client("cloudformation")
        resources = cloudformation.describe_stack_resources(StackName=STACK_NAME)["StackResources"]
        return {
            resource["LogicalResourceId"].removesuffix("Function").lower(): resource["PhysicalResourceId"]
            for resource in resources
            if resource["ResourceType"] == "AWS::Lambda::Function"
        }

    def logs(self, function: str, text: str = "") -> list[str]:
        """Read the log lines of a function (submit, poll, split or report); `text`: only lines with this text."""
        logs: CloudWatchLogsClient = self.aws.client("logs")
        configuration = self.lambdas.get_function_configuration(FunctionName=self.functions[function])
        group = configuration.get("LoggingConfig", {}).get("LogGroup", f"/aws/lambda/{self.functions[function]}")
        pattern = f'"{text}"' if text else ""
        pages = logs.get_paginator("filter_log_events").paginate(logGroupName=group, filterPattern=pattern)
        return [event["message"].rstrip("\n") for page in pages for event in page["events"]]

    def provider_stats(self) -> dict[str, Any]:
        """Return the statistics of the simulated provider."""
        return self._simulated.stats()

    def provider_settings(self, changes: Mapping[str, Any]) -> None:
        """Replace the settings of the simulated provider that are named; see local/provider/settings.py."""
        self._simulated.configure(**changes)

    def describe(self) -> str:
        """Describe the state of the stack, for an error message."""
        logs = [f"{name}: {line}" for name in self.functions for line in self.logs(name)[-5:]]
        executions = [f"{item['name']}: {item['status']}" for item in self.executions()[:5]]
        sections = {
            "keys": self.keys()[-20:],
            "executions": executions,
            "logs": logs,
            "local AWS": [tail(self.aws.log, 10)],
        }
        return "\n".join(line for title, lines in sections.items() for line in (f"-- {title}", *lines))

    @property
    def _simulated(self) -> Control:
        if self.provider is None:
            raise LookupError("this stack uses a real server, not the simulated provider")
        return self.provider
