"""A new stack begins with the bucket that a deleted one has left."""

import json
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any, NamedTuple

import boto3
import pytest
from botocore.stub import ANY, Stubber

from deployment import kept_bucket
from deployment.kept_bucket import CannotImport, import_bucket, main
from tests.support.template import template

type Json = dict[str, Any]

STACK, BUCKET = "conveyor", "conveyor-bucket-1a2b3c"
ARN = "arn:aws:cloudformation:eu-west-1:111111111111:changeSet/kept-bucket/1"
POLICY = {"Version": "2012-10-17", "Statement": []}
NAMED = [
    {"LogicalResourceId": name, "ResourceType": f"AWS::S3::{name}", "ResourceIdentifier": {key: BUCKET}}
    for name, key in (("Bucket", "BucketName"), ("BucketPolicy", "Bucket"))
]
RULES = [rule["Id"] for rule in template()["Resources"]["Bucket"]["Properties"]["LifecycleConfiguration"]["Rules"]]
RESOURCE: Json = {"ResourceType": "AWS::S3::Bucket", "Timestamp": "2026-11-30", "ResourceStatus": "IMPORT_COMPLETE"}


class Wire(NamedTuple):
    """The two services."""

    formation: Stubber
    s3: Stubber

    def import_bucket(self) -> bool:
        """Import the bucket into the stack."""
        return import_bucket(boto3.client("cloudformation"), boto3.client("s3"), STACK, BUCKET)

    def no_stack(self) -> None:
        """Expect a look at the stack, of which there is none."""
        message = f"Stack with id {STACK} does not exist"
        self.formation.add_client_error("describe_stacks", "ValidationError", message, 400)

    def stack(self, status: str) -> None:
        """Expect a look at the stack."""
        found = {"StackName": STACK, "CreationTime": "2026-11-30", "StackStatus": status}
        self.formation.add_response("describe_stacks", {"Stacks": [found]}, {"StackName": STACK})

    def bucket(self, policy: Json | None = POLICY) -> None:
        """Expect a look at the bucket, its rules and its policy."""
        self.s3.add_response("head_bucket", {}, {"Bucket": BUCKET})
        self.rules(*RULES)
        if policy:
            self.s3.add_response("get_bucket_policy", {"Policy": json.dumps(policy)}, {"Bucket": BUCKET})
        else:
            self.s3.add_client_error("get_bucket_policy", "NoSuchBucketPolicy", http_status_code=404)

    def rules(self, *names: str) -> None:
        """Expect a look at the lifecycle rules."""
        rules = [{"ID": name, "Status": "Enabled"} for name in names]
        self.s3.add_response("get_bucket_lifecycle_configuration", {"Rules": rules}, {"Bucket": BUCKET})

    def change_set(self, named: list[Json], status: str = "CREATE_COMPLETE", reason: str = "") -> None:
        """Expect that a change set is created, and looked at."""
        asked = {
            "StackName": STACK, "ChangeSetName": ANY, "ChangeSetType": "IMPORT", "TemplateBody": ANY,
            "ResourcesToImport": named,
        }  # fmt: skip
        self.formation.add_response("create_change_set", {"Id": ARN}, asked)
        for _ in range(1 if status == "CREATE_COMPLETE" else 2):
            described = {"Status": status, "StatusReason": reason}
            self.formation.add_response("describe_change_set", described, {"ChangeSetName": ARN})

    def executed(self, status: str) -> None:
        """Expect that the change set is executed, and how that ends."""
        self.formation.add_response("execute_change_set", {}, {"ChangeSetName": ARN})
        self.stack(status)


@pytest.fixture
def wire(monkeypatch: pytest.MonkeyPatch) -> Iterator[Wire]:
    """Return clients that answer what a test expects, and check that all of it was asked."""
    monkeypatch.setattr(kept_bucket, "_WAIT", {"Delay": 0, "MaxAttempts": 2})
    clients = {name: boto3.client(name, "eu-west-1") for name in ("cloudformation", "s3")}
    monkeypatch.setattr(boto3, "client", clients.__getitem__)
    with ExitStack() as active:
        stubs = [active.enter_context(Stubber(client)) for client in clients.values()]
        yield Wire(*stubs)
        for stub in stubs:
            stub.assert_no_pending_responses()


def test_a_bucket_and_its_policy_are_imported_as_they_are(wire: Wire) -> None:
    """The stack is new, and has nothing else."""
    wire.no_stack()
    wire.bucket()
    wire.change_set(NAMED)
    wire.executed("IMPORT_COMPLETE")
    assert wire.import_bucket()


def test_a_bucket_without_a_policy_is_imported_alone(wire: Wire) -> None:
    """What is not there cannot be imported; the deployment creates it."""
    wire.no_stack()
    wire.bucket(policy=None)
    wire.change_set(NAMED[:1])
    wire.executed("IMPORT_COMPLETE")
    assert wire.import_bucket()


def test_what_is_imported_is_retained_whatever_happens() -> None:
    """A rollback must not delete what was there before. Names are written out, as the identifiers are."""
    template = kept_bucket._template(BUCKET, POLICY)  # noqa: SLF001  # on the wire it is a text
    for resource in template["Resources"].values():
        assert (resource["DeletionPolicy"], resource["UpdateReplacePolicy"]) == ("Retain", "Retain")
    assert template["Resources"]["BucketPolicy"]["Properties"] == {"Bucket": BUCKET, "PolicyDocument": POLICY}


def test_a_stack_that_has_the_bucket_needs_nothing(wire: Wire) -> None:
    """Every later deployment has the parameter, too."""
    wire.stack("UPDATE_COMPLETE")
    found = RESOURCE | {"LogicalResourceId": "Bucket", "PhysicalResourceId": BUCKET}
    wire.formation.add_response("describe_stack_resources", {"StackResources": [found]}, {"StackName": STACK})
    assert wire.import_bucket()


def test_a_stack_with_another_bucket_is_not_touched(wire: Wire) -> None:
    """It would lose its own ledger."""
    wire.stack("UPDATE_COMPLETE")
    found = RESOURCE | {"LogicalResourceId": "Bucket", "PhysicalResourceId": "another"}
    wire.formation.add_response("describe_stack_resources", {"StackResources": [found]}, {"StackName": STACK})
    with pytest.raises(CannotImport, match="has another bucket"):
        wire.import_bucket()


def test_a_new_name_is_left_to_the_deployment(wire: Wire, capsys: pytest.CaptureFixture[str]) -> None:
    """There is nothing to import, and the command says so."""
    wire.no_stack()
    wire.s3.add_client_error("head_bucket", "404", http_status_code=404)
    assert main(STACK, BUCKET) == 1
    assert capsys.readouterr().err == (
        f"There is no bucket {BUCKET}. A deployment with BucketName={BUCKET} creates it.\n"
    )


def test_a_bucket_of_another_account_is_an_error(wire: Wire, capsys: pytest.CaptureFixture[str]) -> None:
    """It is not taken for one that does not exist."""
    wire.no_stack()
    wire.s3.add_client_error("head_bucket", "403", "Forbidden", 403)
    assert main(STACK, BUCKET) == 1
    assert "Forbidden" in capsys.readouterr().err


@pytest.mark.parametrize("rules", [None, (), ("ExpireLogs",)])
def test_a_bucket_of_something_else_is_not_taken_over(wire: Wire, rules: tuple[str, ...] | None) -> None:
    """A name is easily mistaken, and a deployment would replace its policy and delete what is in it."""
    wire.no_stack()
    wire.s3.add_response("head_bucket", {}, {"Bucket": BUCKET})
    if rules is None:
        wire.s3.add_client_error("get_bucket_lifecycle_configuration", "NoSuchLifecycleConfiguration")
    else:
        wire.rules(*rules)
    with pytest.raises(CannotImport, match="is a bucket of something else"):
        wire.import_bucket()


def test_a_refused_import_says_why(wire: Wire, capsys: pytest.CaptureFixture[str]) -> None:
    """For example that another stack has the bucket."""
    wire.no_stack()
    wire.bucket()
    wire.change_set(NAMED, "FAILED", f"{BUCKET} already exists in stack other")
    assert main(STACK, BUCKET) == 1
    expected = f"{BUCKET} was not imported into {STACK}: {BUCKET} already exists in stack other\n"
    assert capsys.readouterr().err == expected


def test_a_failed_import_says_why(wire: Wire) -> None:
    """The first reason in the events of the stack counts; they are listed newest first."""
    wire.stack("REVIEW_IN_PROGRESS")
    wire.bucket()
    wire.change_set(NAMED)
    wire.executed("ROLLBACK_COMPLETE")
    wire.formation.add_response("describe_change_set", {"Status": "CREATE_COMPLETE"}, {"ChangeSetName": ARN})
    events = [_event("later"), _event("the bucket is gone"), _event("", "IMPORT_IN_PROGRESS")]
    wire.formation.add_response("describe_stack_events", {"StackEvents": events}, {"StackName": STACK})
    with pytest.raises(CannotImport, match="the bucket is gone"):
        wire.import_bucket()


def _event(reason: str, status: str = "IMPORT_FAILED") -> Json:
    named = {"StackId": STACK, "EventId": "1", "StackName": STACK, "Timestamp": "2026-11-30"}
    return named | {"ResourceStatus": status, "ResourceStatusReason": reason}


@pytest.mark.parametrize("words", [(), (STACK,), ("", BUCKET)])
def test_without_both_names_the_command_says_what_to_type(
    words: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing is asked of AWS."""
    assert main(*words) == 2
    assert "make kept-bucket STACK=" in capsys.readouterr().err
