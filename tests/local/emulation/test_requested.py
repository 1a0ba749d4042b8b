"""What a policy must name, so that a person may do something: as on AWS."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest
from botocore.exceptions import ClientError

from tests.support.people import create_bucket, role_with

if TYPE_CHECKING:
    from local.stack.local_aws import Aws

ACCOUNT = "arn:aws:{}:us-east-1:000000000000:{}"


def policy(aws: Aws, action: list[str], resource: str) -> str:
    """Create a policy of one statement; return its ARN."""
    statement = {"Effect": "Allow", "Action": action, "Resource": resource}
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    made = aws.client("iam").create_policy(PolicyName=f"p-{uuid4().hex[:8]}", PolicyDocument=document)
    return str(made["Policy"]["Arn"])


def is_denied(call: Any, **asked: Any) -> bool:
    """Tell whether a call is denied; it may fail for another reason."""
    try:
        call(**asked)
    except ClientError as error:
        return "AccessDenied" in error.response["Error"]["Code"]
    return False


def test_a_key_that_ends_in_a_slash_is_another_one_than_that_without(aws: Aws) -> None:
    """As the marker of a folder is. Doubled slashes are two."""
    bucket = create_bucket(aws)
    with role_with(aws, policy(aws, ["s3:PutObject"], f"arn:aws:s3:::{bucket}/inbox/x-*/")) as clients:
        put = clients("s3").put_object
        for key, denied in (
            ("inbox/x-1/", False),
            ("inbox/x-1", True),
            ("inbox/x-1.jsonl", True),
            ("inbox//x-1/", True),
        ):
            assert is_denied(put, Bucket=bucket, Key=key, Body=b"") is denied, key


def test_a_version_of_a_function_is_another_resource_than_the_function(aws: Aws) -> None:
    """Who may invoke the one may not invoke the other."""
    allowed = policy(aws, ["lambda:InvokeFunction"], ACCOUNT.format("lambda", "function:mine"))
    with role_with(aws, allowed) as clients:
        invoke = clients("lambda").invoke
        assert not is_denied(invoke, FunctionName="mine")
        assert is_denied(invoke, FunctionName="mine", Qualifier="1")


@pytest.mark.parametrize("call", ["describe_rule", "list_targets_by_rule"])
def test_a_rule_of_the_default_bus_has_an_arn_without_the_bus(aws: Aws, call: str) -> None:
    """And is the only one that may be read."""
    actions = ["events:DescribeRule", "events:ListTargetsByRule"]
    with role_with(aws, policy(aws, actions, ACCOUNT.format("events", "rule/mine"))) as clients:
        read, name = getattr(clients("events"), call), "Name" if call == "describe_rule" else "Rule"
        assert not is_denied(read, **{name: "mine"})
        assert is_denied(read, **{name: "other"})


def test_to_read_the_concurrency_of_a_function_is_not_to_write_it(aws: Aws) -> None:
    """Each has an action of its own."""
    allowed = policy(aws, ["lambda:GetFunctionConcurrency"], ACCOUNT.format("lambda", "function:mine"))
    with role_with(aws, allowed) as clients:
        lambdas = clients("lambda")
        assert not is_denied(lambdas.get_function_concurrency, FunctionName="mine")
        assert is_denied(lambdas.put_function_concurrency, FunctionName="mine", ReservedConcurrentExecutions=1)
        assert is_denied(lambdas.delete_function_concurrency, FunctionName="mine")
