"""Checks of the bucket, and of its lifecycle, against the template as deployed. Pure."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from conveyor_cli.doctor.checks.policies import Json, as_json, statements_of
from conveyor_cli.doctor.finding import Fault, Finding, aws, judged

_BLOCKS = ("BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets")


def bucket(  # noqa: PLR0913, PLR0917 - one for each answer of S3
    name: str, region: str, expected: Json, policy: Json, versioning: Json, encryption: Json, block: Json, found: Json
) -> Finding:
    """Judge a bucket. `expected`, `policy`: as the template has them; the rest as S3 answers, empty for none."""

    def mend(call: str, **options: str) -> str:
        return aws(region, f"s3api {call}", bucket=name, **options)

    def faults() -> Iterator[Fault]:
        if versioning.get("Status") != "Enabled":
            command = mend("put-bucket-versioning", versioning_configuration="Status=Enabled")
            yield Fault("versioning is off: a replaced drop would be lost to its run", command)
        rules = expected["BucketEncryption"]["ServerSideEncryptionConfiguration"]
        if _encryption(rules) != _encryption(encryption.get("Rules", [])):
            given = as_json({"Rules": [_api_encryption(rule) for rule in rules]})
            command = mend("put-bucket-encryption", server_side_encryption_configuration=given)
            yield Fault("its default encryption is not that of the template", command)
        if not all(block.get(each) for each in _BLOCKS):
            given = as_json(dict.fromkeys(_BLOCKS, True))
            command = mend("put-public-access-block", public_access_block_configuration=given)
            yield Fault("public access is not blocked", command)
        if not statements_of(policy).items() <= statements_of(found).items():
            yield Fault("requests without TLS are not denied", mend("put-bucket-policy", policy=as_json(policy)))

    return judged(faults(), "versioned, encrypted, private, TLS only")


def notifications(name: str, region: str, answer: Json) -> Finding:
    """Judge whether the bucket tells EventBridge of uploads."""
    command = aws(
        region,
        "s3api put-bucket-notification-configuration",
        bucket=name,
        notification_configuration=as_json({**answer, "EventBridgeConfiguration": {}}),
    )
    is_on = "EventBridgeConfiguration" in answer
    faults = [] if is_on else [Fault("the bucket sends no events to EventBridge: no drop starts a run", command)]
    return judged(faults, "the bucket sends its events to EventBridge")


def lifecycle(name: str, region: str, expected: Json, answer: Json) -> Finding:
    """Judge the rules of the lifecycle. `expected`: the properties of the bucket; `answer`: empty for no rules."""
    should = {rule["Id"]: rule for rule in map(_api_rule, expected["LifecycleConfiguration"]["Rules"])}
    found = {rule.get("ID", ""): rule for rule in map(_normal_rule, answer.get("Rules", []))}
    wrong = sorted(rule for rule in should if found.get(rule) != _normal_rule(should[rule] | {"ID": rule}))
    more = sorted(found.keys() - should.keys())
    rules = [{"ID" if key == "Id" else key: each for key, each in rule.items()} for rule in should.values()]
    command = aws(
        region,
        "s3api put-bucket-lifecycle-configuration",
        bucket=name,
        lifecycle_configuration=as_json({"Rules": rules}),
    )
    said = (("missing or changed", wrong), ("not of the template", more))
    faults = [Fault(f"rules {what}: {', '.join(names)}", command) for what, names in said if names]
    return judged(faults, f"{len(should)} rules, as deployed")


def _encryption(rules: list[Json]) -> list[tuple[str, str]]:
    """Return algorithm and key of each rule, in the words of S3 or of CloudFormation."""
    defaults = [
        rule.get("ApplyServerSideEncryptionByDefault") or rule.get("ServerSideEncryptionByDefault", {})
        for rule in rules
    ]
    return [(each.get("SSEAlgorithm", ""), each.get("KMSMasterKeyID", "")) for each in defaults]


def _api_encryption(rule: Json) -> Json:
    """Return a rule of CloudFormation in the words of S3."""
    names = {"ServerSideEncryptionByDefault": "ApplyServerSideEncryptionByDefault"}
    return {names.get(name, name): each for name, each in rule.items()}


def _api_rule(rule: Json) -> Json:
    """Return a rule of the lifecycle of CloudFormation in the words of S3."""
    prefix, tags = rule.get("Prefix", ""), rule.get("TagFilters", [])
    made: Json = {"Id": rule["Id"], "Status": rule["Status"]}
    made["Filter"] = {"And": {"Prefix": prefix, "Tags": tags}} if tags else {"Prefix": prefix}
    if "ExpirationInDays" in rule:
        made["Expiration"] = {"Days": int(rule["ExpirationInDays"])}
    elif rule.get("ExpiredObjectDeleteMarker"):
        made["Expiration"] = {"ExpiredObjectDeleteMarker": True}
    for name in ("NoncurrentVersionExpiration", "AbortIncompleteMultipartUpload"):
        if name in rule:
            made[name] = {key: int(days) for key, days in rule[name].items()}
    return made


def _normal_rule(rule: Mapping[str, Any]) -> Json:
    """Return a rule in the one form in which rules are compared: S3 has several for the same filter."""
    where = rule.get("Filter", {})
    both = where.get("And", where)
    tags = [*both.get("Tags", []), *([both["Tag"]] if "Tag" in both else [])]
    kept = {key: each for key, each in rule.items() if key not in {"Filter", "Prefix", "Id"}}
    if "Expiration" in kept:  # S3 adds that nothing else expires
        kept["Expiration"] = {key: each for key, each in kept["Expiration"].items() if each}
    prefix = both.get("Prefix", rule.get("Prefix", ""))
    return {**kept, "prefix": prefix, "tags": sorted(json.dumps(tag, sort_keys=True) for tag in tags)}
