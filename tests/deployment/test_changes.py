"""The change set in words: what is added, changed, replaced and removed, and what is lost by it."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from deployment.words.changes import LOST, Change, after, change_of, describe, losses, summary
from tests.support import template

if TYPE_CHECKING:
    from mypy_boto3_cloudformation.type_defs import ResourceTargetDefinitionTypeDef

HARMLESS = {
    "AWS::Athena::WorkGroup", "AWS::CloudWatch::Alarm", "AWS::CloudWatch::Dashboard", "AWS::Events::Rule",
    "AWS::Glue::Database", "AWS::Glue::Table", "AWS::IAM::ManagedPolicy", "AWS::IAM::Role", "AWS::KMS::Key",
    "AWS::Lambda::Alias", "AWS::Lambda::EventInvokeConfig", "AWS::Lambda::Function", "AWS::Lambda::LayerVersion",
    "AWS::Lambda::Permission", "AWS::Lambda::Version", "AWS::Logs::QueryDefinition", "AWS::S3::BucketPolicy",
    "AWS::SNS::Subscription", "AWS::SNS::TopicPolicy", "AWS::SQS::QueuePolicy",
}  # fmt: skip
"""Types that the next deployment makes again as they were. The key encrypts messages on their way only."""
BUCKET, ALARM, TABLE = "AWS::S3::Bucket", "AWS::CloudWatch::Alarm", "AWS::Glue::Table"


def test_of_every_type_of_the_template_it_is_decided_whether_it_holds_something() -> None:
    """A new type must be put into one of the two lists."""
    types = {each["Type"] for each in template.transformed()["Resources"].values()}
    assert types <= LOST.keys() | HARMLESS
    assert types >= LOST.keys()


def test_what_cloudformation_describes_is_read() -> None:
    """The names of properties, or of attributes such as Tags, each once."""
    target: ResourceTargetDefinitionTypeDef = {"Attribute": "Properties", "Name": "Code"}
    found = change_of(
        {
            "Action": "Modify",
            "LogicalResourceId": "Poll",
            "ResourceType": "AWS::Lambda::Function",
            "Replacement": "False",
            "Details": [{"Target": target}, {"Target": target}, {"Target": {"Attribute": "Tags"}}],
        }
    )
    assert found == Change("Modify", "Poll", "AWS::Lambda::Function", "False", "", ("Code", "Tags"))


def test_new_resources_are_listed_by_type_and_each_other_change_by_itself() -> None:
    """A person can read a first deployment of sixty resources."""
    changes = [
        Change("Add", "B", ALARM),
        Change("Add", "A", ALARM),
        Change("Modify", "Poll", "AWS::Lambda::Function", what=("Code", "Environment")),
        Change("Modify", "Layer", "AWS::Lambda::LayerVersion", "True", "ReplaceAndDelete", ("Content",)),
        Change("Modify", "View", TABLE, "Conditional", "ReplaceAndRetain"),
        Change("Remove", "Old", ALARM, policy="Delete"),
        Change("Remove", "Version", "AWS::Lambda::Version", policy="Retain"),
        Change("Import", "Bucket", BUCKET),
    ]
    assert describe(changes) == [
        "+ AWS::CloudWatch::Alarm: A, B",
        "= AWS::S3::Bucket: Bucket  exists, and is taken over",
        "- AWS::CloudWatch::Alarm: Old  is removed",
        "± AWS::Glue::Table: View  may be replaced by a new one, the old one is kept",
        "~ AWS::Lambda::Function: Poll  (Code, Environment)",
        "± AWS::Lambda::LayerVersion: Layer  is replaced by a new one  (Content)",
        "- AWS::Lambda::Version: Version  is removed, and is kept outside the stack",
    ]
    assert summary(changes) == "Resources: 2 added, 1 taken over, 1 changed, 2 replaced, 2 removed."


def test_a_removed_or_replaced_bucket_is_said_loudly() -> None:
    """Also if it is only possible, and also if the old one is kept: the stack would not use it any more."""
    ledger = "all drops and results, and the ledger that prevents paying twice."
    assert losses([Change("Remove", "Bucket", BUCKET, policy="Delete")]) == [f"Bucket is removed. You lose: {ledger}"]
    assert losses([Change("Modify", "Bucket", BUCKET, "Conditional", "ReplaceAndDelete")]) == [
        f"Bucket may be replaced by an empty one. You lose: {ledger}"
    ]
    assert losses([Change("Modify", "Bucket", BUCKET, "True", "ReplaceAndRetain")]) == [
        f"Bucket is replaced by an empty one. It is kept, but the stack does not use it any more: {ledger}"
    ]


def test_nothing_is_said_of_changes_that_lose_nothing() -> None:
    """Else nobody would read it."""
    changes = [
        Change("Add", "Bucket", BUCKET),
        Change("Modify", "Bucket", BUCKET, what=("LifecycleConfiguration",)),
        Change("Remove", "Alarm", ALARM),
        Change("Modify", "Alarm", ALARM, "True"),
    ]
    assert losses(changes) == []


def test_resources_after_the_changes_are_counted() -> None:
    """What they cost is what will be there."""
    changes = [Change("Add", "A", ALARM), Change("Remove", "T", TABLE), Change("Modify", "B", BUCKET, "True")]
    assert after(Counter({ALARM: 14, TABLE: 1, BUCKET: 1}), changes) == Counter({ALARM: 15, BUCKET: 1, TABLE: 0})
