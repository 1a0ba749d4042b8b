"""A stack on the local AWS with what the template gives to people: the policies, and a bucket."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, NamedTuple
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
ELSEWHERE = template.template()["Resources"].keys() - {"Bucket", *POLICIES}
"""Resources that policies name, and that no test here is about."""
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
    whole, name = _standing_alone(template.template()), f"policies-{uuid4().hex[:8]}"
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


def _standing_alone(value: Any) -> Any:
    """Return a template with ARNs of nothing in place of resources that are not deployed here."""
    if isinstance(value, list):
        return [_standing_alone(each) for each in value]
    if not isinstance(value, dict):
        return re.sub(r"\$\{(\w+)\.Arn\}", _arn_in_text, value) if isinstance(value, str) else value
    name = value.get("Ref") or next(iter(value.get("Fn::GetAtt", ())), None)
    if len(value) == 1 and name in ELSEWHERE:
        return _arn(str(name))
    return {key: _standing_alone(each) for key, each in value.items()}


def _arn_in_text(found: re.Match[str]) -> str:
    return _arn(found[1]) if found[1] in ELSEWHERE else found[0]


def _arn(name: str) -> str:
    return f"arn:aws:elsewhere:::{name}"
