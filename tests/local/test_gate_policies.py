"""The policies in docs/gates.md, enforced by the local AWS: one lets a person drop, stop and pause, one approve."""

from __future__ import annotations

import json
import re
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
WRITTEN = {
    "drop": "inbox/team-a/x.jsonl",
    "stop": keys.stop(RUN, "team-a"),
    "pause": f"{keys.control(RUN, 'team-a')}{keys.PAUSE}",
    "approve": keys.approval(RUN, 1, "team-a"),
}
"""What each action writes."""


def documented_policies() -> list[str]:
    """Return the policies of the page: of a dropper, then of an approver."""
    page = (PROJECT / "docs" / "gates.md").read_text()
    found: list[str] = re.findall(r"```json\n(\{\n  \"Version\".*?)```", page, re.DOTALL)
    return found


@pytest.fixture
def bucket(aws: Aws) -> str:
    """Create a bucket."""
    name = f"policy-{uuid4().hex[:12]}"
    aws.client("s3").create_bucket(Bucket=name)
    return name


@pytest.fixture
def people(aws: Aws, bucket: str) -> Iterator[list[Any]]:
    """Return the S3 clients of a dropper and of an approver of team-a, who have these policies and nothing else."""
    clients = []
    for policy in documented_policies():
        role, iam = f"person-{uuid4().hex[:8]}", aws.client("iam")
        trust = json.dumps({"Version": "2012-10-17", "Statement": [TRUST]})
        arn = iam.create_role(RoleName=role, AssumeRolePolicyDocument=trust)["Role"]["Arn"]
        filled = policy.replace("<BucketName>", bucket).replace("<project>", "team-a")
        iam.put_role_policy(RoleName=role, PolicyName="gates", PolicyDocument=filled)
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
        clients.append(client)
    yield clients
    for client in clients:
        client.close()


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
