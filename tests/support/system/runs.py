"""A run on the deployed stack: its facts, events, messages, and an operator's decisions."""

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
SHORT_TIMES = {
    "post-seconds": "5",
    "settle-seconds": "3",
    "reread-seconds": "1",
    "trouble-seconds": "3",
    "round-seconds": "1",
    "budget-day-seconds": "30",
    "RetryRounds": "0",
}
"""The functions use the real clock, so these times are short. Nothing is sent again unless a drop asks for it.

Numbers have their names in `Tuning`; `tests.support.settings.tuned` makes parameters of them.
"""

DAY_SECONDS = int(SHORT_TIMES["budget-day-seconds"])

BARE = {"metadata": "ignored", "lists_files": False}
"""A file server that does not show which run a batch belongs to: only its results do, as in the other dialect."""

LOW_LIMITS = {
    "MaxRequestsPerDrop": "4000",
    "max-requests-per-batch": "400",
    "MaxQueuedRequests": "800",
    "max-events": "200",
}
"""A drop of a few seconds then has many batches, waits for queue space, and needs many executions."""


WAITING = "waiting-for-approval"


@dataclass(frozen=True)
class LiveRun:
    """One run in progress."""

    stack: Stack
    run: str

    def wait[Findings](self, look: Callable[[], Findings | None], what: str) -> Findings:
        """Call `look` until it returns something."""
        return self.stack.wait_for(look, SECONDS, f"{what} of {self.run}")

    def has(self, fact: str) -> bool:
        """Whether the ledger has a fact, given by its path in the ledger."""
        key = f"runs/{self.run}/{fact}"
        return key in self.stack.keys(key)

    def fact(self, fact: str) -> Any:
        """Wait for a fact, and read it."""
        self.wait(lambda: self.has(fact) or None, fact)
        return json.loads(self.stack.object(f"runs/{self.run}/{fact}"))

    def backdate(self, fact: str, minutes: int = 30) -> None:
        """Move the times in a fact back by some minutes, instead of waiting."""
        content = self.fact(fact)
        for moment in {"at", "not_after", "retry_at", "until"} & set(content):
            earlier = datetime.fromisoformat(content[moment]) - timedelta(minutes=minutes)
            content[moment] = earlier.astimezone(UTC).isoformat()
        self.stack.s3.put_object(Bucket=self.stack.bucket, Key=f"runs/{self.run}/{fact}", Body=json.dumps(content))

    def write_control(self, name: str, text: str) -> None:
        """Write an operator's decision under `control/`."""
        self.stack.s3.put_object(Bucket=self.stack.bucket, Key=f"control/{self.run}/{name}", Body=text.encode())

    def execute(self, command: str) -> None:
        """Run a command from a message."""
        aws = Interpreter(self.stack.aws.client)
        with TemporaryDirectory() as work, interpreted(Path(work) / "home", aws) as terminal:
            terminal.succeed(command)

    def messages(self) -> list[Message]:
        """Return the messages about the run so far."""
        return [message for message in self.stack.messages() if message.run == self.run]

    def first_status(self) -> str:
        """Wait for the first message about the run, and return its status."""
        return self.stack.wait_for_message(self.run, SECONDS).status

    def message(self, status: str, seconds: float = SECONDS) -> Message:
        """Wait for the message with this status."""

        def found() -> Message | None:
            return next((message for message in self.messages() if message.status == status), None)

        return self.stack.wait_for(found, seconds, f"{status} of {self.run}")

    def statuses(self) -> list[str]:
        """Return the statuses of the messages about the run so far."""
        return [message.status for message in self.messages()]

    def receipt(self, seconds: float = SECONDS) -> Any:
        """Wait for the end of the run, and read its receipt."""
        assert self.ended(seconds) == "SUCCEEDED"
        (key,) = [key for key in self.stack.keys("results/") if key.endswith(f"/{self.run}/receipt.json")]
        return json.loads(self.stack.object(key))

    def outputs(self) -> dict[str, bytes]:
        """Read the user's files of the run by key, without the receipt and the early parts."""
        every = [key for kind in ("results/", "failures/") for key in self.stack.keys(kind) if f"/{self.run}/" in key]
        files = [
            key
            for key in every
            if not key.endswith(("/receipt.json", "/report.html")) and f"/{self.run}/parts/" not in key
        ]
        return {key: self.stack.object(key) for key in files}

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
        """Read the history of each of the run's executions."""
        paginator = self.stack.states.get_paginator("get_execution_history")
        every = (paginator.paginate(executionArn=arn) for arn, _ in self.executions())
        return [[event for page in pages for event in page["events"]] for pages in every]

    def events(self) -> list[Any]:
        """Read the events of all of the run's executions."""
        return list(chain.from_iterable(self.histories()))

    def ended(self, seconds: float = SECONDS) -> str:
        """Wait for the end of the run's last execution, and return the statuses of all executions."""

        def status() -> str | None:
            found = {status for _, status in self.executions()}
            return None if not found or "RUNNING" in found else " ".join(sorted(found))

        return self.stack.wait_for(status, seconds, f"end of {self.run}")


def dropped(stack: Stack, key: str, data: bytes, metadata: dict[str, str] | None = None) -> LiveRun:
    """Drop a file, and return its run."""
    version = stack.drop(data, key, metadata)
    return LiveRun(stack, stack.wait_for(lambda: stack.run_of(key, version), SECONDS, "run"))


def commands(message: Message) -> tuple[str, str]:
    """Return the two commands of a waiting message: approve and stop."""
    approve, stop = (line.strip() for line in message.text.splitlines() if line.startswith("    echo "))
    return approve, stop
