"""A change set: what a deployment would change, made before anything is changed; then executed, or deleted."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import uuid4

from deployment.aws.account import explained
from deployment.aws.stack import is_empty
from deployment.trouble import Trouble
from deployment.words.changes import Change, change_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mypy_boto3_cloudformation import CloudFormationClient
    from mypy_boto3_cloudformation.type_defs import CreateChangeSetInputTypeDef, DescribeChangeSetOutputTypeDef

_LOOK_SECONDS = 1.0
_EMPTY = ("didn't contain changes", "No updates are to be performed")
"""Reasons why a change set failed that has no changes."""


@dataclass(frozen=True)
class ChangeSet:
    """A change set that can be executed."""

    arn: str
    stack_id: str
    changes: Sequence[Change]
    is_first: bool
    """Whether it creates the stack."""


@dataclass(frozen=True)
class Request:
    """What a stack is to become."""

    stack: str
    template_url: str
    parameters: Mapping[str, str]
    tags: Mapping[str, str]
    is_first: bool
    """Whether the stack is created."""


def create(client: CloudFormationClient, wanted: Request) -> ChangeSet | None:
    """Make a change set; None if nothing would change. Raises Trouble with the reason of CloudFormation."""
    with explained():
        made = client.create_change_set(**_arguments(wanted))
        found = _wait(client, made["Id"], made["StackId"])
    if found["Status"] == "CREATE_COMPLETE":
        return ChangeSet(made["Id"], made["StackId"], _changes(client, found), wanted.is_first)
    delete(client, ChangeSet(made["Id"], made["StackId"], [], wanted.is_first))
    reason = found.get("StatusReason", "")
    if any(text in reason for text in _EMPTY):
        return None
    raise Trouble(f"CloudFormation cannot make the change set: {reason}")


def _arguments(wanted: Request) -> CreateChangeSetInputTypeDef:
    """Return the arguments of the call.

    A first deployment that fails deletes what it has created. Without tags, those of the stack stay.
    """
    arguments: CreateChangeSetInputTypeDef = {
        "StackName": wanted.stack,
        "ChangeSetName": f"conveyor-{uuid4().hex[:12]}",
        "ChangeSetType": "CREATE" if wanted.is_first else "UPDATE",
        "TemplateURL": wanted.template_url,
        "Parameters": [{"ParameterKey": name, "ParameterValue": value} for name, value in wanted.parameters.items()],
        "Capabilities": ["CAPABILITY_IAM"],
    }
    if wanted.is_first:
        arguments["OnStackFailure"] = "DELETE"
    if wanted.tags:
        arguments["Tags"] = [{"Key": key, "Value": value} for key, value in wanted.tags.items()]
    return arguments


def execute(client: CloudFormationClient, change_set: ChangeSet) -> str:
    """Start what it says; returns the token that its events carry."""
    token = uuid4().hex
    with explained():
        client.execute_change_set(ChangeSetName=change_set.arn, StackName=change_set.stack_id, ClientRequestToken=token)
    return token


def delete(client: CloudFormationClient, change_set: ChangeSet) -> None:
    """Delete it, and the empty stack that was made for a first one.

    Change sets of the same name share that stack: if somebody has executed another one meanwhile, it is not empty.
    """
    with explained():
        client.delete_change_set(ChangeSetName=change_set.arn, StackName=change_set.stack_id)
        if change_set.is_first and is_empty(client, change_set.stack_id):
            client.delete_stack(StackName=change_set.stack_id)


def _wait(client: CloudFormationClient, arn: str, stack_id: str) -> DescribeChangeSetOutputTypeDef:
    while (found := client.describe_change_set(ChangeSetName=arn, StackName=stack_id))["Status"] in {
        "CREATE_PENDING",
        "CREATE_IN_PROGRESS",
    }:
        time.sleep(_LOOK_SECONDS)
    return found


def _changes(client: CloudFormationClient, first: DescribeChangeSetOutputTypeDef) -> list[Change]:
    """Read all pages."""
    changes, token = list(first["Changes"]), first.get("NextToken")
    with explained():
        while token:
            page = client.describe_change_set(
                ChangeSetName=first["ChangeSetId"], StackName=first["StackId"], NextToken=token
            )
            changes, token = [*changes, *page["Changes"]], page.get("NextToken")
    return [change_of(each["ResourceChange"]) for each in changes if "ResourceChange" in each]
