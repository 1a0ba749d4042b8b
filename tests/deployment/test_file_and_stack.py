"""A stack that exists, and a file that says something else of it: a colleague's change, or a deleted stack's file."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from botocore.stub import Stubber

from deployment.aws.account import Account
from deployment.aws.stack import Stack
from deployment.plan import bucket_faults, changed_settings
from deployment.settings.template import read
from tests.support import template

TEMPLATE = read(template.SOURCE)
OUTPUTS = {"BucketName": "x", "StateMachineArn": "x"}
BUCKET, PATH = "conveyor-bucket-1a2b3c", Path("deployments/conveyor.toml")


def test_settings_that_the_file_does_not_have_are_said_before_they_are_undone() -> None:
    """Somebody has set them from another machine. What has the default there and here is no change."""
    existing = Stack("arn", {"HoldAboveUsd": "500", "HoldHours": "72", "NotificationEmail": "a@example.com"}, OUTPUTS)
    wanted = TEMPLATE.complete({"NotificationEmail": "a@example.com", "OnInvalid": "skip"})
    assert changed_settings(existing, TEMPLATE, wanted) == [
        "Settings that change:",
        "  HoldAboveUsd: 500 → 100",
        "  OnInvalid: refuse → skip",
    ]
    assert changed_settings(existing, TEMPLATE, TEMPLATE.complete(existing.parameters)) == []


@pytest.mark.parametrize("seconds", ["60", "1800"])
def test_settings_of_release_010_are_compared_as_they_are_written_now(seconds: str) -> None:
    """One that cannot be read is none."""
    existing = Stack("arn", {"SettleSeconds": "2", "PollMaxSeconds": seconds, "LineForm": "params"}, OUTPUTS)
    said = changed_settings(existing, TEMPLATE, TEMPLATE.complete({}))
    assert said == (
        ["Settings that change:", "  Tuning: poll-max-seconds=60,settle-seconds=2 → empty"] if seconds == "60" else []
    )


def test_a_new_stack_changes_no_setting() -> None:
    """Neither does one of a bucket only."""
    for existing in (None, Stack("arn", {}, {})):
        assert changed_settings(existing, TEMPLATE, TEMPLATE.complete({"HoldHours": "5"})) == []


@pytest.mark.parametrize("named", [{}, {"BucketName": ""}, {"BucketName": "another"}, {"BucketName": BUCKET}])
def test_a_file_of_the_deleted_stack_must_name_the_bucket(named: dict[str, str]) -> None:
    """The file of the former stack names no bucket: the update would replace the one that was taken over."""
    account = Account("eu-central-1")
    with Stubber(account.cloudformation) as answers:
        each = {"LogicalResourceId": "Bucket", "PhysicalResourceId": BUCKET, "ResourceType": "AWS::S3::Bucket"}
        each |= {"Timestamp": datetime.now(UTC), "ResourceStatus": "IMPORT_COMPLETE"}  # type: ignore[dict-item]  # a moment
        answers.add_response("describe_stack_resources", {"StackResources": [each]}, {"StackName": "arn"})
        said = bucket_faults(account, Stack("arn", {}, {}), named, PATH)
    assert (said == []) == (named.get("BucketName") == BUCKET)
    assert not said or f'BucketName = "{BUCKET}"' in said[1]
