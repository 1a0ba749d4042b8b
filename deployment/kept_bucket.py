"""Give a new stack the bucket that a deleted one has left: `make kept-bucket STACK=conveyor BUCKET=<name>`.

A stack cannot create a bucket that exists, nor a policy that a bucket has. Change sets with `ImportExistingResources`
find only names that are written into a template, and then leave a bucket as it is, however old its settings are. So the
new stack begins with an import of bucket and policy, as they are, and of nothing else. The deployment that follows is
an update like any other: it brings both up to date, and creates all the rest.
"""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import boto3
from botocore.exceptions import BotoCoreError, ClientError, WaiterError

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient
    from mypy_boto3_cloudformation.type_defs import ResourceToImportTypeDef, WaiterConfigTypeDef
    from mypy_boto3_s3 import S3Client

type Json = dict[str, Any]

BUCKET, POLICY = "Bucket", "BucketPolicy"
"""The logical ids in the template of Conveyor."""
_RULES = {"ExpireLedger", "ExpireClaims"}
"""Lifecycle rules of every release."""
USAGE = "Type: make kept-bucket STACK=<name of the new stack> BUCKET=<name of the bucket>"
_WAIT: WaiterConfigTypeDef = {"Delay": 2, "MaxAttempts": 300}


class CannotImport(Exception):
    """The bucket was not imported. The text says why, and what to do."""


def import_bucket(formation: CloudFormationClient, s3: S3Client, stack: str, bucket: str) -> bool:
    """Create a stack of a bucket that exists, with its policy if it has one; return False if there is no such bucket.

    A deployment with the parameter `BucketName` must follow. Nothing is done if the stack has the bucket already.
    Raises CannotImport, ClientError, BotoCoreError.
    """
    if _exists(formation, stack):
        if _has(formation, stack, bucket):
            return True
        raise CannotImport(
            f"The stack {stack} exists, and has another bucket. Choose another name, or delete it first."
        )
    if not is_there(s3, bucket):
        return False
    if not _is_of_conveyor(s3, bucket):
        raise CannotImport(
            f"{bucket} is a bucket of something else: it has not the lifecycle rules of Conveyor. A deployment would "
            "replace its policy and expire what is in it. Choose another name."
        )
    template = _template(bucket, _policy(s3, bucket))
    change_set = formation.create_change_set(
        StackName=stack,
        ChangeSetName=f"kept-bucket-{uuid4().hex[:8]}",
        ChangeSetType="IMPORT",
        TemplateBody=json.dumps(template),
        ResourcesToImport=_identified(template),
    )["Id"]
    try:
        formation.get_waiter("change_set_create_complete").wait(ChangeSetName=change_set, WaiterConfig=_WAIT)
        formation.execute_change_set(ChangeSetName=change_set)
        formation.get_waiter("stack_import_complete").wait(StackName=stack, WaiterConfig=_WAIT)
    except WaiterError as error:
        raise CannotImport(
            f"{bucket} was not imported into {stack}: {_reason(formation, change_set, stack)}"
        ) from error
    return True


def _exists(formation: CloudFormationClient, stack: str) -> bool:
    """Whether there is a stack. One whose change set was never executed is none."""
    try:
        (found,) = formation.describe_stacks(StackName=stack)["Stacks"]
    except ClientError as error:
        if "does not exist" in str(error):
            return False
        raise
    return found["StackStatus"] != "REVIEW_IN_PROGRESS"


def _has(formation: CloudFormationClient, stack: str, bucket: str) -> bool:
    resources = formation.describe_stack_resources(StackName=stack)["StackResources"]
    return any(each["LogicalResourceId"] == BUCKET and each.get("PhysicalResourceId") == bucket for each in resources)


def is_there(s3: S3Client, bucket: str) -> bool:
    """Whether a bucket exists and may be read. Raises ClientError for one of another account."""
    try:
        s3.head_bucket(Bucket=bucket)
    except ClientError as error:
        if error.response["Error"]["Code"] in {"404", "NoSuchBucket"}:
            return False
        raise
    return True


def _is_of_conveyor(s3: S3Client, bucket: str) -> bool:
    """Whether a stack of any release has made the bucket: its rules stay when the stack is deleted."""
    try:
        rules = s3.get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"]
    except ClientError as error:
        if error.response["Error"]["Code"] == "NoSuchLifecycleConfiguration":
            return False
        raise
    return {rule.get("ID") for rule in rules} >= _RULES


def _policy(s3: S3Client, bucket: str) -> Json | None:
    try:
        policy: Json = json.loads(s3.get_bucket_policy(Bucket=bucket)["Policy"])
    except ClientError as error:
        if error.response["Error"]["Code"] == "NoSuchBucketPolicy":
            return None
        raise
    return policy


def _template(bucket: str, policy: Json | None) -> Json:
    """Describe the bucket by its name only: every other property then differs from it in the deployment that follows.

    Both are retained, whatever happens. An import compares nothing with the template but what identifies a resource.
    """
    resources = {BUCKET: _kept("AWS::S3::Bucket", BucketName=bucket)}
    if policy:
        resources[POLICY] = _kept("AWS::S3::BucketPolicy", Bucket=bucket, PolicyDocument=policy)
    return {"AWSTemplateFormatVersion": "2010-09-09", "Resources": resources}


def _kept(kind: str, **properties: object) -> Json:
    return {"Type": kind, "DeletionPolicy": "Retain", "UpdateReplacePolicy": "Retain", "Properties": properties}


def _identified(template: Json) -> list[ResourceToImportTypeDef]:
    keys = {BUCKET: "BucketName", POLICY: "Bucket"}
    return [
        {
            "LogicalResourceId": name,
            "ResourceType": resource["Type"],
            "ResourceIdentifier": {keys[name]: resource["Properties"][keys[name]]},
        }
        for name, resource in template["Resources"].items()
    ]


def _reason(formation: CloudFormationClient, change_set: str, stack: str) -> str:
    """Return why a change set was not created, or else the first reason of a failure in the events of the stack."""
    described = formation.describe_change_set(ChangeSetName=change_set)
    if described["Status"] == "FAILED":
        return described.get("StatusReason", "CloudFormation gives no reason.")
    events = formation.describe_stack_events(StackName=stack)["StackEvents"]
    reasons = [each.get("ResourceStatusReason", "") for each in events if each["ResourceStatus"] == "IMPORT_FAILED"]
    return next(reversed(reasons), "look at the events of the stack.")


def main(stack: str = "", bucket: str = "") -> int:
    """Import a bucket, and say what comes next. Returns the exit code."""
    if not stack or not bucket:
        return _refused(USAGE, 2)
    try:
        is_imported = import_bucket(boto3.client("cloudformation"), boto3.client("s3"), stack, bucket)
    except (CannotImport, ClientError, BotoCoreError) as error:
        return _refused(str(error))
    if not is_imported:
        return _refused(f"There is no bucket {bucket}. A deployment with BucketName={bucket} creates it.")
    print(f"The stack {stack} has the bucket {bucket}. Now deploy it with BucketName={bucket}.")  # noqa: T201  # a command
    return 0


def _refused(text: str, code: int = 1) -> int:
    sys.stderr.write(f"{text}\n")
    return code


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:3]))
