"""Whether who makes the current call, or has started what runs now, may do something."""
# ruff: noqa: SLF001 - a patch replaces private names

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ministack.core import iam_evaluator as evaluator
from ministack.core.iam_actions import identity_denial_message
from ministack.core.responses import get_region
from ministack.services import iam

if TYPE_CHECKING:
    from collections.abc import Mapping


def denial(action: str, resource: str, keys: Mapping[str, Any]) -> str | None:
    """Return AWS's message if the caller may not do something; None if it may. The root user may do everything.

    `keys`: condition keys, in lower case. What the policy of a resource says is not asked: nothing that a stack creates
    has one before.
    """
    principal: str = evaluator.caller_arn()
    if principal.endswith(":root"):
        return None
    account, (kind, name) = principal.split(":")[4], principal.rpartition(":")[2].split("/")[:2]
    is_user = kind == "user"
    gather = evaluator._gather_user_policies if is_user else evaluator._gather_role_policies
    context = evaluator.EvalContext(
        principal_arn=principal,
        principal_type="User" if is_user else "AssumedRole",
        principal_account=account,
        action=action,
        resource_arn=resource,
        region=get_region(),
        secure_transport=True,
        service_context=dict(keys),
    )
    limits = evaluator._permissions_boundary(iam._users if is_user else iam._roles, name, account)
    decision = evaluator.evaluate(context, gather(name, account), *limits)
    if decision.decision == "Allow":
        return None
    message: str = identity_denial_message(action, principal, resource, decision.decision == "Deny")
    return message
