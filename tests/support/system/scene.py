"""A statement of a deployed role, and drops that are made without it."""

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
    """A statement of a deployed role, and the drop that is made without it."""

    stack: Stack
    role: str
    """As IAM calls it."""
    sid: str

    @property
    def key(self) -> str:
        """Where the drop goes."""
        return f"inbox/{self.role}/{self.sid}.jsonl"

    @contextmanager
    def without(self, *sids: str) -> Iterator[None]:
        """Take statements away for the length of the block; unless others are named, the one this is about."""
        policy = policy_of(self.stack, self.role)
        gone = sids or (self.sid,)
        left = [statement for statement in policy["Statement"] if statement["Sid"] not in gone]
        assert len(left) == len(policy["Statement"]) - len(gone)
        with self._with(left):
            yield

    @contextmanager
    def without_action(self, action: str) -> Iterator[None]:
        """Take one action out of the statement for the length of the block."""
        statements = policy_of(self.stack, self.role)["Statement"]
        about = next(each for each in statements if each["Sid"] == self.sid)
        less = {**about, "Action": [each for each in about["Action"] if each != action]}
        assert len(less["Action"]) == len(about["Action"]) - 1
        with self._with([less if each is about else each for each in statements]):
            yield

    @contextmanager
    def _with(self, statements: list[Any]) -> Iterator[None]:
        iam = self.stack.iam
        (name,) = iam.list_role_policies(RoleName=self.role)["PolicyNames"]
        policy = policy_of(self.stack, self.role)
        changed = json.dumps({**policy, "Statement": statements})
        if statements:
            iam.put_role_policy(RoleName=self.role, PolicyName=name, PolicyDocument=changed)
        else:  # a policy has at least one
            iam.delete_role_policy(RoleName=self.role, PolicyName=name)
        try:
            yield
        finally:
            iam.put_role_policy(RoleName=self.role, PolicyName=name, PolicyDocument=json.dumps(policy))

    def drop(self, lines: str = LINE, key: str = "") -> LiveRun:
        """Make a drop; answers with its run, once that is written down."""
        version = self.stack.drop(lines.encode(), key or self.key)
        return self.run_of(version, key)

    def run_of(self, version: str, key: str = "") -> LiveRun:
        """Wait for the run of a drop."""
        return LiveRun(self.stack, self.wait(lambda: self.stack.run_of(key or self.key, version), "run"))

    def wait[Findings](self, look: Callable[[], Findings | None], what: str) -> Findings:
        """Look until something is found."""
        return self.stack.wait_for(look, SECONDS, what)

    def wait_for_key(self, key: str) -> None:
        """Look until there is an object."""
        self.wait(lambda: key in self.stack.keys(key) or None, key)

    def refusal(self, run: LiveRun, action: str) -> str | None:
        """Find a failed task of a run whose cause is that the role may not do this."""
        failures = [event for event in run.events() if event["type"] == "TaskFailed"]
        causes = [event["taskFailedEventDetails"]["cause"] for event in failures]
        wanted = (f"assumed-role/{self.role}/", f"not authorized to perform: {action}")
        return next((cause for cause in causes if all(words in cause for words in wanted)), None)

    def failed_upload(self) -> dict[str, Any] | None:
        """Take what the failure queue has on the drop: Lambda's account of the event that submit failed on."""
        url = self.stack.outputs["SubmitFailureQueueUrl"]
        for message in self.stack.sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", []):
            self.stack.sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
            account: dict[str, Any] = json.loads(message["Body"])
            if account["requestPayload"]["detail"]["object"]["key"] == self.key:
                return account
        return None

    def submit_again(self, account: dict[str, Any]) -> None:
        """Do what the alarm on the failure queue says: hand the event to submit again."""
        event = json.dumps(account["requestPayload"])
        self.stack.lambdas.invoke(FunctionName=self.stack.functions["submit"], Payload=event)


def policy_of(stack: Stack, role: str) -> dict[str, Any]:
    """Read the one policy of a deployed role."""
    (name,) = stack.iam.list_role_policies(RoleName=role)["PolicyNames"]
    document: Any = stack.iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]
    return dict(document)
