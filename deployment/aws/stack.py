"""The stack as it is: whether it exists, whether it can be updated, its parameters and its resources."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from deployment.aws.account import explain, explained
from deployment.trouble import Trouble

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mypy_boto3_cloudformation import CloudFormationClient
    from mypy_boto3_cloudformation.type_defs import StackTypeDef

_OUTPUTS = {"BucketName", "StateMachineArn"}
_PARAMETERS = {"ApiKeySecretName", "NotificationEmail"}
"""That every stack of Conveyor has. Names of outputs are common; a stack that was never created has none."""
_EMPTY = "REVIEW_IN_PROGRESS"
"""A change set for a new stack was made, and never executed."""
_KEPT = {"Bucket", "BucketPolicy"}
"""What a stack has that has taken over a bucket, by its logical ids, until it is deployed."""
_LEFT = frozenset({"ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "CREATE_FAILED", "DELETE_FAILED"})
"""Of a first deployment, or of a deletion, that failed: CloudFormation only deletes such a stack."""


@dataclass(frozen=True)
class Stack:
    """A stack of Conveyor that can be updated."""

    id: str
    parameters: Mapping[str, str]
    outputs: Mapping[str, str]

    @property
    def has_bucket_only(self) -> bool:
        """Whether it has taken over a bucket that an earlier stack has left, and was not deployed since."""
        return not self.outputs


def find(client: CloudFormationClient, name: str) -> Stack | None:
    """Return the stack of this name; None if there is none yet. Raises Trouble if it cannot be updated.

    Another stack that happens to have the name is not touched.
    """
    try:
        found = client.describe_stacks(StackName=name)["Stacks"][0]
    except ClientError as error:
        if error.response["Error"]["Code"] == "ValidationError" and "does not exist" in str(error):
            return None
        raise explain(error) from error
    if found["StackStatus"] == _EMPTY:
        return None
    stack = _read(found)
    if not (_is_conveyor(stack, found["StackStatus"]) or _is_kept_bucket(client, stack)):
        raise Trouble(f'"{name}" in {client.meta.region_name} is a stack of something else. Choose another name.')
    trouble = _trouble(found, name, client.meta.region_name)
    if trouble:
        raise trouble
    return stack


def read(client: CloudFormationClient, stack_id: str) -> tuple[Stack, str]:
    """Return a stack by its id, also one that was deleted, and its status."""
    with explained():
        found = client.describe_stacks(StackName=stack_id)["Stacks"][0]
    return _read(found), found["StackStatus"]


def is_empty(client: CloudFormationClient, stack_id: str) -> bool:
    """Whether a stack was made for a change set that nobody has executed."""
    return read(client, stack_id)[1] == _EMPTY


def resources(client: CloudFormationClient, stack_id: str) -> Counter[str]:
    """Count the resources of a stack by their types."""
    with explained():
        pages = client.get_paginator("list_stack_resources").paginate(StackName=stack_id)
        every = [each for page in pages for each in page["StackResourceSummaries"]]
    return Counter(each["ResourceType"] for each in every if each["ResourceStatus"] != "DELETE_COMPLETE")


def bucket(client: CloudFormationClient, stack_id: str) -> str:
    """Return the name of the bucket of a stack that has nothing but a bucket, which an earlier stack has left."""
    with explained():
        found = client.describe_stack_resources(StackName=stack_id)["StackResources"]
    return next(each.get("PhysicalResourceId", "") for each in found if each["LogicalResourceId"] == "Bucket")


def _read(found: StackTypeDef) -> Stack:
    parameters = {each["ParameterKey"]: each["ParameterValue"] for each in found.get("Parameters", [])}
    outputs = {each["OutputKey"]: each["OutputValue"] for each in found.get("Outputs", [])}
    return Stack(found["StackId"], parameters, outputs)


def _trouble(found: StackTypeDef, name: str, region: str) -> Trouble | None:
    status, place = found["StackStatus"], f"--region {region} --stack-name {name}"
    if status.endswith("_IN_PROGRESS"):
        return Trouble(f'CloudFormation is at work on "{name}" ({status}). Wait for its end, and type the same again.')
    if status == "UPDATE_ROLLBACK_FAILED":
        return Trouble(
            f'An update of "{name}" failed, and so did the way back ({status}). Go back first:',
            commands=(f"aws cloudformation continue-update-rollback {place}",),
        )
    if status in _LEFT:
        return Trouble(
            f'"{name}" is what a deployment or a deletion that failed has left ({status}). Delete it first:',
            commands=(f"aws cloudformation delete-stack {place}",),
        )
    return None


def _is_conveyor(stack: Stack, status: str) -> bool:
    """Whether a stack was deployed from the template of Conveyor. One that is at rest has outputs."""
    is_at_rest = status.endswith("_COMPLETE") and status not in _LEFT
    return stack.parameters.keys() >= _PARAMETERS and (stack.outputs.keys() >= _OUTPUTS or not is_at_rest)


def _is_kept_bucket(client: CloudFormationClient, stack: Stack) -> bool:
    """Whether a stack has only taken over a bucket: also if its first deployment then failed, and was rolled back."""
    if stack.outputs or stack.parameters:
        return False
    with explained():
        found = client.describe_stack_resources(StackName=stack.id)["StackResources"]
    return {each["LogicalResourceId"] for each in found if each["ResourceStatus"] != "DELETE_COMPLETE"} <= _KEPT
