"""The lifecycle of a bucket in a template.

MiniStack's CloudFormation ignores it, so that such a bucket has no rules. Nothing expires here either.
"""
# ruff: noqa: SLF001 - a patch replaces private names

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from ministack.services import s3
from ministack.services.cloudformation import provisioners

if TYPE_CHECKING:
    from collections.abc import Callable

type Json = dict[str, Any]

BUCKET = provisioners._RESOURCE_HANDLERS["AWS::S3::Bucket"]


def patch() -> None:
    """Apply the patches, on top of those that are applied already."""
    BUCKET["create"] = partial(_create, BUCKET["create"])
    BUCKET["update"] = partial(_update, BUCKET["update"])


def _create(create: Callable[..., Any], logical_id: str, properties: Json, stack: str) -> tuple[str, Json]:
    made: tuple[str, Json] = create(logical_id, properties, stack)
    _apply(made[0], properties)
    return made


def _update(update: Callable[..., Any], physical_id: str, old: Json, new: Json, stack: str) -> tuple[str, Json]:
    made: tuple[str, Json] = update(physical_id, old, new, stack)
    _apply(made[0], new)
    return made


def _apply(bucket: str, properties: Json) -> None:
    """Keep the rules of a bucket as PutBucketLifecycleConfiguration would."""
    rules = properties.get("LifecycleConfiguration", {}).get("Rules", [])
    if rules:
        s3._bucket_lifecycle[bucket] = [_rule(rule) for rule in rules]
    else:
        s3._bucket_lifecycle.pop(bucket, None)


def _rule(rule: Json) -> Json:
    prefix, tags = rule.get("Prefix", ""), rule.get("TagFilters", [])
    filtered = {"And": {"Prefix": prefix, "Tags": tags}} if tags else {"Prefix": prefix}
    made: Json = {"ID": rule["Id"], "Status": rule["Status"], "Filter": filtered}
    if "ExpirationInDays" in rule:
        made["Expiration"] = {"Days": int(rule["ExpirationInDays"])}
    elif "ExpiredObjectDeleteMarker" in rule:
        is_set = str(rule["ExpiredObjectDeleteMarker"]).lower() == "true"
        made["Expiration"] = {"ExpiredObjectDeleteMarker": is_set}
    for name in ("NoncurrentVersionExpiration", "AbortIncompleteMultipartUpload"):
        if name in rule:
            made[name] = {key: int(days) for key, days in rule[name].items()}
    return made
