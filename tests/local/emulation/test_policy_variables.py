"""IAM of the local AWS puts values in place of variables in policies, and no statement matches without its value."""

from __future__ import annotations

import json
from functools import partial
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest
from botocore.exceptions import ClientError

from tests.support.people import create_bucket, role_with, user_with

if TYPE_CHECKING:
    from collections.abc import Callable

    from local.stack.local_aws import Aws

PROJECT = "${aws:PrincipalTag/project}"


@pytest.fixture
def bucket(aws: Aws) -> str:
    """Create a bucket."""
    return create_bucket(aws)


def made(aws: Aws, *statements: dict[str, Any]) -> str:
    """Create a managed policy and return its ARN."""
    iam, document = aws.client("iam"), json.dumps({"Version": "2012-10-17", "Statement": statements})
    created = iam.create_policy(PolicyName=f"policy-{uuid4().hex[:8]}", PolicyDocument=document)
    arn: str = created["Policy"]["Arn"]
    return arn


def allowed(bucket: str, *keys: str, effect: str = "Allow") -> dict[str, Any]:
    """Return a statement about writing these keys."""
    return {"Effect": effect, "Action": "s3:PutObject", "Resource": [f"arn:aws:s3:::{bucket}/{key}" for key in keys]}


def writable(s3: Any, bucket: str, *keys: str) -> list[str]:
    """Return the keys that somebody may write."""
    return [key for key in keys if is_allowed(partial(s3.put_object, Bucket=bucket, Key=key))]


def may_list(s3: Any, bucket: str, prefix: str) -> bool:
    """Tell whether somebody may list a prefix."""
    return is_allowed(partial(s3.list_objects_v2, Bucket=bucket, Prefix=prefix))


def is_allowed(call: Callable[[], object]) -> bool:
    """Tell whether a call is allowed."""
    try:
        call()
    except ClientError as error:
        if error.response["Error"]["Code"] != "AccessDenied":
            raise
        return False
    return True


@pytest.mark.parametrize("name", ["aws:PrincipalTag/project", "AWS:principaltag/Project"])
def test_a_tag_of_the_caller_stands_in_a_resource(aws: Aws, bucket: str, name: str) -> None:
    """Names of keys are compared without case, values with it."""
    policy = made(aws, allowed(bucket, f"${{{name}}}/*"))
    with role_with(aws, policy, {"project": "a"}) as role, user_with(aws, policy, {"project": "b"}) as user:
        assert writable(role("s3"), bucket, "a/x", "b/x", "A/x", "aa/x") == ["a/x"]
        assert writable(user("s3"), bucket, "a/x", "b/x") == ["b/x"]


def test_a_tag_of_the_session_stands_before_that_of_the_role(aws: Aws, bucket: str) -> None:
    """So who may tag a session says what it is."""
    policy = made(aws, allowed(bucket, f"{PROJECT}/*"))
    with role_with(aws, policy, {"project": "a"}, {"project": "b"}) as role:
        assert writable(role("s3"), bucket, "a/x", "b/x") == ["b/x"]


def test_a_tag_of_the_caller_stands_in_a_condition(aws: Aws, bucket: str) -> None:
    """A listing shows the caller's prefix only."""
    condition = {"StringLike": {"s3:prefix": ["shared/*", f"{PROJECT}/*"]}}
    arn = f"arn:aws:s3:::{bucket}"
    policy = made(aws, {"Effect": "Allow", "Action": "s3:ListBucket", "Resource": arn, "Condition": condition})
    for tags, seen in (({"project": "a"}, ["shared/", "a/"]), (None, [])):
        with role_with(aws, policy, tags) as clients:
            person = clients("s3")
            assert [each for each in ("shared/", "a/", "b/", "") if may_list(person, bucket, each)] == seen


def test_a_statement_of_which_a_variable_has_no_value_matches_nothing(aws: Aws, bucket: str) -> None:
    """Neither what else it allows, nor what it denies; other statements count."""
    policy = made(
        aws,
        allowed(bucket, f"{PROJECT}/*", "shared/*"),
        allowed(bucket, "own/*"),
        allowed(bucket, f"{PROJECT}/*", "own/*", effect="Deny"),
    )
    with role_with(aws, policy) as role:
        assert writable(role("s3"), bucket, "shared/x", "own/x", f"{PROJECT}/x", "/x") == ["own/x"]


def test_a_value_is_no_pattern(aws: Aws, bucket: str) -> None:
    """AWS takes no tag with a wildcard; the local one does."""
    policy = made(aws, allowed(bucket, f"{PROJECT}/*"))
    for value in ("*", "?"):
        with role_with(aws, policy, {"project": value}) as role:
            assert writable(role("s3"), bucket, "a/x", f"{value}/x") == []
