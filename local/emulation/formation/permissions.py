"""What CloudFormation does, it does with the permissions of who executed the change set, or deleted the stack.

MiniStack checks the call of CloudFormation itself only, and creates resources with all permissions. On AWS each call
for a resource is made with the caller's credentials, and has CloudFormation in `aws:CalledVia`; and a change set needs
permission for the transform of its template ("Controlling access", CloudFormation User Guide).
"""
# ruff: noqa: SLF001 - a patch replaces private names

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import uuid4

from ministack.core.responses import get_account_id, get_region
from ministack.services.cloudformation import handlers, helpers, stacks

from local.emulation.formation.actions import KINDS, PASSED_TO, WITHOUT_RESOURCE, new_name, resources, roles
from local.emulation.formation.caller import denial

if TYPE_CHECKING:
    from collections.abc import Iterable

type Json = dict[str, Any]

VIA = {"aws:calledvia": ["cloudformation.amazonaws.com"]}
TRANSFORM = "transform/Serverless-2016-10-31"

provision_resource = stacks._provision_resource
update_resource = stacks._update_resource
delete_resource = stacks._delete_resource
create_change_set = handlers._ACTION_HANDLERS["CreateChangeSet"]


def patch() -> None:
    """Apply the patches."""
    stacks._provision_resource = _provision_resource
    stacks._update_resource = _update_resource
    stacks._delete_resource = _delete_resource
    handlers._ACTION_HANDLERS["CreateChangeSet"] = _create_change_set


class AccessDenied(Exception):
    """The reason of a resource that failed, as AWS words it."""

    def __init__(self, service: str, reason: str) -> None:
        """Take the service that refused, and what it said."""
        said = f"{reason} (Service: {service}, Status Code: 403, Request ID: {uuid4()})"
        super().__init__(
            f'Resource handler returned message: "{said}" (RequestToken: {uuid4()}, HandlerErrorCode: AccessDenied)'
        )


def _create_change_set(params: Json) -> object:
    """Ask for permission for the transform, which all stacks here use."""
    resource = f"arn:aws:cloudformation:{get_region()}:aws:{TRANSFORM}"
    reason = denial("cloudformation:CreateChangeSet", resource, {})
    return helpers._error("AccessDenied", reason, 403) if reason else create_change_set(params)


def _provision_resource(kind: str, logical_id: str, properties: Json, stack: str) -> object:
    name = new_name(KINDS[kind], stack, logical_id, properties) if kind in KINDS else logical_id
    _require(kind, "create", name, properties)
    return provision_resource(kind, logical_id, properties, stack)


def _update_resource(kind: str, name: str, before: Json, after: Json, *others: object) -> object:
    if before != after:
        _require(kind, "update", name, after)
    return update_resource(kind, name, before, after, *others)


def _delete_resource(kind: str, name: str, properties: Json, *others: object) -> object:
    _require(kind, "delete", name, properties)
    return delete_resource(kind, name, properties, *others)


def _require(kind: str, operation: str, name: str, properties: Json) -> None:
    """Raise AccessDenied unless the caller may do all that an operation needs."""
    for action, resource, keys in _needed(kind, operation, name, properties):
        if reason := denial(action, resource, VIA | keys):
            raise AccessDenied(action.partition(":")[0].capitalize(), reason)


def _needed(kind: str, operation: str, name: str, properties: Json) -> Iterable[tuple[str, str, Json]]:
    """Return each action that is needed, with its resource and condition keys."""
    if kind not in KINDS:
        yield f"unknown:{kind}", "*", {}  # allowed to the root user only
        return
    known = KINDS[kind]
    arns = resources(known, name, properties, region=get_region(), account=get_account_id())
    for action in getattr(known, operation):
        for resource in ["*"] if action in WITHOUT_RESOURCE else arns:
            yield action, resource, {}
    if operation != "delete" and kind in PASSED_TO:
        for role in roles(properties):
            yield "iam:PassRole", role, {"iam:passedtoservice": PASSED_TO[kind]}
