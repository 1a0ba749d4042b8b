"""docs/deploy-policy.json: what a person needs who deploys, updates and deletes a stack, and no more.

What CloudFormation does for each type of resource is in AWS's own schema of the type, which cfn-lint brings.
"""

from __future__ import annotations

import json
from fnmatch import fnmatchcase
from functools import cache
from typing import Any

import pytest

from local.emulation.formation.actions import KINDS, PASSED_TO, WITHOUT_RESOURCE, new_name, resources, roles
from tests.support import template

type Json = dict[str, Any]

POLICY: Json = json.loads((template.PROJECT / "docs" / "deploy-policy.json").read_text())
MOST_CHARACTERS = 6144
"""Of a managed policy, without white space."""
VIA = {"ForAnyValue:StringEquals": {"aws:CalledVia": "cloudformation.amazonaws.com"}}
DIRECT = {"ChangeTheStack", "UseTheTransform", "UploadCode", "FindBuckets", "CreateTheSecret", "HandRolesToServices"}
"""Statements about what a person, or the SAM CLI, calls without CloudFormation."""
REGION, ACCOUNT, STACK = "eu-central-1", "123456789012", "conveyor"
LEFT_OUT = {
    "AWS::S3::Bucket": {
        "s3:*Abac", "s3:*Analytics*", "s3:*CORS", "s3:*Cors", "s3:*Inventory*", "s3:*Metrics*", "s3:*Replication*",
        "s3:*Website", "s3:*Accelerate*", "s3:*ObjectLock*", "s3:*Acl", "s3:*Logging", "s3:*Intelligent*",
        "s3:*Metadata*", "s3tables:*", "iam:PassRole", "s3:DeleteObject", "s3:DeleteBucketEncryption",
        "s3:DeleteBucketLifecycle",
    },
    "AWS::Lambda::LayerVersion": {"s3:GetObject*"},
    "AWS::Lambda::Function": {
        "iam:PassRole", "ec2:*", "elasticfilesystem:*", "s3files:*", "kms:*", "s3:GetObject*", "lambda:*CodeSigning*",
        "lambda:*Concurrency", "lambda:*RuntimeManagement*", "lambda:*Recursion*", "lambda:*Scaling*",
        "lambda:PassCapacityProvider", "lambda:AssociateRuntimeAlias",
    },
    "AWS::Lambda::Version": {"lambda:*Concurrency*", "lambda:*RuntimeManagement*", "lambda:*Scaling*"},
    "AWS::Lambda::Alias": {"lambda:*Concurrency*", "codedeploy:*"},
    "AWS::Logs::LogGroup": {
        "logs:PutDataProtectionPolicy", "logs:DeleteDataProtectionPolicy", "logs:CreateLogDelivery",
        "s3:REST.PUT.OBJECT", "firehose:*", "logs:PutResourcePolicy", "logs:DeleteResourcePolicy",
        "logs:PutIndexPolicy", "logs:DeleteIndexPolicy", "logs:PutBearerTokenAuthentication",
        "logs:PutLogGroupDeletionProtection",
    },
    "AWS::IAM::Role": {"iam:AttachRolePolicy", "iam:DetachRolePolicy", "iam:*PermissionsBoundary"},
    "AWS::IAM::ManagedPolicy": {"iam:Attach*", "iam:Detach*"},
    "AWS::StepFunctions::StateMachine": {"s3:GetObject*", "kms:*", "iam:PassRole"},
    "AWS::SNS::Topic": {"sns:PutDataProtectionPolicy", "sns:Unsubscribe", "iam:*"},
    "AWS::SNS::Subscription": {"iam:*"},
    "AWS::KMS::Key": {"kms:DisableKey*", "kms:EnableKey"},
    "AWS::Glue::Database": {"lakeformation:*", "glue:*Connection"},
    "AWS::Glue::Table": {"lakeformation:*", "glue:PassConnection", "s3:*", "iam:PassRole", "glue:UpdateDatabase"},
    "AWS::Athena::WorkGroup": {"iam:*", "s3:*", "kms:*"},
    "AWS::Events::Rule": {"iam:PassRole"},
}  # fmt: skip
"""What the schemas list for properties that the template does not use, or what a statement of DIRECT allows. People who
were given the policies of the stack must be removed from them before the stack is deleted."""


def listed(value: str | list[str]) -> list[str]:
    """Read an element of a policy."""
    return value if isinstance(value, list) else [value]


@cache
def handled(kind: str) -> frozenset[str]:
    """Return all that CloudFormation may call for a type, by its schema."""
    # Imported here, because it takes a second, in each process of a run.
    from cfnlint.schema import PROVIDER_SCHEMA_MANAGER  # type: ignore[import-untyped] # noqa: PLC0415

    schema = PROVIDER_SCHEMA_MANAGER.get_resource_schema("us-east-1", kind).schema
    handlers = [schema["handlers"].get(name, {}) for name in ("create", "read", "update", "delete")]
    lists = [each.get("permissions") or [] for each in (*handlers, schema.get("tagging") or {})]
    return frozenset(action for actions in lists for action in actions)


@cache
def wanted(kind: str) -> frozenset[str]:
    """Return what the template needs of that."""
    out = LEFT_OUT.get(kind, set())
    return frozenset(action for action in handled(kind) if not any(fnmatchcase(action, each) for each in out))


def deployed() -> dict[str, Json]:
    """Return the resources of the template as CloudFormation gets them."""
    found: dict[str, Json] = template.transformed()["Resources"]
    return found


def types() -> list[str]:
    """Return the types of all resources of the stack."""
    return sorted({each["Type"] for each in deployed().values()})


def allowed(action: str, resource: str, *, via: bool) -> bool:
    """Whether the policy allows an action on a resource, when CloudFormation calls or the person does."""
    return any(
        any(fnmatchcase(action, each) for each in listed(statement["Action"]))
        and any(fnmatchcase(resource, each) for each in listed(statement["Resource"]))
        and (via or statement.get("Condition") != VIA)
        for statement in POLICY["Statement"]
    )


def literal(value: Any) -> Any:  # noqa: PLR0911 - one for each form
    """Replace what CloudFormation fills in, as far as names need it."""
    match value:
        case {"Ref": "AWS::StackName" | "ResultsDatabase"}:
            return STACK
        case {"Ref": str(name)} | {"Fn::GetAtt": [str(name), *_]}:
            return of_resource(name)
        case {"Fn::If": [_, _, otherwise]}:
            return literal(otherwise)
        case {"Fn::Sub": str(text)}:
            return text.replace("${AWS::StackName}", STACK)
        case dict():
            return {name: literal(each) for name, each in value.items()}
        case list():
            return [literal(each) for each in value]
        case _:
            return value


def of_resource(name: str) -> str:
    """Return what a reference to a resource is: an ARN, where the permissions need one, else a name."""
    if name not in deployed():
        return STACK
    kind = KINDS[deployed()[name]["Type"]]
    made = new_name(kind, STACK, name, {})
    is_arn = deployed()[name]["Type"] in {"AWS::SNS::Topic", "AWS::IAM::Role"}
    return resources(kind, made, {}, region=REGION, account=ACCOUNT)[0] if is_arn else made


def places(name: str) -> list[str]:
    """Return the ARNs of a resource of the stack."""
    resource = deployed()[name]
    kind, properties = KINDS[resource["Type"]], literal(resource.get("Properties", {}))
    return resources(kind, new_name(kind, STACK, name, properties), properties, region=REGION, account=ACCOUNT)


def test_it_fits_into_a_managed_policy() -> None:
    """AWS counts no white space."""
    assert len(json.dumps(POLICY, separators=(",", ":"))) <= MOST_CHARACTERS


@pytest.mark.parametrize("kind", types())
def test_it_allows_cloudformation_all_that_a_type_needs(kind: str) -> None:
    """To create, read, update, tag and delete each resource of the template by its name, also where it has only one."""
    for name, resource in deployed().items():
        for action in wanted(kind) if resource["Type"] == kind else ():
            places_of = ["*"] if action in WITHOUT_RESOURCE or is_without_resource(action) else places(name)
            assert [place for place in places_of if not allowed(action, place, via=True)] == [], action


def is_without_resource(action: str) -> bool:
    """Whether the policy names an action among those without a resource: AWS would refuse it with a name."""
    (statement,) = [each for each in POLICY["Statement"] if each["Sid"] == "WithoutNames"]
    return action in statement["Action"]


def test_actions_without_a_resource_are_those_that_aws_lists() -> None:
    """All others are limited to names that begin with that of the stack, or to keys, which have no names."""
    for statement in POLICY["Statement"]:
        named = listed(statement["Resource"])
        if named == ["*"]:
            assert set(listed(statement["Action"])) >= WITHOUT_RESOURCE
            continue
        free = {"arn:aws:kms:*:*:key/*", "arn:aws:glue:*:*:catalog"}
        managed = ("aws-sam-cli-managed-default", "transform/Serverless-2016-10-31")
        assert [
            each for each in named if STACK not in each and each not in free and not any(m in each for m in managed)
        ] == []


def test_it_allows_nothing_that_no_type_needs() -> None:
    """Every action, or pattern of actions that only read, is there for a resource of the template."""
    needed = {action for kind in types() for action in wanted(kind)}
    for statement in POLICY["Statement"]:
        if statement["Sid"] in DIRECT:
            continue
        excess = [
            each for each in listed(statement["Action"]) if not any(fnmatchcase(action, each) for action in needed)
        ]
        assert excess == [], statement["Sid"]
        patterns = [each.partition(":")[2] for each in listed(statement["Action"]) if "*" in each]
        assert [each for each in patterns if not each.startswith(("Get", "List", "Describe"))] == []


def test_only_cloudformation_may_change_resources() -> None:
    """A person with this policy changes no function by hand, and reads no object of the stack's bucket."""
    for statement in POLICY["Statement"]:
        assert (statement.get("Condition") == VIA) == (statement["Sid"] not in DIRECT)
    for action in ("lambda:UpdateFunctionCode", "iam:PutRolePolicy", "s3:DeleteBucket", "kms:PutKeyPolicy"):
        assert not allowed(action, "*", via=False)
    assert not allowed("s3:GetObject", f"arn:aws:s3:::{STACK}-bucket-a1b2/results/a", via=True)
    assert not allowed("secretsmanager:GetSecretValue", "*", via=False)


def test_roles_are_handed_to_the_services_of_the_template_only() -> None:
    """A role that anything else could take would be a way around this policy."""
    (statement,) = [each for each in POLICY["Statement"] if each["Action"] == "iam:PassRole"]
    passed = [
        (PASSED_TO[each["Type"]], role)
        for each in deployed().values()
        if each["Type"] in PASSED_TO
        for role in roles(literal(each))
    ]
    assert set(statement["Condition"]["StringEquals"]["iam:PassedToService"]) == {service for service, _ in passed}
    assert [role for _, role in passed if not fnmatchcase(role, statement["Resource"])] == []


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_the_local_aws_asks_for_actions_that_the_schema_lists(kind: str) -> None:
    """Else a stack could be refused here that AWS lets through."""
    known = KINDS[kind]
    assert {*known.create, *known.update, *known.delete} <= handled(kind)


def test_the_local_aws_knows_every_type_of_the_template() -> None:
    """Of a type that it does not know, it refuses everybody but the root user."""
    assert [kind for kind in types() if kind not in KINDS] == []
