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
from conveyor.ledger.fact import moment_place
from conveyor.ledger.ledger import Ledger
from conveyor.ledger.records import RetryAfterAnswer, Run
from conveyor.provider.retry_after import RetryAfter
from conveyor.s3.bucket import MOST_READS, Bucket
from conveyor.settings.settings import Environment, Settings
from conveyor.wording.console import Console

if TYPE_CHECKING:
    from mypy_boto3_stepfunctions import SFNClient

    from conveyor.provider.connect import Connector

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
    """What a function reaches the world by. Each client is built when it is first asked for."""

    @cached_property
    def environment(self) -> Environment:
        """Where things are."""
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
        """The way to the provider; what it takes is loaded by the functions that ask, when they do."""
        from conveyor.provider.connect import Connector  # noqa: PLC0415

        return Connector(self.environment.api_key_secret, _CONFIG)

    def console(self, event: Mapping[str, Any]) -> Console:
        """Return the console that shows the execution which sent an event; where AWS is elsewhere, none does."""
        return Console.of(event.get("arn", ""), os.environ.get("AWS_ENDPOINT_URL", ""))

    def context(self, run: str, invocation: Invocation) -> RunContext:
        """Read a run and give what is needed to work on it."""
        ledger = Ledger(self.bucket, run)
        about = ledger.read(Run)
        retry_after = RetryAfter(invocation.now, partial(_note, ledger, invocation))
        return RunContext(
            about, ledger, self.bucket, self.connector.api(about.settings, retry_after), invocation, retry_after
        )


def _note(ledger: Ledger, invocation: Invocation, until: datetime, reason: str) -> None:
    """Write down at once until when the provider is not called, so that the next invocation knows it, too."""
    ledger.write(RetryAfterAnswer(invocation.writer, invocation.now(), until, reason), moment_place(until))
