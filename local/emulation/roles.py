"""What a role may do, asked of MiniStack's own evaluator, for the services that MiniStack lets act unasked."""
# ruff: noqa: SLF001 - a mend reaches inside

from __future__ import annotations

from typing import TYPE_CHECKING

from ministack.core import iam_evaluator as evaluator
from ministack.core.iam_actions import identity_denial_message
from ministack.core.responses import get_region
from ministack.services import iam

if TYPE_CHECKING:
    from collections.abc import Mapping


def denial(role: str, session: str, action: str, resource: str, keys: Mapping[str, str] | None = None) -> str | None:
    """Say in AWS's words why a role, given by its ARN, may not do something; None where it may.

    `keys`: further condition keys, in lower case.

    As for a call over HTTP, the resource's own policy counts too: a key's must allow, any other's may.
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
    verdict = evaluator.evaluate(context, evaluator._gather_role_policies(name, account), *limits)
    policy = evaluator._resource_policy(service, resource)
    if policy is not None:
        required = service in evaluator._POLICY_REQUIRED
        verdict = evaluator.combine_resource_policy(verdict, context, *policy, required=required, limits=limits)
    if verdict.decision == "Allow":
        return None
    words: str = identity_denial_message(action, context.principal_arn, resource, verdict.decision == "Deny")
    return words
