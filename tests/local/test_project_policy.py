"""The policy in docs/operate.md that lets a person control the runs of one project, enforced by the local AWS."""

from __future__ import annotations

import json
import re
from contextlib import closing
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import boto3
import pytest
from botocore.exceptions import ClientError

from conveyor.domain import keys
from tests.support.template import PROJECT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from local.stack.local_aws import Aws

RUN = "20261122T123456Z-0123456789ab"
TRUST = {"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::000000000000:root"}, "Action": "sts:AssumeRole"}


def documented_policy(**names: str) -> str:
    """Return the policy from the page, with names in place of `<BucketName>` and `<project>`."""
    page = (PROJECT / "docs" / "operate.md").read_text()
    policy: str
    (policy,) = re.findall(r"```json\n(\{\n  \"Version\".*?)```", page, re.DOTALL)
    for name, value in names.items():
        policy = policy.replace(f"<{name}>", value)
    assert "<" not in policy
    return policy


@pytest.fixture
def bucket(aws: Aws) -> str:
    """Create a bucket."""
    name = f"policy-{uuid4().hex[:12]}"
    aws.client("s3").create_bucket(Bucket=name)
    return name


@pytest.fixture
def person(aws: Aws, bucket: str) -> Iterator[Any]:
    """Return the S3 client of somebody who has the policy for the project team-a, and nothing else."""
    role, iam = f"person-{uuid4().hex[:8]}", aws.client("iam")
    trust = json.dumps({"Version": "2012-10-17", "Statement": [TRUST]})
    arn = iam.create_role(RoleName=role, AssumeRolePolicyDocument=trust)["Role"]["Arn"]
    policy = documented_policy(BucketName=bucket, project="team-a")
    iam.put_role_policy(RoleName=role, PolicyName="control", PolicyDocument=policy)
    given = aws.client("sts").assume_role(RoleArn=arn, RoleSessionName="person")["Credentials"]
    client: Any = boto3.client(
        "s3",
        endpoint_url=aws.url,
        verify=str(aws.certificate),
        region_name="us-east-1",
        aws_access_key_id=given["AccessKeyId"],
        aws_secret_access_key=given["SecretAccessKey"],
        aws_session_token=given["SessionToken"],
    )
    with closing(client):
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
