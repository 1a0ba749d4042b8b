"""An operator at a terminal, who types what the runbook and the alarms say."""

from __future__ import annotations

import json
import re
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from local.stack.deployment import STACK_NAME
from tests.support import runbook
from tests.support.system.remedies import OTHER_KEY

if TYPE_CHECKING:
    from collections.abc import Callable

    from local.stack.stack import Stack
    from tests.support.shell.terminal import Terminal

PARAMS = {"model": "claude-haiku-4-5", "max_tokens": 16, "messages": [{"role": "user", "content": "Hello"}]}
SECONDS = 60.0
SURE = {"approve": " --yes --no-limit", "stop": " --yes"}
"""What a person types when the command asks for its own word: there is no person here."""
EXITS = {"watch": 1, "decide": 2}
"""Of commands: some requests of the run have failed; the run is not undecided, and the command says so."""


class Redriving:
    """A client of Step Functions. The local AWS has no RedriveExecution: the execution starts again from its input."""

    def __init__(self, client: Any) -> None:
        """Pass on everything else."""
        self._client = client

    def __getattr__(self, name: str) -> Any:
        """Return what the client has."""
        return getattr(self._client, name)

    def redrive_execution(self, executionArn: str) -> dict[str, Any]:  # noqa: N803 - the name of the parameter
        """Start the execution again."""
        ended = self._client.describe_execution(executionArn=executionArn)
        name = f"{ended['name']}-{uuid4().hex[:4]}"
        self._client.start_execution(stateMachineArn=ended["stateMachineArn"], name=name, input=ended["input"])
        return {"redriveDate": time.time(), "ResponseMetadata": {}}


@dataclass
class Operator:
    """An operator at a terminal."""

    stack: Stack
    terminal: Terminal | None = None
    """None for an operator who types nothing."""
    values: dict[str, str] = field(default_factory=dict)
    """What is put in for a placeholder."""
    files: dict[str, str] = field(default_factory=dict)
    """Files that a person saves by hand."""
    said: list[str] = field(default_factory=list)
    """The output of each command."""

    def type(self, commands: list[str]) -> None:
        """Type commands as they are written, with values for what stands in angle brackets."""
        assert self.terminal
        for name, text in self.files.items():
            (self.terminal.folder / name).write_text(text)
        for command in commands:
            self.said.append(self._typed(self._filled(command)))

    def _filled(self, command: str) -> str:
        return runbook.PLACEHOLDER.sub(lambda found: self._value(command, found[1]), command)

    def _typed(self, command: str) -> str:
        assert self.terminal
        words = command.split()
        sure = SURE.get(words[1], "") if words[0] == "conveyor" else ""
        done = self.terminal.type(command + sure)
        expected = EXITS.get(words[1], 0) if words[0] == "conveyor" else 0
        assert done.exit == expected, f"{command}\nended with {done.exit}:\n{done.error}"
        if '"Running"' in (said := done.out.decode()):  # a query takes a moment
            return self._typed(command)
        return said

    def _value(self, command: str, name: str) -> str:
        """Return what a person would put in: an output, what the command before has shown, or a run."""
        if name in self.stack.outputs:
            return self.stack.outputs[name]
        if name in self.values:
            return self.values[name]
        if name == "ReceiptHandle":
            received = next(said for said in reversed(self.said) if "ReceiptHandle" in said)
            handle: str = json.loads(received)["Messages"][0]["ReceiptHandle"]
            return handle
        if name in {"queryId", "role", "function"}:
            return next(said.strip() for said in reversed(self.said) if re.fullmatch(r"[\w-]+\n", said))
        return self._run(command, name)

    def _run(self, command: str, name: str) -> str:
        if name == "name":
            return "ended"
        if command.startswith(("conveyor stop", "conveyor decide")) and name != "held run":
            return self.going_run()
        make: dict[str, Callable[[], str]] = {
            "run": self.ended_run, "held run": self.held_run, "refused run": self.refused_run,
        }  # fmt: skip
        return self.values.setdefault(name, "") or self._made(name, make[name])

    def _made(self, name: str, make: Callable[[], str]) -> str:
        self.values[name] = make()
        return self.values[name]

    def drop(self, key: str, metadata: dict[str, str] | None = None, requests: int = 1) -> str:
        """Drop requests that were never dropped before; return the version."""
        lines = (json.dumps({"custom_id": uuid4().hex, "params": PARAMS}) for _ in range(requests))
        return self.stack.drop("".join(f"{line}\n" for line in lines).encode(), key, metadata)

    def _started(self, name: str, metadata: dict[str, str] | None = None, requests: int = 1) -> str:
        key = f"inbox/{name}.jsonl"
        version = self.drop(key, metadata, requests)
        return self.stack.wait_for(lambda: self.stack.run_of(key, version), SECONDS, "run")

    def ended_run(self) -> str:
        """Return a run that has ended, with a failure that is worth sending again."""
        self.stack.provider_settings({"outcomes": {"1": "errored:api_error"}, "seconds": 0})
        run = self._started("ended", requests=2)
        assert self.stack.wait_for_message(run).status == "completed"
        self.stack.provider_settings({"outcomes": {}})
        return run

    def going_run(self, requests: int = 1) -> str:
        """Return a run whose batch is with the provider, and does not end."""
        self.stack.provider_settings({"seconds": None})
        run = self._started("going", requests=requests)
        self.stack.wait_for(lambda: self.stack.keys(f"runs/{run}/batches/1/batch-1.json") or None, SECONDS, "batch")
        return run

    def unsent_run(self) -> str:
        """Return a run that has just begun."""
        return self._started(f"unsent-{uuid4().hex[:6]}")

    def held_run(self) -> str:
        """Return a run that waits for an approval; its batch will not end."""
        self.stack.provider_settings({"seconds": None})
        run = self._started("held", {"hold": "always"})
        assert self.stack.wait_for_message(run).status == "waiting-for-approval"
        return run

    def refused_run(self) -> str:
        """Return a run that ended because the provider refused the key, which it takes again."""
        self.stack.provider_settings({"api_key": OTHER_KEY})
        run = self._started(f"refused-{uuid4().hex[:6]}")
        assert self.stack.wait_for_message(run).status == "refused"
        self.stack.provider_settings({"api_key": None})
        return run

    def stop(self, run: str) -> None:
        """Stop a run."""
        self.stack.s3.put_object(Bucket=self.stack.bucket, Key=f"control/{run}/cancel", Body=b"stop")

    def alarms(self) -> list[Any]:
        """Return all alarms of the stack."""
        cloudwatch = self.stack.aws.client("cloudwatch")
        found: list[Any] = cloudwatch.describe_alarms(AlarmNamePrefix=f"{STACK_NAME}-")["MetricAlarms"]
        return found

    def commands_of(self, alarm: str) -> list[str]:
        """Return the commands in the description of a deployed alarm."""
        (found,) = [each for each in self.alarms() if each["AlarmName"].startswith(f"{STACK_NAME}-{alarm}-")]
        return runbook.commands_of_alarm(found["AlarmDescription"])
