"""Checks of the roles: their policies as they are, against the template as deployed. Pure."""

import json
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from conveyor_cli.doctor.finding import Fault, Finding, aws, judged

type Json = dict[str, Any]


class Role(NamedTuple):
    """What a role may do, as IAM says."""

    name: str
    inline: Mapping[str, Json]
    """Documents, by the names of the policies."""
    attached: tuple[str, ...] = ()
    """ARNs of managed policies."""
    is_there: bool = True


class Expected(NamedTuple):
    """What it should be able to do, as the template says."""

    inline: Mapping[str, Json]
    attached: tuple[str, ...] = ()


def expected_of(properties: Json) -> Expected:
    """Return what the properties of a role in the template say."""
    inline = {each["PolicyName"]: each["PolicyDocument"] for each in properties.get("Policies", [])}
    return Expected(inline, tuple(properties.get("ManagedPolicyArns", [])))


def roles(region: str, pairs: Mapping[str, tuple[Expected, Role]]) -> Finding:
    """Judge all roles. `pairs`: by logical name."""
    faults = [fault for name, (expected, role) in pairs.items() for fault in _faults(region, name, expected, role)]
    more = "A permission that is lacking stops runs; one that was added lets functions do more than they need."
    return judged(faults, f"{len(pairs)} roles, as deployed", more)


def _faults(region: str, name: str, expected: Expected, role: Role) -> Iterator[Fault]:
    if not role.is_there:
        yield Fault(f"{name} does not exist: deploy again under another stack name, or restore it")
        return
    for policy, document in expected.inline.items():
        said = differences(statements_of(document), statements_of(role.inline.get(policy, {})))
        if said:
            options = {"role_name": role.name, "policy_name": policy, "policy_document": as_json(document)}
            yield Fault(f"{name}: {said}", aws(region, "iam put-role-policy", **options))
    for policy in sorted(role.inline.keys() - expected.inline.keys()):
        options = {"role_name": role.name, "policy_name": policy}
        yield Fault(f"{name}: policy {policy} is not of the template", aws(region, "iam delete-role-policy", **options))
    for arn in sorted(set(role.attached) - set(expected.attached)):
        options = {"role_name": role.name, "policy_arn": arn}
        yield Fault(f"{name}: {arn} is not of the template", aws(region, "iam detach-role-policy", **options))
    for arn in sorted(set(expected.attached) - set(role.attached)):
        options = {"role_name": role.name, "policy_arn": arn}
        yield Fault(f"{name}: {arn} is not attached", aws(region, "iam attach-role-policy", **options))


def differences(should: Mapping[str, str], found: Mapping[str, str]) -> str:
    """Return which statements are missing, changed or added; empty if none is."""
    kinds = (
        ("missing", should.keys() - found.keys()),
        ("changed", {sid for sid in should.keys() & found.keys() if should[sid] != found[sid]}),
        ("added", found.keys() - should.keys()),
    )
    return ", ".join(f"{sid} is {kind}" for kind, sids in kinds for sid in sorted(sids))


def statements_of(document: Mapping[str, Any]) -> dict[str, str]:
    """Return the statements of a policy by their ids, each in the one form in which they are compared."""
    statements = _listed(document.get("Statement", []))
    return {each.get("Sid", f"statement {number}"): _normal(each) for number, each in enumerate(statements, 1)}


def as_json(value: object) -> str:
    """Return JSON as an argument of a command."""
    return json.dumps(value, separators=(",", ":"))


def _normal(statement: Mapping[str, Any]) -> str:
    """Return a statement with all lists sorted: one value, and a list of it, mean the same."""
    said = {
        name: _by_operator(each) if name == "Condition" else _sorted(each)
        for name, each in statement.items()
        if name != "Sid"
    }
    return json.dumps(said, sort_keys=True)


def _by_operator(condition: Mapping[str, Mapping[str, Any]]) -> Json:
    return {operator: {key: _sorted(each) for key, each in values.items()} for operator, values in condition.items()}


def _sorted(value: object) -> object:
    if isinstance(value, Mapping):
        return {key: _sorted(each) for key, each in value.items()}
    return sorted(_text(each) for each in _listed(value))


def _text(value: object) -> str:
    """Return a value as IAM writes it: truth values are texts there."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _listed(value: Any) -> list[Any]:  # noqa: ANN401 - one thing, or a list of them
    return list(value) if isinstance(value, list | tuple) else [value]


def document(text: str) -> Json:
    """Return a policy that a service gives as text."""
    found: Json = json.loads(text)
    return found
