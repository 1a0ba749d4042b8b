"""The clients of one function, built from its environment on first use and kept while its process lives."""

import json
import os
from collections.abc import Mapping
from datetime import datetime
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config

from conveyor.context import RunContext
from conveyor.domain.invocation import Invocation
from conveyor.ledger.ledger import Ledger
from conveyor.ledger.run_facts import RetryAfterAnswer, Run
from conveyor.provider.retry_after import RetryAfter
from conveyor.s3.bucket import MOST_READS, Bucket
from conveyor.settings.settings import Environment, Settings
from conveyor.wording.console import Console

if TYPE_CHECKING:
    from mypy_boto3_stepfunctions import SFNClient

    from conveyor.provider.connector import Connector

_CONFIG = Config(
    connect_timeout=5,
    read_timeout=60,
    retries={"mode": "standard", "total_max_attempts": 5},
    max_pool_connections=MOST_READS,
)


class Machine:
    """The one state machine."""

    def __init__(self, client: "SFNClient", arn: str) -> None:
        """Take a client and the machine's ARN."""
        self._client = client
        self._arn = arn

    def start(self, name: str, state: dict[str, Any]) -> None:
        """Start the execution of this name unless it was started before, however it ended."""
        try:
            self._client.start_execution(stateMachineArn=self._arn, name=name, input=json.dumps(state))
        except self._client.exceptions.ExecutionAlreadyExists:
            return


class Clients:
    """The clients of AWS and of the provider. Each is built on first use."""

    @cached_property
    def environment(self) -> Environment:
        """The names of AWS resources that this function uses."""
        return Environment.from_env(os.environ)

    @cached_property
    def settings(self) -> Settings:
        """The stack's settings."""
        return Settings.from_env(os.environ)

    @cached_property
    def bucket(self) -> Bucket:
        """The bucket."""
        return Bucket(boto3.client("s3", config=_CONFIG), self.environment.bucket)

    @cached_property
    def machine(self) -> Machine:
        """The state machine."""
        return Machine(boto3.client("stepfunctions", config=_CONFIG), self.environment.state_machine_arn)

    @cached_property
    def connector(self) -> "Connector":
        """What connects to the provider. Its modules are loaded on first use: report does not need them."""
        from conveyor.provider.connector import Connector  # noqa: PLC0415

        secrets_client = partial(boto3.client, "secretsmanager", config=_CONFIG)
        return Connector(self.environment.api_key_secret, secrets_client)

    def console(self, event: Mapping[str, Any]) -> Console:
        """Return the AWS console of the execution that sent an event; none if AWS is emulated."""
        return Console.of(event.get("arn", ""), os.environ.get("AWS_ENDPOINT_URL", ""))

    def context(self, run: str, invocation: Invocation) -> RunContext:
        """Read a run, and return what an invocation needs to work on it."""
        return self.context_of(Ledger(self.bucket, run).read(Run), invocation)

    def context_of(self, run: Run, invocation: Invocation) -> RunContext:
        """Return what an invocation needs to work on a run that it has read or written already."""
        invocation.observed.is_about(run.run, run.project, run.budget)
        ledger = Ledger(self.bucket, run.run)
        retry_after = RetryAfter(invocation.now, partial(_write_retry_after, ledger, invocation))
        api = self.connector.api(run.settings, retry_after)
        return RunContext(run, ledger, self.bucket, api, invocation, retry_after)


def _write_retry_after(ledger: Ledger, invocation: Invocation, until: datetime, reason: str) -> None:
    """Write at once until when the provider is not called, so that the next invocation does not call it either."""
    ledger.write(RetryAfterAnswer(invocation.writer, invocation.now(), until, reason), until)
