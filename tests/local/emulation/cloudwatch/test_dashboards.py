"""Dashboards of the local AWS are checked as on AWS."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest
from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from local.stack.local_aws import Aws

type Json = dict[str, Any]

SECONDS = 60.0


@pytest.fixture(name="cloudwatch")
def _cloudwatch(aws: Aws) -> Any:
    """Return a client."""
    return aws.client("cloudwatch")


@pytest.fixture
def name() -> str:
    """Return a name that no other test uses."""
    return f"d-{uuid4().hex[:8]}"


WIDGET = {"type": "metric", "x": 0, "y": 0, "width": 24, "height": 6, "properties": {
    "region": "us-east-1", "metrics": [["N", "m"]]}}  # fmt: skip


def test_a_dashboard_is_stored_as_it_is(cloudwatch: Any, name: str) -> None:
    """All types of widgets that are known."""
    others = [
        {"type": "text", "properties": {"markdown": "# Title"}},
        {"type": "alarm", "properties": {"alarms": ["arn:aws:cloudwatch:us-east-1:1:alarm:a"]}},
        {"type": "log", "properties": {"region": "us-east-1", "query": "SOURCE 'a' | SOURCE 'b' | fields x"}},
    ]
    body = json.dumps({"start": "-P7D", "widgets": [WIDGET, *others]})
    cloudwatch.put_dashboard(DashboardName=name, DashboardBody=body)
    assert cloudwatch.get_dashboard(DashboardName=name)["DashboardBody"] == body


@pytest.mark.parametrize(
    "body",
    [
        "no JSON",
        {},
        {"widgets": [{**WIDGET, "type": "picture"}]},
        {"widgets": [{**WIDGET, "x": 24}]},
        {"widgets": [{**WIDGET, "width": 25}]},
        {"widgets": [{**WIDGET, "height": 0}]},
        {"widgets": [{**WIDGET, "properties": {"metrics": [["N", "m"]]}}]},
        {"widgets": [{**WIDGET, "properties": {"region": "us-east-1"}}]},
        {"widgets": [{"type": "log", "properties": {"query": "SOURCE 'a' | fields x"}}]},
        {"widgets": [{"type": "log", "properties": {"region": "us-east-1", "query": "fields x"}}]},
        {"widgets": [{"type": "text", "properties": {}}]},
        {"widgets": [{"type": "alarm", "properties": {"alarms": []}}]},
    ],
)
def test_a_dashboard_with_a_mistake_is_refused(cloudwatch: Any, name: str, body: str | Json) -> None:
    """By the action, and by CloudFormation."""
    text = body if isinstance(body, str) else json.dumps(body)
    with pytest.raises(ClientError) as error:
        cloudwatch.put_dashboard(DashboardName=name, DashboardBody=text)
    assert error.value.response["Error"]["Code"] == "InvalidParameterInput"


def test_a_stack_whose_dashboard_has_a_mistake_is_not_created(aws: Aws, name: str) -> None:
    """Its reason says where the mistake is."""
    stacks = aws.client("cloudformation")
    properties = {"DashboardName": name, "DashboardBody": json.dumps({"widgets": [{**WIDGET, "x": 99}]})}
    resource = {"Type": "AWS::CloudWatch::Dashboard", "Properties": properties}
    stacks.create_stack(StackName=name, TemplateBody=json.dumps({"Resources": {"Dashboard": resource}}))
    deadline = time.monotonic() + SECONDS
    while (status := stacks.describe_stacks(StackName=name)["Stacks"][0]["StackStatus"]) != "ROLLBACK_COMPLETE":
        assert time.monotonic() < deadline, status
        time.sleep(0.1)
    events = stacks.describe_stack_events(StackName=name)["StackEvents"]
    assert any("/widgets/0/x" in event.get("ResourceStatusReason", "") for event in events)
