"""A log group takes a customer's key only if the key's policy lets CloudWatch Logs use it for that group."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from tests.support.company import create_key, key_policy

if TYPE_CHECKING:
    from local.stack.local_aws import Aws

STATEMENTS = {each["Sid"]: each for each in key_policy()}


def deploy(aws: Aws, group: str, key: str) -> str:
    """Deploy a log group with a key; return how that ended."""
    formation, name = aws.client("cloudformation"), f"logs-{uuid4().hex[:8]}"
    properties = {"LogGroupName": group, "KmsKeyId": key}
    resources: Any = {"Group": {"Type": "AWS::Logs::LogGroup", "Properties": properties}}
    formation.create_stack(StackName=name, TemplateBody=json.dumps({"Resources": resources}))
    while (status := formation.describe_stacks(StackName=name)["Stacks"][0]["StackStatus"]).endswith("IN_PROGRESS"):
        continue
    return str(status)


@pytest.mark.parametrize(
    ("sids", "group", "status"),
    [
        (["PoliciesOfTheAccount", "LogGroups"], "/aws/lambda/conveyor-x", "CREATE_COMPLETE"),
        (["PoliciesOfTheAccount", "LogGroups"], "/aws/lambda/another-x", "ROLLBACK_COMPLETE"),
        (["PoliciesOfTheAccount"], "/aws/lambda/conveyor-y", "ROLLBACK_COMPLETE"),
    ],
)
def test_a_log_group_needs_the_statement_of_the_page(aws: Aws, sids: list[str], group: str, status: str) -> None:
    """It is for the log groups of one stack."""
    assert deploy(aws, group, create_key(aws, [STATEMENTS[sid] for sid in sids])) == status
