"""A stack on the local AWS with what the template gives to people: the policies, and a bucket."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, NamedTuple
from uuid import uuid4

from local.stack.local_aws import REGION
from tests.support import template

if TYPE_CHECKING:
    from local.stack.local_aws import Aws

POLICIES = sorted(
    name
    for name, resource in template.template()["Resources"].items()
    if resource["Type"] == "AWS::IAM::ManagedPolicy" and "Condition" not in resource
)
"""Those that every stack has."""
MACHINE = f"arn:aws:states:{REGION}:000000000000:stateMachine:conveyor"
"""No machine is there: people call none."""


class Deployed(NamedTuple):
    """A stack of the bucket and the policies."""

    name: str
    bucket: str
    policies: dict[str, str]
    """ARNs."""


def deploy(aws: Aws) -> Deployed:
    """Deploy the policies of the template, with a bucket."""
    whole, name = template.template(), f"policies-{uuid4().hex[:8]}"
    bucket = {"Type": "AWS::S3::Bucket", "Properties": {"VersioningConfiguration": {"Status": "Enabled"}}}
    outputs = {f"{policy}Arn": whole["Outputs"][f"{policy}Arn"] for policy in POLICIES}
    outputs["StateMachineArn"] = {"Value": MACHINE}
    part = {
        "Parameters": whole["Parameters"],
        "Conditions": whole["Conditions"],
        "Resources": {"Bucket": bucket} | {policy: whole["Resources"][policy] for policy in POLICIES},
        "Outputs": outputs | {"BucketName": whole["Outputs"]["BucketName"]},
    }
    formation = aws.client("cloudformation")
    formation.create_stack(StackName=name, TemplateBody=json.dumps(part), Capabilities=["CAPABILITY_IAM"])
    formation.get_waiter("stack_create_complete").wait(StackName=name, WaiterConfig={"Delay": 1})
    (stack,) = formation.describe_stacks(StackName=name)["Stacks"]
    given = {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}
    return Deployed(name, given["BucketName"], {policy: given[f"{policy}Arn"] for policy in POLICIES})
