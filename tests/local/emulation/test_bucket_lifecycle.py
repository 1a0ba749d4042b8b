"""A bucket of a template has the lifecycle that the template gives to it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest
from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from local.stack.local_aws import Aws

RULES: list[dict[str, Any]] = [
    {"Id": "old", "Status": "Enabled", "Prefix": "runs/", "ExpirationInDays": 400},
    {
        "Id": "tagged", "Status": "Enabled", "Prefix": "content/", "ExpirationInDays": "90",
        "TagFilters": [{"Key": "run", "Value": "ended"}], "NoncurrentVersionExpiration": {"NoncurrentDays": 1},
    },
    {"Id": "markers", "Status": "Enabled", "ExpiredObjectDeleteMarker": True},
    {"Id": "parts", "Status": "Enabled", "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 7}},
]  # fmt: skip


def test_a_bucket_of_a_template_has_its_lifecycle(aws: Aws) -> None:
    """Also after an update, which may remove it."""
    formation, s3, name = aws.client("cloudformation"), aws.client("s3"), f"lifecycle-{uuid4().hex[:8]}"

    def deploy(call: str, rules: list[dict[str, Any]]) -> str:
        properties = {"LifecycleConfiguration": {"Rules": rules}} if rules else {}
        template = {"Resources": {"Bucket": {"Type": "AWS::S3::Bucket", "Properties": properties}}}
        getattr(formation, f"{call}_stack")(StackName=name, TemplateBody=json.dumps(template))
        formation.get_waiter(f"stack_{call}_complete").wait(StackName=name, WaiterConfig={"Delay": 1})
        (bucket,) = formation.describe_stack_resources(StackName=name)["StackResources"]
        return str(bucket["PhysicalResourceId"])

    bucket = deploy("create", RULES)
    old, tagged, markers, parts = s3.get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"]
    assert (old["ID"], old["Filter"]["Prefix"], old["Expiration"]["Days"]) == ("old", "runs/", 400)
    assert tagged["Filter"]["And"]["Tags"] == [{"Key": "run", "Value": "ended"}]
    assert (tagged["Expiration"]["Days"], tagged["NoncurrentVersionExpiration"]) == (90, {"NoncurrentDays": 1})
    assert markers["Expiration"] == {"ExpiredObjectDeleteMarker": True}
    assert parts["AbortIncompleteMultipartUpload"] == {"DaysAfterInitiation": 7}
    assert deploy("update", RULES[:1]) == bucket
    assert len(s3.get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"]) == 1
    deploy("update", [])
    with pytest.raises(ClientError, match="NoSuchLifecycleConfiguration"):
        s3.get_bucket_lifecycle_configuration(Bucket=bucket)
