"""What CloudFormation does with a stack, event by event, and how it ends."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from deployment.aws import stack
from deployment.aws.account import explained

if TYPE_CHECKING:
    from collections.abc import Callable

    from mypy_boto3_cloudformation import CloudFormationClient
    from mypy_boto3_cloudformation.type_defs import StackEventTypeDef

_LOOK_SECONDS = 2.0
_ENDED = frozenset({
    "CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_FAILED", "UPDATE_ROLLBACK_COMPLETE", "UPDATE_ROLLBACK_FAILED",
    "ROLLBACK_FAILED", "DELETE_COMPLETE", "DELETE_FAILED",
})  # fmt: skip
_BEFORE_DELETION = frozenset({"CREATE_FAILED", "ROLLBACK_COMPLETE"})
"""A first deployment that failed is deleted next; only if it stays so for some looks, nobody deletes it."""
_LOOKS = 5
_SUCCEEDED = frozenset({"CREATE_COMPLETE", "UPDATE_COMPLETE"})
_CANCELLED = ("cancelled", "canceled")
"""In the reasons of resources that stop because another one failed."""


@dataclass(frozen=True)
class Event:
    """One event of a resource."""

    resource: str
    type: str
    status: str
    reason: str

    @property
    def is_failure(self) -> bool:
        """Whether the resource itself failed."""
        is_cause = not any(text in self.reason for text in _CANCELLED)
        return self.status.endswith("_FAILED") and self.type != "AWS::CloudFormation::Stack" and is_cause


@dataclass(frozen=True)
class End:
    """How an operation on a stack has ended."""

    status: str
    failure: Event | None
    """The first resource that failed."""
    outputs: dict[str, str]

    @property
    def is_success(self) -> bool:
        """Whether the stack is as it was wanted."""
        return self.status in _SUCCEEDED


def follow(client: CloudFormationClient, stack_id: str, token: str, tell: Callable[[Event], None]) -> End:
    """Tell of each event of an operation until it has ended. `token`: see `change_set.execute`."""
    seen, failure = set[str](), None
    looks = Counter[str]()
    while True:
        found, status = stack.read(client, stack_id)
        for event_id, event in _events(client, stack_id, token):
            if event_id not in seen:
                seen.add(event_id)
                failure = failure or (event if event.is_failure else None)
                tell(event)
        looks[status] += 1
        if status in _ENDED or (status in _BEFORE_DELETION and looks[status] >= _LOOKS):
            return End(status, failure, dict(found.outputs))
        time.sleep(_LOOK_SECONDS)


def _events(client: CloudFormationClient, stack_id: str, token: str) -> list[tuple[str, Event]]:
    """Return the events of an operation, oldest first."""
    with explained():
        pages = client.get_paginator("describe_stack_events").paginate(StackName=stack_id)
        every = [each for page in pages for each in page["StackEvents"] if each.get("ClientRequestToken") == token]
    return [(each["EventId"], _event(each)) for each in reversed(every)]


def _event(each: StackEventTypeDef) -> Event:
    reason = each.get("ResourceStatusReason", "")
    return Event(each["LogicalResourceId"], each["ResourceType"], each["ResourceStatus"], reason)
