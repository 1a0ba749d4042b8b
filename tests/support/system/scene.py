"""A policy statement of a deployed role, and drops made while it is removed."""

from __future__ import annotations

import json
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tests.support.system.runs import SECONDS, LiveRun

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from local.stack.stack import Stack

PARAMS = {"model": "claude-haiku-4-5", "max_tokens": 16, "messages": [{"role": "user", "content": "Hello"}]}
LINE = json.dumps({"custom_id": "a", "params": PARAMS})


@dataclass(frozen=True)
class Scene:
    """A policy statement of a deployed role, and the drop made while it is removed."""

    stack: Stack
    role: str
    """Its name in IAM."""
    sid: str

    @property
    def key(self) -> str:
        """The key of the drop."""
        return f"inbox/{self.role}/{self.sid}.jsonl"

    @contextmanager
    def without(self, *sids: str) -> Iterator[None]:
        """Remove statements for the length of the block: this one, unless others are named."""
        policy = policy_of(self.stack, self.role)
        gone = sids or (self.sid,)
        left = [statement for statement in policy["Statement"] if statement["Sid"] not in gone]
        assert len(left) == len(policy["Statement"]) - len(gone)
        with self._with(left):
            yield

    @contextmanager
    def without_action(self, action: str) -> Iterator[None]:
        """Remove one action from the statement for the length of the block."""
        statements = policy_of(self.stack, self.role)["Statement"]
        original = next(statement for statement in statements if statement["Sid"] == self.sid)
        reduced = {**original, "Action": [name for name in original["Action"] if name != action]}
        assert len(reduced["Action"]) == len(original["Action"]) - 1
        with self._with([reduced if statement is original else statement for statement in statements]):
            yield

    @contextmanager
    def _with(self, statements: list[Any]) -> Iterator[None]:
        iam = self.stack.iam
        (name,) = iam.list_role_policies(RoleName=self.role)["PolicyNames"]
        policy = policy_of(self.stack, self.role)
        changed = json.dumps({**policy, "Statement": statements})
        if statements:
            iam.put_role_policy(RoleName=self.role, PolicyName=name, PolicyDocument=changed)
        else:  # a policy needs at least one statement
            iam.delete_role_policy(RoleName=self.role, PolicyName=name)
        try:
            yield
        finally:
            iam.put_role_policy(RoleName=self.role, PolicyName=name, PolicyDocument=json.dumps(policy))

    def drop(self, lines: str | bytes = LINE, key: str = "", metadata: dict[str, str] | None = None) -> LiveRun:
        """Make a drop, wait until its run is in the ledger, and return the run."""
        version = self.stack.drop(lines if isinstance(lines, bytes) else lines.encode(), key or self.key, metadata)
        return self.run_of(version, key)

    def run_of(self, version: str, key: str = "") -> LiveRun:
        """Wait for the run of a drop and return it."""
        return LiveRun(self.stack, self.wait(lambda: self.stack.run_of(key or self.key, version), "run"))

    def wait[T](self, look: Callable[[], T | None], what: str) -> T:
        """Call `look` until it returns something."""
        return self.stack.wait_for(look, SECONDS, what)

    def wait_for_key(self, key: str) -> None:
        """Wait until an object exists."""
        self.wait(lambda: key in self.stack.keys(key) or None, key)

    def refusal(self, run: LiveRun, action: str) -> str | None:
        """Return the cause of a task that failed because the role lacks this permission, or None."""
        failures = [event for event in run.events() if event["type"] == "TaskFailed"]
        causes = [event["taskFailedEventDetails"]["cause"] for event in failures]
        wanted = (f"assumed-role/{self.role}/", f"not authorized to perform: {action}")
        return next((cause for cause in causes if all(words in cause for words in wanted)), None)

    def failed_upload(self) -> dict[str, Any] | None:
        """Take Lambda's record of the drop's failed event from the failure queue, or return None."""
        url = self.stack.outputs["SubmitFailureQueueUrl"]
        for message in self.stack.sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", []):
            self.stack.sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
            account: dict[str, Any] = json.loads(message["Body"])
            if account["requestPayload"]["detail"]["object"]["key"] == self.key:
                return account
        return None

    def submit_again(self, account: dict[str, Any]) -> None:
        """Invoke submit with the failed event, as the failure queue's alarm says."""
        event = json.dumps(account["requestPayload"])
        self.stack.lambdas.invoke(FunctionName=self.stack.functions["submit"], Payload=event)


def policy_of(stack: Stack, role: str) -> dict[str, Any]:
    """Read the one policy of a deployed role."""
    (name,) = stack.iam.list_role_policies(RoleName=role)["PolicyNames"]
    document: Any = stack.iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]
    return dict(document)
