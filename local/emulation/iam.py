"""Permissions of a role, by MiniStack's evaluator, for the services whose calls MiniStack does not check."""
# ruff: noqa: SLF001 - a patch replaces private names

from __future__ import annotations

from typing import TYPE_CHECKING

from ministack.core import iam_evaluator as evaluator
from ministack.core.iam_actions import identity_denial_message
from ministack.core.responses import get_region
from ministack.services import iam

if TYPE_CHECKING:
    from collections.abc import Mapping


def denial(role: str, session: str, action: str, resource: str, keys: Mapping[str, str] | None = None) -> str | None:
    """Return AWS's message if a role, given by its ARN, may not do something; None if it may.

    `keys`: further condition keys, in lower case.

    As for a call over HTTP, the policy of the resource counts too: that of a KMS key must allow, others may.
    """
    account, name = role.split(":")[4], role.rsplit("/", 1)[-1]
    service = action.partition(":")[0]
    context = evaluator.EvalContext(
        principal_arn=f"arn:aws:sts::{account}:assumed-role/{name}/{session}",
        principal_type="AssumedRole",
        principal_account=account,
        action=action,
        resource_arn=resource,
        region=get_region(),
        secure_transport=True,
        service_context=dict(keys or {}),
    )
    limits = evaluator._permissions_boundary(iam._roles, name, account)
    decision = evaluator.evaluate(context, evaluator._gather_role_policies(name, account), *limits)
    policy = evaluator._resource_policy(service, resource)
    if policy is not None:
        required = service in evaluator._POLICY_REQUIRED
        decision = evaluator.combine_resource_policy(decision, context, *policy, required=required, limits=limits)
    if decision.decision == "Allow":
        return None
    message: str = identity_denial_message(action, context.principal_arn, resource, decision.decision == "Deny")
    return message
