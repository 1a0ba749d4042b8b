"""What is seen of a stack and of a secret before anything is built, by the answers of AWS."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from deployment.aws import secret, stack
from deployment.aws.secret import Found
from deployment.trouble import Trouble

MOMENT = datetime(2026, 11, 30, tzinfo=UTC)
PARAMETERS = {"ApiKeySecretName": "conveyor/api-key", "NotificationEmail": ""}
OUTPUTS = [{"OutputKey": name, "OutputValue": "x"} for name in ("BucketName", "StateMachineArn")]


def stubbed(service: str) -> tuple[Any, Stubber]:
    """Return a client whose answers are given."""
    client = boto3.client(service, region_name="eu-central-1", aws_access_key_id="a", aws_secret_access_key="b")  # noqa: S106
    return client, Stubber(client)


def found(
    status: str,
    outputs: list[dict[str, str]] = OUTPUTS,
    parameters: dict[str, str] = PARAMETERS,
    resources: tuple[str, ...] = (),
) -> stack.Stack | None:
    """Look for a stack that has a status."""
    client, answers = stubbed("cloudformation")
    described: dict[str, Any] = {"StackName": "conveyor", "StackStatus": status, "CreationTime": MOMENT}
    described |= {"StackId": "arn", "Outputs": outputs}
    described["Parameters"] = [{"ParameterKey": name, "ParameterValue": value} for name, value in parameters.items()]
    answers.add_response("describe_stacks", {"Stacks": [described]})
    if resources:
        each = {"ResourceType": "x", "Timestamp": MOMENT, "ResourceStatus": "IMPORT_COMPLETE"}
        every = [each | {"LogicalResourceId": name} for name in resources]
        answers.add_response("describe_stack_resources", {"StackResources": every}, {"StackName": "arn"})
    with answers:
        stack_found = stack.find(client, "conveyor")
    answers.assert_no_pending_responses()
    return stack_found


@pytest.mark.parametrize(
    "status", ["CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE", "IMPORT_COMPLETE"]
)
def test_a_stack_at_rest_can_be_updated(status: str) -> None:
    """Also after an update that failed."""
    assert found(status) == stack.Stack("arn", PARAMETERS, {"BucketName": "x", "StateMachineArn": "x"})


def test_a_stack_that_was_never_created_is_none() -> None:
    """A change set leaves such a one if nobody executes it."""
    assert found("REVIEW_IN_PROGRESS", [], {}) is None
    client, answers = stubbed("cloudformation")
    answers.add_client_error("describe_stacks", "ValidationError", "Stack with id conveyor does not exist")
    with answers:
        assert stack.find(client, "conveyor") is None


@pytest.mark.parametrize(
    ("status", "command"),
    [
        ("UPDATE_IN_PROGRESS", None),
        ("UPDATE_ROLLBACK_FAILED", "aws cloudformation continue-update-rollback"),
        ("ROLLBACK_COMPLETE", "aws cloudformation delete-stack"),
        ("DELETE_FAILED", "aws cloudformation delete-stack"),
    ],
)
def test_a_stack_that_cannot_be_updated_says_what_to_type(status: str, command: str | None) -> None:
    """CloudFormation would refuse the change set with less words."""
    with pytest.raises(Trouble, match=status) as trouble:
        found(status)
    expected = () if command is None else (f"{command} --region eu-central-1 --stack-name conveyor",)
    assert trouble.value.commands == expected


@pytest.mark.parametrize("status", ["IMPORT_COMPLETE", "UPDATE_ROLLBACK_COMPLETE"])
@pytest.mark.parametrize("resources", [("Bucket",), ("BucketPolicy", "Bucket")])
def test_a_stack_that_has_only_taken_over_a_bucket_is_ours(status: str, resources: tuple[str, ...]) -> None:
    """It has no outputs yet: neither before its first deployment, nor after one that failed."""
    assert found(status, [], {}, resources) == stack.Stack("arn", {}, {})


@pytest.mark.parametrize(
    ("outputs", "parameters", "resources"),
    [
        ([], {}, ("Vpc",)),
        ([], {}, ("Bucket", "Table")),
        (OUTPUTS, {}, ()),
        (OUTPUTS, {"NotificationEmail": "a@example.com"}, ()),
        ([], {"Name": "x"}, ()),
    ],
)
@pytest.mark.parametrize("status", ["CREATE_COMPLETE", "IMPORT_COMPLETE", "DELETE_FAILED", "ROLLBACK_COMPLETE"])
def test_a_stack_of_something_else_is_not_touched(
    status: str, outputs: list[dict[str, str]], parameters: dict[str, str], resources: tuple[str, ...]
) -> None:
    """A name may be taken, and others have such outputs, too. Nobody is told to delete theirs."""
    with pytest.raises(Trouble, match="is a stack of something else"):
        found(status, outputs, parameters, resources)


def test_a_stack_whose_first_deployment_failed_is_ours_without_outputs() -> None:
    """It has the parameters."""
    with pytest.raises(Trouble, match="Delete it first"):
        found("ROLLBACK_COMPLETE", [])


def look(answer: dict[str, Any] | str) -> Found:
    """Look for a secret. `answer`: of DescribeSecret, or the code of its error."""
    client, answers = stubbed("secretsmanager")
    if isinstance(answer, str):
        answers.add_client_error("describe_secret", answer, "no")
    else:
        answers.add_response("describe_secret", answer)
    with answers:
        return secret.look(client, "conveyor/api-key")


def test_a_secret_is_looked_for_and_never_read() -> None:
    """The only call is DescribeSecret: another one would have no answer here."""
    assert look({"Name": "conveyor/api-key"}) is Found.EXISTS
    assert look({"Name": "conveyor/api-key", "DeletedDate": MOMENT}) is Found.DELETED
    assert look("ResourceNotFoundException") is Found.MISSING
    assert look("AccessDeniedException") is Found.UNSEEN
    with pytest.raises(Trouble, match="InternalServiceError"):
        look("InternalServiceError")
