"""A new stack takes over the bucket that a deleted one has left: `BucketName` is enough, and a person says yes."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from botocore.stub import ANY, Stubber
from click.testing import CliRunner

from deployment.answers.questions import Questions
from deployment.aws.account import Account
from deployment.aws.stack import Stack
from deployment.deploy import over_kept_bucket
from deployment.plan import Plan, first_parameters
from deployment.screen import Screen
from deployment.settings.template import read
from deployment.trouble import Trouble
from deployment.wish import Wish
from tests.support import template

if TYPE_CHECKING:
    from collections.abc import Iterator

TEMPLATE = read(template.SOURCE)
BUCKET, ARN = "conveyor-bucket-1a2b3c", "arn:aws:cloudformation:eu-central-1:123456789012:changeSet/kept-bucket/1"
IMPORTED = {
    "StackName": "conveyor",
    "StackId": "arn",
    "StackStatus": "IMPORT_COMPLETE",
    "CreationTime": datetime(2026, 11, 30, tzinfo=UTC),
}

RESOURCES: list[Any] = [
    {
        "LogicalResourceId": name,
        "ResourceType": "x",
        "Timestamp": IMPORTED["CreationTime"],
        "ResourceStatus": "IMPORT_COMPLETE",
        "PhysicalResourceId": BUCKET,
    }
    for name in ("BucketPolicy", "Bucket")
]


@contextmanager
def account() -> Iterator[tuple[Account, Stubber, Stubber]]:
    """Yield an account whose CloudFormation and S3 answer what a test expects, all of which must be asked."""
    made = Account("eu-central-1")
    with ExitStack() as active:
        formation = active.enter_context(Stubber(made.cloudformation))
        s3 = active.enter_context(Stubber(made.s3))
        yield made, formation, s3
        formation.assert_no_pending_responses()
        s3.assert_no_pending_responses()


def plan_of(made: Account, bucket: str = BUCKET, existing: Stack | None = None) -> Plan:
    """Return what is to be deployed."""
    return Plan("conveyor", made, TEMPLATE.complete({"BucketName": bucket}), {}, existing)


@contextmanager
def typed(*lines: str) -> Iterator[Screen]:
    """Yield a terminal in which somebody types these lines."""
    with CliRunner().isolation(input="".join(f"{line}\n" for line in lines)):
        screen = Screen()
        screen.has_terminal = True
        yield screen


def test_a_person_is_asked_before_a_bucket_is_taken_over() -> None:
    """After a no, nothing was changed at AWS."""
    with account() as (made, _, s3), typed("n") as screen:
        s3.add_response("head_bucket", {}, {"Bucket": BUCKET})
        with pytest.raises(Trouble, match="Nothing was deployed"):
            over_kept_bucket(Wish(), screen, plan_of(made))


def test_the_deployment_updates_the_stack_that_has_taken_it_over() -> None:
    """With its bucket and the policy of that."""
    with account() as (made, formation, s3), typed() as screen:
        s3.add_response("head_bucket", {}, {"Bucket": BUCKET})
        formation.add_client_error("describe_stacks", "ValidationError", "Stack with id conveyor does not exist", 400)
        s3.add_response("head_bucket", {}, {"Bucket": BUCKET})
        rules = {"Rules": [{"ID": name, "Status": "Enabled"} for name in ("ExpireLedger", "ExpireClaims")]}
        s3.add_response("get_bucket_lifecycle_configuration", rules, {"Bucket": BUCKET})
        s3.add_response("get_bucket_policy", {"Policy": "{}"}, {"Bucket": BUCKET})
        formation.add_response("create_change_set", {"Id": ARN})
        formation.add_response("describe_change_set", {"Status": "CREATE_COMPLETE"}, {"ChangeSetName": ARN})
        formation.add_response("execute_change_set", {}, {"ChangeSetName": ARN})
        for _ in range(2):
            formation.add_response("describe_stacks", {"Stacks": [IMPORTED]}, {"StackName": ANY})
        formation.add_response("describe_stack_resources", {"StackResources": RESOURCES}, {"StackName": "arn"})
        existing = over_kept_bucket(Wish(yes=True), screen, plan_of(made)).existing
    assert existing is not None
    assert existing.has_bucket_only


@pytest.mark.parametrize("bucket", ["", BUCKET])
def test_a_new_bucket_is_created_with_the_stack(bucket: str) -> None:
    """Whether it has a name or not."""
    with account() as (made, _, s3), typed() as screen:
        if bucket:
            s3.add_client_error("head_bucket", "404", http_status_code=404, expected_params={"Bucket": bucket})
        assert over_kept_bucket(Wish(), screen, plan_of(made, bucket)).existing is None


def test_a_stack_that_has_a_bucket_is_only_updated() -> None:
    """Its bucket is its own."""
    with account() as (made, _, _), typed() as screen:
        plan = plan_of(made, existing=Stack("arn", {}, {"BucketName": BUCKET}))
        assert over_kept_bucket(Wish(), screen, plan) is plan


def test_a_stack_of_a_bucket_only_gets_answers_and_keeps_its_bucket() -> None:
    """As `make kept-bucket` leaves it."""
    with account() as (made, formation, _), typed("a@example.com", "") as screen:
        formation.add_response("describe_stack_resources", {"StackResources": RESOURCES}, {"StackName": "arn"})
        answers = first_parameters(Questions(screen, TEMPLATE), made, Stack("arn", {}, {}), {})
    assert answers == {
        "BucketName": BUCKET,
        "NotificationEmail": "a@example.com",
        "ApiKeySecretName": "conveyor/api-key",
    }
