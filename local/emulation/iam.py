"""Permissions of roles, callers and services, by MiniStack's evaluator, for what MiniStack does not check."""
# ruff: noqa: SLF001 - a patch replaces private names

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from ministack.core import iam_evaluator as evaluator
from ministack.core.iam_actions import identity_denial_message
from ministack.core.responses import get_account_id, get_region
from ministack.core.router import extract_access_key_id
from ministack.services import iam

if TYPE_CHECKING:
    from collections.abc import Mapping

EVENTS = "events.amazonaws.com"


def denial(role: str, session: str, action: str, resource: str, keys: Mapping[str, str] | None = None) -> str | None:
    """Return AWS's message if a role, given by its ARN, may not do something; None if it may.

    `keys`: further condition keys, in lower case.

    As for a call over HTTP, the policy of the resource counts too: that of a KMS key must allow, others may.
    """
    account, name = role.split(":")[4], role.rsplit("/", 1)[-1]
    principal = evaluator.PrincipalInfo(
        arn=f"arn:aws:sts::{account}:assumed-role/{name}/{session}",
        type="AssumedRole",
        account=account,
        policies=evaluator._gather_role_policies(name, account),
        limits=evaluator._permissions_boundary(iam._roles, name, account),
    )
    return _denial(principal, action, resource, keys)


def denial_of_caller(
    headers: Mapping[str, str], action: str, resource: str, keys: Mapping[str, str] | None = None
) -> str | None:
    """Return the same for who has signed a request. A service of AWS, and the root user, may do everything."""
    access_key = extract_access_key_id(dict(headers))
    principal = evaluator.resolve_principal(access_key, get_account_id()) if access_key else None
    if principal is None or isinstance(principal, evaluator.AuthError) or principal.policies is None:
        return None
    return _denial(principal, action, resource, keys)


def _denial(
    principal: evaluator.PrincipalInfo, action: str, resource: str, keys: Mapping[str, str] | None
) -> str | None:
    service = action.partition(":")[0]
    context = evaluator.EvalContext(
        principal_arn=principal.arn,
        principal_type=principal.type,
        principal_account=principal.account,
        action=action,
        resource_arn=resource,
        region=get_region(),
        secure_transport=True,
        service_context=dict(keys or {}),
        principal_keys=principal.keys,
    )
    decision = evaluator.evaluate(context, principal.policies, *principal.limits)
    policy = evaluator._resource_policy(service, resource)
    if policy is not None:
        required = service in evaluator._POLICY_REQUIRED
        decision = evaluator.combine_resource_policy(
            decision, context, *policy, required=required, limits=principal.limits
        )
    if decision.decision == "Allow":
        return None
    message: str = identity_denial_message(action, context.principal_arn, resource, decision.decision == "Deny")
    return message


def permits(action: str, resource: str, service: str, keys: Mapping[str, str]) -> bool:
    """Return whether the policy of a resource permits something to a service. `keys`: as above."""
    resource_policy = evaluator._resource_policy(action.partition(":")[0], resource)
    policy = resource_policy[0] if resource_policy else ""
    statements = (json.loads(policy) if isinstance(policy, str) else policy).get("Statement", []) if policy else []
    if service == EVENTS:  # see `sns/publish.py`
        statements = [statement for statement in statements if not statement.get("Condition")]
    account = get_account_id()
    context = evaluator.EvalContext(
        principal_arn="*",
        principal_type="Service",
        principal_account="",
        action=action,
        resource_arn=resource,
        region=get_region(),
        service_context={"aws:sourceaccount": account, "aws:sourceowner": account, **keys},
    )
    decision = evaluator.evaluate_resource_policy({"Statement": statements}, context, service=service)
    return bool(decision.decision == "Allow")
