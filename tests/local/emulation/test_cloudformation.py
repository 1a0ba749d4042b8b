"""Stacks of the local AWS: what exists already is adopted or refused, and deletion waits, as on AWS."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest
from botocore.exceptions import ClientError, WaiterError

if TYPE_CHECKING:
    from collections.abc import Callable

    from local.stack.local_aws import Aws

type Json = dict[str, Any]

SECONDS = 30.0
QUICKLY = {"Delay": 1, "MaxAttempts": 30}
MINUTES = 150
"""Seconds of a Wait state; the local AWS waits a fiftieth of them."""


def kept(kind: str, **properties: object) -> Json:
    """Return a resource that its stack keeps."""
    return {"Type": f"AWS::S3::{kind}", "DeletionPolicy": "Retain", "Properties": properties}


def tls_only(bucket: str) -> Json:
    """Return the policy of a bucket."""
    arn = f"arn:aws:s3:::{bucket}/*"
    denied = {"Effect": "Deny", "Principal": "*", "Action": "s3:GetObject", "Resource": arn}
    return {"Version": "2012-10-17", "Statement": [denied | {"Condition": {"Bool": {"aws:SecureTransport": "false"}}}]}


@dataclass(frozen=True)
class Place:
    """A bucket with an object and a policy, that belongs to no stack."""

    aws: Aws
    name: str

    @property
    def formation(self) -> Any:
        """The client of CloudFormation."""
        return self.aws.client("cloudformation")

    def change_set(self, resources: Json, kind: str = "CREATE", **options: object) -> Any:
        """Create a change set for a stack with the name of the bucket, and return it."""
        template = {"Parameters": {"Name": {"Type": "String", "Default": self.name}}, "Resources": resources}
        name = f"c{uuid4().hex[:8]}"
        self.formation.create_change_set(
            StackName=self.name, ChangeSetName=name, ChangeSetType=kind, TemplateBody=json.dumps(template), **options
        )
        return self.formation.describe_change_set(StackName=self.name, ChangeSetName=name)

    def execute(self, change_set: Any, end: str) -> str:
        """Execute a change set, wait for one of the ends of a stack, and return why something failed."""
        self.formation.execute_change_set(ChangeSetName=change_set["ChangeSetId"])
        try:
            self.formation.get_waiter(end).wait(StackName=self.name, WaiterConfig=QUICKLY)
        except WaiterError:
            checks = self.formation.describe_events(StackName=self.name)["OperationEvents"]
            events = self.formation.describe_stack_events(StackName=self.name)["StackEvents"]
            reasons = [each.get("ValidationStatusReason", "") for each in checks]
            return " ".join([*reasons, *(each.get("ResourceStatusReason", "") for each in events)])
        return ""


@pytest.fixture
def place(aws: Aws) -> Place:
    """Return a bucket that a deleted stack might have left."""
    name = f"kept-{uuid4().hex[:8]}"
    s3 = aws.client("s3")
    s3.create_bucket(Bucket=name)
    s3.put_object(Bucket=name, Key="runs/a/run.json", Body=b"{}")
    s3.put_bucket_policy(Bucket=name, Policy=json.dumps(tls_only(name)))
    return Place(aws, name)


def actions(change_set: Any) -> dict[str, str]:
    """Return what a change set does with each resource."""
    changes = [each["ResourceChange"] for each in change_set["Changes"]]
    return {each["LogicalResourceId"]: each["Action"] for each in changes}


def test_a_bucket_that_exists_is_not_created(place: Place) -> None:
    """The whole deployment fails, and the bucket stays as it was."""
    change_set = place.change_set({"Bucket": kept("Bucket", BucketName=place.name)})
    assert actions(change_set) == {"Bucket": "Add"}
    assert "already exists" in place.execute(change_set, "stack_create_complete")
    assert place.aws.client("s3").list_objects_v2(Bucket=place.name)["KeyCount"] == 1


def test_a_policy_that_a_bucket_has_is_not_replaced_by_a_new_one(place: Place) -> None:
    """Even if both are the same."""
    change_set = place.change_set({"Policy": kept("BucketPolicy", Bucket=place.name, PolicyDocument=tls_only("x"))})
    reason = place.execute(change_set, "stack_create_complete")
    assert f"The bucket policy already exists on bucket {place.name}" in reason
    assert json.loads(place.aws.client("s3").get_bucket_policy(Bucket=place.name)["Policy"]) == tls_only(place.name)


def test_only_a_name_that_is_written_into_the_template_is_found_by_itself(place: Place) -> None:
    """`ImportExistingResources` takes no name of a parameter."""
    written, referred = (kept("Bucket", BucketName=name) for name in (place.name, {"Ref": "Name"}))
    found = place.change_set({"Bucket": written}, ImportExistingResources=True)
    assert actions(found) == {"Bucket": "Import"}
    place.formation.delete_stack(StackName=place.name)
    assert actions(place.change_set({"Bucket": referred}, ImportExistingResources=True)) == {"Bucket": "Add"}


def test_a_bucket_and_its_policy_are_imported_with_their_contents(place: Place) -> None:
    """Nothing is changed by the import, and the stack may change both from then on."""
    policy = kept("BucketPolicy", Bucket={"Ref": "Bucket"}, PolicyDocument=tls_only(place.name))
    resources = {"Bucket": kept("Bucket", BucketName=place.name), "Policy": policy}
    named = [("Bucket", "Bucket", "BucketName"), ("Policy", "BucketPolicy", "Bucket")]
    imported = [
        {"LogicalResourceId": name, "ResourceType": f"AWS::S3::{kind}", "ResourceIdentifier": {key: place.name}}
        for name, kind, key in named
    ]
    change_set = place.change_set(resources, "IMPORT", ResourcesToImport=imported)
    assert actions(change_set) == {"Bucket": "Import", "Policy": "Import"}
    assert place.execute(change_set, "stack_import_complete") == ""
    policy["Properties"]["PolicyDocument"] = tls_only("changed")
    assert place.execute(place.change_set(resources, "UPDATE"), "stack_update_complete") == ""
    s3 = place.aws.client("s3")
    assert json.loads(s3.get_bucket_policy(Bucket=place.name)["Policy"]) == tls_only("changed")
    assert s3.list_objects_v2(Bucket=place.name)["KeyCount"] == 1


def test_a_policy_that_is_not_there_is_not_imported(place: Place) -> None:
    """The change set fails, and says what was not found."""
    place.aws.client("s3").delete_bucket_policy(Bucket=place.name)
    policy = kept("BucketPolicy", Bucket=place.name, PolicyDocument=tls_only(place.name))
    named = {"LogicalResourceId": "Policy", "ResourceType": "AWS::S3::BucketPolicy"}
    change_set = place.change_set(
        {"Policy": policy}, "IMPORT", ResourcesToImport=[named | {"ResourceIdentifier": {"Bucket": place.name}}]
    )
    assert (change_set["Status"], "was not found" in change_set["StatusReason"]) == ("FAILED", True)


def test_a_stack_is_deleted_when_each_execution_has_reached_its_next_state(aws: Aws) -> None:
    """Until then its machine takes no new ones; an execution that waits is ended, as failed."""
    name = f"machine-{uuid4().hex[:8]}"
    waits = {"Type": "Wait", "Seconds": MINUTES, "Next": "Last"}
    definition = {"StartAt": "First", "States": {"First": waits, "Last": {"Type": "Succeed"}}}
    properties = {"StateMachineName": name, "Definition": definition, "RoleArn": "arn:aws:iam::000000000000:role/r"}
    machine = {"Type": "AWS::StepFunctions::StateMachine", "Properties": properties}
    formation, states = aws.client("cloudformation"), aws.client("stepfunctions")
    formation.create_stack(StackName=name, TemplateBody=json.dumps({"Resources": {"Machine": machine}}))
    formation.get_waiter("stack_create_complete").wait(StackName=name, WaiterConfig=QUICKLY)
    (arn,) = [each["stateMachineArn"] for each in states.list_state_machines()["stateMachines"] if each["name"] == name]
    begun = time.monotonic()
    execution = states.start_execution(stateMachineArn=arn)["executionArn"]
    until(lambda: len(states.get_execution_history(executionArn=execution)["events"]) > 1)
    formation.delete_stack(StackName=name)
    until(lambda: states.describe_state_machine(stateMachineArn=arn)["status"] == "DELETING")
    with pytest.raises(ClientError, match="StateMachineDeleting"):
        states.start_execution(stateMachineArn=arn)
    until(lambda: states.describe_execution(executionArn=execution)["status"] == "FAILED", MINUTES / 50 + SECONDS)
    ended = states.describe_execution(executionArn=execution)
    assert (ended["error"], ended["cause"]) == ("States.Runtime", f"State machine {name} has been deleted.")
    assert time.monotonic() - begun >= MINUTES / 50
    formation.get_waiter("stack_delete_complete").wait(StackName=name, WaiterConfig=QUICKLY)


def until(holds: Callable[[], bool], seconds: float = SECONDS) -> None:
    """Wait until something holds."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.1)
