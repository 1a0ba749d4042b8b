"""Topics: what a template says of their key, and the attributes of a state machine's messages.

MiniStack's CloudFormation drops `KmsMasterKeyId`, so that no topic of a template is encrypted. And it expects message
attributes as a Query API client writes them, so that those of a state machine are lost.
"""
# ruff: noqa: SLF001 - a mend reaches inside

from __future__ import annotations

from typing import Any

from ministack.services import kms, sns
from ministack.services.cloudformation import provisioners

type Json = dict[str, Any]

TOPIC = provisioners._RESOURCE_HANDLERS["AWS::SNS::Topic"]

create = TOPIC["create"]
attributes_of_query = sns._parse_message_attributes


def mend() -> None:
    """Put the mends in place."""
    TOPIC["create"] = _create
    sns._parse_message_attributes = _attributes


def key_of(topic: str) -> str | None:
    """Give the ARN of the key that encrypts a topic; None where none does."""
    attributes = sns._topics.get(topic, {}).get("attributes", {})
    key = kms._resolve_key(attributes.get("KmsMasterKeyId"))
    return key["Arn"] if key else None


def _create(logical_id: str, properties: Json, stack: str) -> tuple[str, Json]:
    arn, attributes = create(logical_id, properties, stack)
    if "KmsMasterKeyId" in properties:
        sns._topics[arn]["attributes"]["KmsMasterKeyId"] = properties["KmsMasterKeyId"]
    return arn, attributes


def _attributes(parameters: Json) -> Json:
    """Take the attributes of a state machine as they are, the others as before."""
    given = parameters.get("MessageAttributes")
    found: Json = given if isinstance(given, dict) else attributes_of_query(parameters)
    return found
