"""A run on the deployed stack: its facts, its events, its messages, and what a person may tell it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import chain
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from tests.support.shell.aws import Interpreter
from tests.support.shell.terminal import interpreted

if TYPE_CHECKING:
    from collections.abc import Callable

    from local.stack.messages import Message
    from local.stack.stack import Stack

SECONDS = 60.0
SHORT_TIMES = {"PostSeconds": "5", "SettleSeconds": "3", "RereadSeconds": "1", "TroubleSeconds": "3"}
"""The functions' own clock is the real one, so that what they measure with it is set small."""

BARE = {"metadata": "ignored", "lists_files": False}
"""Of a server of files that cannot tell whose a batch is: only its results can, as in the other dialect."""

LOW_LIMITS = {
    "MaxRequestsPerDrop": "10000",
    "MaxRequestsPerBatch": "400",
    "MaxQueuedRequests": "800",
    "MaxEvents": "200",
}
"""So that a drop of some seconds has many batches, waits for room, and goes on in many executions."""


@dataclass(frozen=True)
class LiveRun:
    """One run while it goes on."""

    stack: Stack
    run: str

    def wait[Findings](self, look: Callable[[], Findings | None], what: str) -> Findings:
        """Look until something is found."""
        return self.stack.wait_for(look, SECONDS, f"{what} of {self.run}")

    def has(self, fact: str) -> bool:
        """Whether a fact, given by its place in the ledger, is written down."""
        key = f"runs/{self.run}/{fact}"
        return key in self.stack.keys(key)

    def fact(self, fact: str) -> Any:
        """Wait for a fact, and read it."""
        self.wait(lambda: self.has(fact) or None, fact)
        return json.loads(self.stack.object(f"runs/{self.run}/{fact}"))

    def backdate(self, fact: str, minutes: int = 30) -> None:
        """Let a fact be written that many minutes earlier, instead of waiting."""
        content = self.fact(fact)
        for moment in {"at", "not_after", "retry_at"} & set(content):
            earlier = datetime.fromisoformat(content[moment]) - timedelta(minutes=minutes)
            content[moment] = earlier.astimezone(UTC).isoformat()
        self.stack.s3.put_object(Bucket=self.stack.bucket, Key=f"runs/{self.run}/{fact}", Body=json.dumps(content))

    def write_control(self, name: str, text: str) -> None:
        """Put a person's words where the run reads them."""
        self.stack.s3.put_object(Bucket=self.stack.bucket, Key=f"control/{self.run}/{name}", Body=text.encode())

    def execute(self, command: str) -> None:
        """Type a command of a message."""
        aws = Interpreter(self.stack.aws.client)
        with TemporaryDirectory() as work, interpreted(Path(work) / "home", aws) as terminal:
            terminal.succeed(command)

    def messages(self) -> list[Message]:
        """Give the messages about the run so far."""
        return [message for message in self.stack.messages() if message.run == self.run]

    def first_status(self) -> str:
        """Wait for the first message about the run, and say which status it has."""
        return self.stack.wait_for_message(self.run, SECONDS).status

    def message(self, status: str) -> Message:
        """Wait for the message that has a status."""
        return self.wait(lambda: next((each for each in self.messages() if each.status == status), None), status)

    def executions(self) -> list[tuple[str, str]]:
        """List the run's executions, ARN and status; each is started before the one before it ends."""
        first = self.stack.outputs["StateMachineArn"].replace(":stateMachine:", ":execution:") + f":{self.run}"
        found = list[tuple[str, str]]()
        while True:
            arn = f"{first}-{len(found) + 1}" if found else first
            try:
                found.append((arn, self.stack.states.describe_execution(executionArn=arn)["status"]))
            except self.stack.states.exceptions.ExecutionDoesNotExist:
                return found

    def histories(self) -> list[list[Any]]:
        """Read all that happened in each of the run's executions."""
        paginator = self.stack.states.get_paginator("get_execution_history")
        every = (paginator.paginate(executionArn=arn) for arn, _ in self.executions())
        return [[event for page in pages for event in page["events"]] for pages in every]

    def events(self) -> list[Any]:
        """Read all that happened in the run."""
        return list(chain.from_iterable(self.histories()))

    def ended(self, seconds: float = SECONDS) -> str:
        """Wait for the end of the run's last execution, and say how the run ended."""

        def status() -> str | None:
            found = {status for _, status in self.executions()}
            return None if not found or "RUNNING" in found else " ".join(sorted(found))

        return self.stack.wait_for(status, seconds, f"end of {self.run}")
