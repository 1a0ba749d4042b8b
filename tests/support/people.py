"""People on the local AWS: clients of a role or a user that has one managed policy, some tags, and nothing else."""

from __future__ import annotations

import json
from contextlib import ExitStack, closing, contextmanager
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import boto3

from local.stack.local_aws import REGION

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from local.stack.local_aws import Aws

type Clients = Callable[[str], Any]
"""Returns the client of a service, by its name."""

_ACCOUNT = {"AWS": "arn:aws:iam::000000000000:root"}
_TRUST = {"Effect": "Allow", "Principal": _ACCOUNT, "Action": ["sts:AssumeRole", "sts:TagSession"]}


def create_bucket(aws: Aws) -> str:
    """Create a bucket, and return its name."""
    name = f"policy-{uuid4().hex[:12]}"
    aws.client("s3").create_bucket(Bucket=name)
    return name


@contextmanager
def role_with(
    aws: Aws, policy: str, tags: Mapping[str, str] | None = None, session_tags: Mapping[str, str] | None = None
) -> Iterator[Clients]:
    """Yield the clients of somebody who has taken a new role. `policy`: its ARN."""
    keys = credentials(aws, policy, tags, session_tags)
    with _clients(aws, *keys.values()) as clients:
        yield clients


def credentials(
    aws: Aws,
    policy: str,
    tags: Mapping[str, str] | None = None,
    session_tags: Mapping[str, str] | None = None,
    also: str = "",
) -> dict[str, str]:
    """Return the variables with the credentials of somebody who has taken a new role. `policy`, `also`: ARNs."""
    role, iam = f"person-{uuid4().hex[:8]}", aws.client("iam")
    trust = json.dumps({"Version": "2012-10-17", "Statement": [_TRUST]})
    arn = iam.create_role(RoleName=role, AssumeRolePolicyDocument=trust, Tags=_listed(tags))["Role"]["Arn"]
    for each in filter(None, (policy, also)):
        iam.attach_role_policy(RoleName=role, PolicyArn=each)
    given = aws.client("sts").assume_role(RoleArn=arn, RoleSessionName="person", Tags=_listed(session_tags))
    keys = given["Credentials"]
    return {
        "AWS_ACCESS_KEY_ID": keys["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": keys["SecretAccessKey"],
        "AWS_SESSION_TOKEN": keys["SessionToken"],
    }


@contextmanager
def user_with(aws: Aws, policy: str, tags: Mapping[str, str] | None = None) -> Iterator[Clients]:
    """Yield the clients of a new user. `policy`: its ARN."""
    user, iam = f"person-{uuid4().hex[:8]}", aws.client("iam")
    iam.create_user(UserName=user, Tags=_listed(tags))
    iam.attach_user_policy(UserName=user, PolicyArn=policy)
    keys = iam.create_access_key(UserName=user)["AccessKey"]
    with _clients(aws, keys["AccessKeyId"], keys["SecretAccessKey"], None) as clients:
        yield clients


@contextmanager
def _clients(aws: Aws, key: str, secret: str, token: str | None) -> Iterator[Clients]:
    """Yield what makes clients, which are closed with the block."""
    with ExitStack() as stack:

        def client(service: str) -> Any:
            made: Any = boto3.client(
                service,
                endpoint_url=aws.url,
                verify=str(aws.certificate),
                region_name=REGION,
                aws_access_key_id=key,
                aws_secret_access_key=secret,
                aws_session_token=token,
            )
            return stack.enter_context(closing(made))

        yield client


def _listed(tags: Mapping[str, str] | None) -> list[dict[str, str]]:
    return [{"Key": name, "Value": value} for name, value in (tags or {}).items()]
