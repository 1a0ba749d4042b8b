"""Requests to CloudWatch Logs: a query needs permission on each of its log groups, and queries can be saved.

MiniStack knows the group of `logGroupName` only, and asks for logs:StartQuery on `*` for all others.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from ministack.core import iam_actions
from ministack.core.iam_evaluator import AuthError, enforce
from ministack.core.responses import error_response_json, get_account_id, get_region
from ministack.core.router import extract_access_key_id
from ministack.services import cloudwatch_logs

from local.emulation.insights import saved
from local.emulation.insights.service import groups

if TYPE_CHECKING:
    from collections.abc import Mapping

type Json = dict[str, Any]
type Answer = tuple[int, dict[str, str], bytes]

ACTION = "logs:StartQuery"

extract_resource_arn = iam_actions.extract_resource_arn
handle_request = cloudwatch_logs.handle_request


def patch() -> None:
    """Apply the patches: MiniStack checks the first group, and this module the others."""
    iam_actions.extract_resource_arn = _extract_resource_arn
    cloudwatch_logs.handle_request = _handle_request


def _arns(headers: Mapping[str, str], body: bytes) -> list[str]:
    """Return the ARNs of the log groups of a query; none for other requests."""
    if not headers.get("x-amz-target", "").endswith(".StartQuery"):
        return []
    try:
        names = groups(json.loads(body))
    except ValueError:  # refused later
        return []
    return [f"arn:aws:logs:{get_region()}:{get_account_id()}:log-group:{name}" for name in names]


def _extract_resource_arn(service: str, method: str, path: str, headers: Json, body: bytes, *more: Any) -> str:  # noqa: ANN401 - MiniStack's own
    arns = _arns(headers, body) if service == "logs" else []
    return arns[0] if arns else str(extract_resource_arn(service, method, path, headers, body, *more))


async def _handle_request(method: str, path: str, headers: Json, body: bytes, parameters: Json) -> Answer:
    for arn in _arns(headers, body)[1:]:
        key = extract_access_key_id(headers, parameters)
        denied = enforce(key, ACTION, "logs", get_region(), resource_arn=arn)
        if denied and not isinstance(denied, AuthError):
            message = iam_actions.identity_denial_message(
                ACTION, denied.principal_arn, arn, denied.decision == "Deny"
            )  # fmt: skip
            refusal: Answer = error_response_json("AccessDeniedException", message, 400)
            return refusal
    action = headers.get("x-amz-target", "").rpartition(".")[2]
    if action in saved.ACTIONS:
        return saved.answer(action, json.loads(body))
    answer: Answer = await handle_request(method, path, headers, body, parameters)
    return answer
