"""CloudFormation of the local AWS acts with the permissions of its caller, as on AWS."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import boto3
import pytest
from botocore.exceptions import ClientError

from local.stack.local_aws import REGION

if TYPE_CHECKING:
    from local.stack.local_aws import Aws

QUEUE = {"Resources": {"Queue": {"Type": "AWS::SQS::Queue"}}}
FORMATION = {"Effect": "Allow", "Action": "cloudformation:*", "Resource": "arn:aws:cloudformation:*:*:stack/team-*"}
QUEUES = {
    "Effect": "Allow",
    "Action": ["sqs:CreateQueue", "sqs:DeleteQueue", "sqs:GetQueueAttributes"],
    "Resource": "arn:aws:sqs:*:*:team-*",
    "Condition": {"ForAnyValue:StringEquals": {"aws:CalledVia": "cloudformation.amazonaws.com"}},
}
TRANSFORM = {
    "Effect": "Allow",
    "Action": "cloudformation:CreateChangeSet",
    "Resource": "arn:aws:cloudformation:*:aws:transform/Serverless-2016-10-31",
}


class Person:
    """A user with some statements, and no other permission."""

    def __init__(self, aws: Aws, *statements: Any) -> None:
        """Create the user."""
        name, iam = f"person-{uuid4().hex[:8]}", aws.client("iam")
        iam.create_user(UserName=name)
        document = json.dumps({"Version": "2012-10-17", "Statement": statements})
        iam.put_user_policy(UserName=name, PolicyName="policy", PolicyDocument=document)
        self._aws, self._key = aws, iam.create_access_key(UserName=name)["AccessKey"]

    def client(self, service: str) -> Any:
        """Return a client of the person."""
        session = boto3.Session(self._key["AccessKeyId"], self._key["SecretAccessKey"], region_name=REGION)
        return session.client(service, endpoint_url=self._aws.url, verify=str(self._aws.certificate))


def create(aws: Aws, person: Person, stack: str, template: Any = QUEUE) -> tuple[str, list[str]]:
    """Create a stack as a person; return its status and the reasons of resources that failed."""
    stack_id = person.client("cloudformation").create_stack(StackName=stack, TemplateBody=json.dumps(template))[
        "StackId"
    ]
    return ended(aws, stack_id)


def ended(aws: Aws, stack_id: str) -> tuple[str, list[str]]:
    """Wait for the end of what is done with a stack."""
    formation = aws.client("cloudformation")
    while (status := formation.describe_stacks(StackName=stack_id)["Stacks"][0]["StackStatus"]).endswith(
        "_IN_PROGRESS"
    ):
        pass
    events = formation.describe_stack_events(StackName=stack_id)["StackEvents"]
    failed = [
        each for each in events if each["ResourceStatus"].endswith("_FAILED") and each["LogicalResourceId"] == "Queue"
    ]
    return status, [each["ResourceStatusReason"] for each in failed]


def name() -> str:
    """Return a new name of a stack."""
    return f"team-{uuid4().hex[:8]}"


def test_a_resource_needs_the_permission_of_the_caller(aws: Aws) -> None:
    """Who may use CloudFormation cannot create by it what they may not create."""
    status, (reason,) = create(aws, Person(aws, FORMATION), name())
    assert status == "ROLLBACK_COMPLETE"
    assert "is not authorized to perform: sqs:CreateQueue on resource: arn:aws:sqs:" in reason
    assert "HandlerErrorCode: AccessDenied" in reason


def test_cloudformation_is_named_in_its_calls(aws: Aws) -> None:
    """So a policy can allow them, and not those of the person."""
    person, stack = Person(aws, FORMATION, QUEUES), name()
    assert create(aws, person, stack) == ("CREATE_COMPLETE", [])
    with pytest.raises(ClientError, match="sqs:CreateQueue"):
        person.client("sqs").create_queue(QueueName="team-by-hand")


def test_names_limit_what_is_created(aws: Aws) -> None:
    """A resource without a name of its own gets one that begins with that of its stack."""
    template = {"Resources": {"Queue": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": "other-queue"}}}}
    assert create(aws, Person(aws, FORMATION, QUEUES), name(), template)[0] == "ROLLBACK_COMPLETE"


def test_a_deletion_needs_the_permission_too(aws: Aws) -> None:
    """The resource stays, and the stack says why."""
    stack = name()
    create(aws, Person(aws, FORMATION, QUEUES), stack)
    Person(aws, FORMATION).client("cloudformation").delete_stack(StackName=stack)
    status, (reason,) = ended(aws, stack)
    assert (status, "sqs:DeleteQueue" in reason) == ("DELETE_FAILED", True)


def test_the_root_user_needs_no_permission(aws: Aws) -> None:
    """Tests deploy as root."""
    stack_id = aws.client("cloudformation").create_stack(StackName=name(), TemplateBody=json.dumps(QUEUE))["StackId"]
    assert ended(aws, stack_id) == ("CREATE_COMPLETE", [])


@pytest.mark.parametrize(("more", "is_made"), [([], False), ([TRANSFORM], True)])
def test_a_change_set_needs_permission_for_its_transform(aws: Aws, more: list[Any], is_made: bool) -> None:  # noqa: FBT001
    """All templates here have the one of SAM."""
    formation = Person(aws, FORMATION, *more).client("cloudformation")
    template = json.dumps({"Transform": "AWS::Serverless-2016-10-31", **QUEUE})
    arguments = {"StackName": name(), "ChangeSetName": "first", "ChangeSetType": "CREATE", "TemplateBody": template}
    if is_made:
        assert formation.create_change_set(**arguments)["Id"]
        return
    with pytest.raises(ClientError, match="transform/Serverless-2016-10-31"):
        formation.create_change_set(**arguments)
