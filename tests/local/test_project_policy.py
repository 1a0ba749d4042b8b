"""The policy in docs/operate.md that lets a person control the runs of one project, enforced by the local AWS."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from conveyor.domain import keys
from tests.support.people import create_bucket, documented_policies, person_with

if TYPE_CHECKING:
    from collections.abc import Iterator

    from local.stack.local_aws import Aws

RUN = "20261122T123456Z-0123456789ab"


@pytest.fixture
def bucket(aws: Aws) -> str:
    """Create a bucket."""
    return create_bucket(aws)


@pytest.fixture
def person(aws: Aws, bucket: str) -> Iterator[Any]:
    """Return the S3 client of somebody who has the policy for the project team-a, and nothing else."""
    (policy,) = documented_policies("operate.md", bucket, "team-a")
    with person_with(aws, policy) as client:
        yield client


@pytest.mark.parametrize("name", [keys.STOP, keys.release_name(1, 1)])
def test_a37_a_person_of_a_project_controls_its_runs_and_no_others(person: Any, bucket: str, name: str) -> None:
    """A37: under `control/<run>/` IAM cannot tell own runs from others."""
    person.put_object(Bucket=bucket, Key=f"{keys.control(RUN, 'team-a')}{name}", Body=b"stop")
    for prefix in (keys.control(RUN), keys.control(RUN, "team-b"), keys.control(RUN, "team-a2"), "control/"):
        with pytest.raises(ClientError, match="AccessDenied"):
            person.put_object(Bucket=bucket, Key=f"{prefix}{name}", Body=b"stop")


def test_the_policy_reads_nothing(person: Any, bucket: str) -> None:
    """Who may stop a run need not see what is in it."""
    with pytest.raises(ClientError, match="AccessDenied"):
        person.list_objects_v2(Bucket=bucket)
