"""The policies in docs/gates.md, enforced by the local AWS: one lets a person drop, stop and pause, one approve."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from conveyor.domain import keys
from tests.support.people import create_bucket, documented_policies, person_with

if TYPE_CHECKING:
    from collections.abc import Iterator

    from local.stack.local_aws import Aws

RUN = "20261122T123456Z-0123456789ab"
WRITTEN = {
    "drop": "inbox/team-a/x.jsonl",
    "stop": keys.stop(RUN, "team-a"),
    "pause": f"{keys.control(RUN, 'team-a')}{keys.PAUSE}",
    "approve": keys.approval(RUN, 1, "team-a"),
}
"""What each action writes."""


@pytest.fixture
def bucket(aws: Aws) -> str:
    """Create a bucket."""
    return create_bucket(aws)


@pytest.fixture
def people(aws: Aws, bucket: str) -> Iterator[list[Any]]:
    """Return the S3 clients of a dropper and of an approver of team-a, who have these policies and nothing else."""
    with ExitStack() as stack:
        policies = documented_policies("gates.md", bucket, "team-a")
        yield [stack.enter_context(person_with(aws, policy)) for policy in policies]


def may_write(person: Any, bucket: str, key: str) -> bool:
    """Return whether a person may write an object."""
    try:
        person.put_object(Bucket=bucket, Key=key, Body=b"approve")
    except ClientError as error:
        if error.response["Error"]["Code"] != "AccessDenied":
            raise
        return False
    return True


def test_a37_who_drops_may_stop_and_pause_and_only_an_approver_may_approve(people: list[Any], bucket: str) -> None:
    """A37: and neither may for the runs of another project."""
    dropper, approver = people
    assert {what for what, key in WRITTEN.items() if may_write(dropper, bucket, key)} == {"drop", "stop", "pause"}
    assert {what for what, key in WRITTEN.items() if may_write(approver, bucket, key)} == {"approve"}
    others = [key.replace("team-a", "team-b") for key in WRITTEN.values()] + [keys.approval(RUN, 1), "config/x.json"]
    assert not any(may_write(person, bucket, key) for person in people for key in others)
