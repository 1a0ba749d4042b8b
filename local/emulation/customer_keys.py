"""Secrets, log groups and queues that a customer's key encrypts need that key.

MiniStack takes any key for them and asks nobody. On AWS the caller needs `kms:Decrypt` to read a secret, CloudWatch
Logs must be permitted by the key's policy before a log group may have it, and what is put into a queue is encrypted
with the permissions of who puts it there.
"""
# ruff: noqa: SLF001 - a patch replaces private names

from __future__ import annotations

from typing import Any

from ministack.core import iam_evaluator as evaluator
from ministack.core.responses import error_response_json, get_account_id, get_region
from ministack.services import kms, secretsmanager, sqs
from ministack.services.cloudformation import provisioners

from local.emulation import iam

type Json = dict[str, Any]

GROUP = provisioners._RESOURCE_HANDLERS["AWS::Logs::LogGroup"]
OF_LOGS = ("kms:Encrypt", "kms:Decrypt", "kms:ReEncryptTo", "kms:GenerateDataKey", "kms:DescribeKey")

create_group, update_group = GROUP["create"], GROUP["update"]
get_secret_value = secretsmanager._get_secret_value


def patch() -> None:
    """Apply the patches."""
    GROUP["create"], GROUP["update"] = _create_group, _update_group
    secretsmanager._get_secret_value = _get_secret_value


def key_of_queue(queue: str) -> str | None:
    """Return the ARN of the customer's key that encrypts a queue, given by its ARN; None if there is none."""
    found = sqs._queue_by_arn(queue)
    key = kms._resolve_key(found["attributes"].get("KmsMasterKeyId")) if found else None
    return key["Arn"] if key else None


def queue_key_denial(role: str, session: str, queue: str) -> str | None:
    """Return AWS's message if a role may not encrypt what it puts into a queue; None if it may, or no key does."""
    key = key_of_queue(queue) if ":sqs:" in queue else None
    through = {"kms:viaservice": f"sqs.{get_region()}.amazonaws.com"}
    if key is None:
        return None
    wanted = ("kms:GenerateDataKey", "kms:Decrypt")
    return next(filter(None, (iam.denial(role, session, action, key, through) for action in wanted)), None)


def _get_secret_value(data: Json) -> Any:  # noqa: ANN401 - MiniStack's own
    _, secret = secretsmanager._resolve(data.get("SecretId"))
    key = kms._resolve_key((secret or {}).get("KmsKeyId"))
    if key and _caller_denial("kms:Decrypt", key["Arn"], "secretsmanager"):
        return error_response_json("AccessDeniedException", "Access to KMS is not allowed", 400)
    return get_secret_value(data)


def _caller_denial(action: str, key: str, service: str) -> str | None:
    """Return AWS's message if the role that calls may not use a key through a service; the root user may."""
    kind, *names = evaluator.caller_arn().rpartition(":")[2].split("/")
    if kind != "assumed-role":
        return None
    role, session = names
    through = {"kms:viaservice": f"{service}.{get_region()}.amazonaws.com"}
    return iam.denial(f"arn:aws:iam::{get_account_id()}:role/{role}", session, action, key, through)


def _create_group(logical_id: str, properties: Json, stack: str) -> Any:  # noqa: ANN401 - MiniStack's own
    _require_key(properties)
    return create_group(logical_id, properties, stack)


def _update_group(physical_id: str, old: Json, new: Json, *more: Any) -> Any:  # noqa: ANN401 - MiniStack's own
    _require_key(new)
    return update_group(physical_id, old, new, *more)


def _require_key(properties: Json) -> None:
    """Raise AWS's error if CloudWatch Logs may not use the key of a group."""
    if not (key := properties.get("KmsKeyId")):
        return
    arn = f"arn:aws:logs:{get_region()}:{get_account_id()}:log-group:{properties['LogGroupName']}"
    keys, service = {"kms:encryptioncontext:aws:logs:arn": arn}, f"logs.{get_region()}.amazonaws.com"
    if not kms._resolve_key(key) or not all(iam.permits(action, key, service, keys) for action in OF_LOGS):
        raise ValueError(f"The specified KMS key does not exist or is not allowed to be used with Arn '{arn}'")
