"""Topics: the encryption key in a template, and the attributes of messages from a state machine.

MiniStack's CloudFormation ignores `KmsMasterKeyId`, so that no topic of a template is encrypted. And it reads message
attributes only as clients of the Query API write them, so that those of a state machine are lost.
"""
# ruff: noqa: SLF001 - a patch replaces private names

from __future__ import annotations

from typing import Any

from ministack.services import kms, sns
from ministack.services.cloudformation import provisioners

type Json = dict[str, Any]

TOPIC = provisioners._RESOURCE_HANDLERS["AWS::SNS::Topic"]

create = TOPIC["create"]
attributes_of_query = sns._parse_message_attributes


def patch() -> None:
    """Apply the patches."""
    TOPIC["create"] = _create
    sns._parse_message_attributes = _attributes


def key_of(topic: str) -> str | None:
    """Return the ARN of the key that encrypts a topic; None if it is not encrypted."""
    attributes = sns._topics.get(topic, {}).get("attributes", {})
    key = kms._resolve_key(attributes.get("KmsMasterKeyId"))
    return key["Arn"] if key else None


def _create(logical_id: str, properties: Json, stack: str) -> tuple[str, Json]:
    arn, attributes = create(logical_id, properties, stack)
    if "KmsMasterKeyId" in properties:
        sns._topics[arn]["attributes"]["KmsMasterKeyId"] = properties["KmsMasterKeyId"]
    return arn, attributes


def _attributes(parameters: Json) -> Json:
    """Return the attributes of a state machine unchanged, and parse others as before."""
    value = parameters.get("MessageAttributes")
    attributes: Json = value if isinstance(value, dict) else attributes_of_query(parameters)
    return attributes
