"""People with a policy from the docs: the S3 client of a role that has it and nothing else, on the local AWS."""

from __future__ import annotations

import json
import re
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import boto3

from tests.support.template import PROJECT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from local.stack.local_aws import Aws

_TRUST = {"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::000000000000:root"}, "Action": "sts:AssumeRole"}


def documented_policies(page: str, bucket: str, project: str) -> list[str]:
    """Return the policies of a page of the docs, with names in place of `<BucketName>` and `<project>`."""
    text = (PROJECT / "docs" / page).read_text()
    found: list[str] = re.findall(r"```json\n(\{\n  \"Version\".*?)```", text, re.DOTALL)
    filled = [policy.replace("<BucketName>", bucket).replace("<project>", project) for policy in found]
    assert not any("<" in policy for policy in filled)
    return filled


def create_bucket(aws: Aws) -> str:
    """Create a bucket, and return its name."""
    name = f"policy-{uuid4().hex[:12]}"
    aws.client("s3").create_bucket(Bucket=name)
    return name


@contextmanager
def person_with(aws: Aws, policy: str) -> Iterator[Any]:
    """Yield the S3 client of somebody who has a policy, and nothing else."""
    role, iam = f"person-{uuid4().hex[:8]}", aws.client("iam")
    trust = json.dumps({"Version": "2012-10-17", "Statement": [_TRUST]})
    arn = iam.create_role(RoleName=role, AssumeRolePolicyDocument=trust)["Role"]["Arn"]
    iam.put_role_policy(RoleName=role, PolicyName="documented", PolicyDocument=policy)
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
