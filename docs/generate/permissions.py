"""`docs/permissions.md`: what each role and each policy for people of the template allows, and why."""

import json
import re
from typing import Any

from docs.generate.template import Json, table, template

_TOP = """\
<!-- Generated from template.yaml: change its roles, policies, or reasons under Metadata, then type `make docs`. -->
# Permissions

Each function, each state machine and the rule for failed executions has a role of its own, with these statements and
no others. Names such as
`Bucket` are resources of `template.yaml`. People are given [policies of their own](#policies-for-people).

No role may write to `inbox/` or `control/`, or delete anything. The bucket is versioned, encrypted, closed to the
public, and reachable over TLS only.

Below each table stands the same as a policy, for a statement that somebody has removed ([how to put it back][back]).
`${Bucket.Arn}` stands for the ARN of that resource of the stack,
`${ApiKeySecretName}` for the value of that parameter, and `${AWS::Region}` for the stack's Region: the statements that
are left in the role show what to write. `${aws:…}` is written as it is.

[back]: runbook.md#submiterrorsalarm-pollerrorsalarm-spliterrorsalarm-reporterrorsalarm
"""
_FOR_PEOPLE = """
## Policies for people

An administrator attaches these to users and roles of people ([how](operate.md#permissions-a-person-needs)).
`<project>` is the tag `project` of the user or role.
"""
_WHEN = {
    "Signs": "only with `Auth=aws`",
    "HasKey": "not with `Auth=aws`",
    "HasTracing": "only with `Tracing=yes`",
    "HasKmsKey": "only with `KmsKeyArn`",
    "HasSecretKmsKey": "only with `SecretKmsKeyArn`",
}
"""By the condition of a statement."""
_GIVEN = {"HasKmsKey": "if it is given"}
"""By the condition of a resource."""
_SERVICES = {"s3": "S3", "sqs": "SQS", "secretsmanager": "Secrets Manager"}
_MANAGED = "AWS::IAM::ManagedPolicy"
_TAG = "aws:PrincipalTag/project"
_ARN = re.compile(r"arn:\$\{AWS::Partition\}:[a-z-]+:\$\{AWS::Region\}:\$\{AWS::AccountId\}:")


def page() -> str:
    """Return the whole page."""
    resources = template()["Resources"].values()
    roles = [resource["Properties"] for resource in resources if resource["Type"] == "AWS::IAM::Role"]
    policies = {name: each["Properties"] for name, each in template()["Resources"].items() if each["Type"] == _MANAGED}
    return _TOP + "".join(map(_role, roles)) + _FOR_PEOPLE + "".join(_policy(*named) for named in policies.items())


def _role(role: Json) -> str:
    title = role["Description"].removeprefix("Permissions of ").removesuffix(".")
    statements = [each for policy in role["Policies"] for each in policy["PolicyDocument"]["Statement"]]
    rows = table(("Action", "Resource", "Why"), map(_row, statements))
    return f"\n## {title[0].upper()}{title[1:]}\n\n{rows}{_as_policies(statements)}"


def _as_policies(statements: list[Json]) -> str:
    """Return the statements of a role as they are written back: those of every stack, and those of some."""
    always = [each for each in statements if "Fn::If" not in each]
    texts = [f"\n```json\n{_as_policy(always)}```\n"]
    for condition, when in _WHEN.items():
        if some := [each["Fn::If"][1] for each in statements if each.get("Fn::If", [""])[0] == condition]:
            texts.append(f"\nAlso, {when}:\n\n```json\n{_as_policy(some)}```\n")
    return "".join(texts)


def _as_policy(statements: list[Json]) -> str:
    lines = ",\n  ".join(json.dumps(_plain(each)) for each in statements)
    return f'{{"Version": "2012-10-17", "Statement": [\n  {lines}\n]}}\n'


def _plain(value: Any) -> Any:  # noqa: ANN401  # a part of a policy, in which intrinsics become text
    match value:
        case {"Ref": name}:
            return f"${{{name}}}"
        case {"Fn::GetAtt": [name, attribute]}:
            return f"${{{name}.{attribute}}}"
        case {"Fn::Sub": str(text)}:
            return text.replace("${!", "${")
        case dict():
            return {key: _plain(each) for key, each in value.items()}
        case list():
            return [_plain(each) for each in value]
    return value


def _policy(name: str, policy: Json) -> str:
    rows = map(_row, policy["PolicyDocument"]["Statement"])
    return f"\n### {name}\n\n{policy['Description']}\n\n" + table(("Action", "Resource", "Why"), rows)


def _row(statement: Json) -> list[str]:
    limits = []
    if "Fn::If" in statement:
        condition, statement, _ = statement["Fn::If"]
        limits.append(_WHEN[condition])
    limits += [_limit(operator, values) for operator, values in statement.get("Condition", {}).items()]
    resources = ", ".join(map(_resource, _as_list(statement["Resource"])))
    why = template()["Metadata"]["Permissions"][statement["Sid"]]
    return [
        ", ".join(f"`{action}`" for action in _as_list(statement["Action"])),
        "; ".join([resources, *limits]),
        why,
    ]


def _limit(operator: str, values: Json) -> str:
    match operator, values:
        case "StringLike", {"s3:prefix": prefix, **others} if others.keys() <= {_TAG}:
            listed = " or ".join(f"`{_with_project(each)}`" for each in _as_list(prefix))
            return "; ".join([f"keys under {listed}", *(_limit(operator, {key: others[key]}) for key in others)])
        case "StringLike", {"kms:ViaService": {"Fn::Sub": str(service)}, **others} if others.keys() <= {_TAG}:
            through = f"only through {_SERVICES[service.partition('.')[0]]}"
            return "; ".join([through, *(_limit(operator, {key: others[key]}) for key in others)])
        case "StringLike", {"aws:PrincipalTag/project": "?*"}:
            return "only with the tag `project`"
        case "StringEquals", {"aws:CalledViaLast": service}:
            return f"only when `{service}` calls"
        case "StringEquals", {"events:source": source}:
            return f"only with the source `{source}`"
    raise LookupError(f"no words for the condition {operator} {values}")


def _resource(resource: str | Json) -> str:
    match resource:
        case {"Fn::If": [str(condition), yes, no]}:
            return f"`{_spelled(yes)}` {_GIVEN[condition]}, else `{_spelled(no)}`"
        case _:
            return f"`{_spelled(resource)}`"


def _spelled(resource: str | Json) -> str:
    """Return a resource by its logical id, or the end of its ARN: `Bucket/runs/*`, `workspace/${WorkspaceId}`."""
    if isinstance(resource, str):
        return resource
    ((_, of),) = resource.items()
    text = of[0] if isinstance(of, list) else str(of)
    return _ARN.sub("", re.sub(r"\$\{(\w+)\.Arn\}", r"\1", _with_project(text)))


def _with_project(text: str) -> str:
    """Return a text with `<project>` in place of the caller's tag, which a Sub spells with an exclamation mark."""
    return re.sub(r"\$\{!?" + _TAG + r"\}", "<project>", text)


def _as_list(value: Any) -> list[Any]:  # noqa: ANN401  # IAM's word: one thing, or a list of them
    return value if isinstance(value, list) else [value]
