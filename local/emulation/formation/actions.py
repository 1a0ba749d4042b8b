"""What CloudFormation does to create, update and delete a resource, and on what, by type.

The actions are among those that the schema of each type lists (`handlers`), as far as the properties that stacks here
use need them. `tests/unit/deployment/test_deploy_policy.py` compares.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

type Json = dict[str, Any]


class Kind(NamedTuple):
    """A type of resource."""

    arns: tuple[str, ...]
    """With `{name}` for its name, and `{Property}` for a property."""
    create: tuple[str, ...]
    update: tuple[str, ...]
    delete: tuple[str, ...]
    name: str = ""
    """The property that names it; without one, CloudFormation makes a name that begins with that of the stack."""


_LAMBDA = "arn:aws:lambda:{region}:{account}"
_OF_FUNCTION = (f"{_LAMBDA}:function:{{FunctionName}}",)
_BUCKET = (
    "s3:PutBucketVersioning", "s3:PutEncryptionConfiguration", "s3:PutLifecycleConfiguration",
    "s3:PutBucketNotification", "s3:PutBucketOwnershipControls", "s3:PutBucketPublicAccessBlock",
)  # fmt: skip
_TOPIC_POLICY, _QUEUE_POLICY = ("sns:SetTopicAttributes",), ("sqs:SetQueueAttributes",)
_GLUE = "arn:aws:glue:{region}:{account}"
_TABLE = f"{_GLUE}:table/{{DatabaseName}}/{{TableInput[Name]}}"

KINDS = {
    "AWS::S3::Bucket": Kind(
        ("arn:aws:s3:::{name}",), ("s3:CreateBucket", *_BUCKET), _BUCKET, ("s3:DeleteBucket",), "BucketName"
    ),
    "AWS::S3::BucketPolicy": Kind(
        ("arn:aws:s3:::{Bucket}",), ("s3:PutBucketPolicy",), ("s3:PutBucketPolicy",), ("s3:DeleteBucketPolicy",)
    ),
    "AWS::Lambda::Function": Kind(
        (f"{_LAMBDA}:function:{{name}}",),
        ("lambda:CreateFunction", "lambda:GetFunction"),
        ("lambda:UpdateFunctionCode", "lambda:UpdateFunctionConfiguration", "lambda:GetFunction"),
        ("lambda:DeleteFunction",),
        "FunctionName",
    ),
    "AWS::Lambda::Version": Kind(
        _OF_FUNCTION,
        ("lambda:PublishVersion", "lambda:GetFunctionConfiguration", "lambda:ListVersionsByFunction"),
        ("lambda:GetFunctionConfiguration",),
        ("lambda:DeleteFunction",),
    ),
    "AWS::Lambda::Alias": Kind(_OF_FUNCTION, ("lambda:CreateAlias",), ("lambda:UpdateAlias",), ("lambda:DeleteAlias",)),
    "AWS::Lambda::Permission": Kind(_OF_FUNCTION, ("lambda:AddPermission",), (), ("lambda:RemovePermission",)),
    "AWS::Lambda::EventInvokeConfig": Kind(
        _OF_FUNCTION,
        ("lambda:PutFunctionEventInvokeConfig",),
        ("lambda:UpdateFunctionEventInvokeConfig",),
        ("lambda:DeleteFunctionEventInvokeConfig",),
    ),
    "AWS::Lambda::LayerVersion": Kind(
        (f"{_LAMBDA}:layer:{{LayerName}}",), ("lambda:PublishLayerVersion",), (), ("lambda:DeleteLayerVersion",)
    ),
    "AWS::Events::Rule": Kind(
        ("arn:aws:events:{region}:{account}:rule/{name}",),
        ("events:PutRule", "events:PutTargets", "events:DescribeRule"),
        ("events:PutRule", "events:PutTargets"),
        ("events:RemoveTargets", "events:DeleteRule", "events:ListTargetsByRule"),
        "Name",
    ),
    "AWS::Logs::LogGroup": Kind(
        ("arn:aws:logs:{region}:{account}:log-group:{name}",),
        ("logs:CreateLogGroup", "logs:PutRetentionPolicy", "logs:DescribeLogGroups"),
        ("logs:PutRetentionPolicy", "logs:DescribeLogGroups"),
        ("logs:DeleteLogGroup",),
        "LogGroupName",
    ),
    "AWS::Logs::QueryDefinition": Kind(
        ("*",), ("logs:PutQueryDefinition",), ("logs:PutQueryDefinition",), ("logs:DeleteQueryDefinition",)
    ),
    "AWS::IAM::Role": Kind(
        ("arn:aws:iam::{account}:role/{name}",),
        ("iam:CreateRole", "iam:PutRolePolicy", "iam:GetRole"),
        ("iam:UpdateRole", "iam:UpdateAssumeRolePolicy", "iam:PutRolePolicy", "iam:DeleteRolePolicy"),
        ("iam:DeleteRolePolicy", "iam:DeleteRole", "iam:ListAttachedRolePolicies", "iam:ListRolePolicies"),
        "RoleName",
    ),
    "AWS::IAM::ManagedPolicy": Kind(
        ("arn:aws:iam::{account}:policy/{name}",),
        ("iam:CreatePolicy",),
        ("iam:CreatePolicyVersion", "iam:DeletePolicyVersion", "iam:ListPolicyVersions"),
        ("iam:DeletePolicy", "iam:ListPolicyVersions", "iam:ListEntitiesForPolicy"),
        "ManagedPolicyName",
    ),
    "AWS::StepFunctions::StateMachine": Kind(
        ("arn:aws:states:{region}:{account}:stateMachine:{name}",),
        ("states:CreateStateMachine", "states:DescribeStateMachine"),
        ("states:UpdateStateMachine",),
        ("states:DeleteStateMachine", "states:DescribeStateMachine"),
        "StateMachineName",
    ),
    "AWS::SNS::Topic": Kind(
        ("arn:aws:sns:{region}:{account}:{name}",),
        ("sns:CreateTopic", "sns:GetTopicAttributes"),
        ("sns:SetTopicAttributes",),
        ("sns:DeleteTopic",),
        "TopicName",
    ),
    "AWS::SNS::Subscription": Kind(
        ("{TopicArn}",), ("sns:Subscribe",), ("sns:SetSubscriptionAttributes",), ("sns:Unsubscribe",)
    ),
    "AWS::SNS::TopicPolicy": Kind(("{Topics}",), _TOPIC_POLICY, _TOPIC_POLICY, _TOPIC_POLICY),
    "AWS::SQS::Queue": Kind(
        ("arn:aws:sqs:{region}:{account}:{name}",),
        ("sqs:CreateQueue", "sqs:GetQueueAttributes"),
        ("sqs:SetQueueAttributes",),
        ("sqs:DeleteQueue", "sqs:GetQueueAttributes"),
        "QueueName",
    ),
    "AWS::SQS::QueuePolicy": Kind(
        ("arn:aws:sqs:{region}:{account}:{Queues}",), _QUEUE_POLICY, _QUEUE_POLICY, _QUEUE_POLICY
    ),
    "AWS::KMS::Key": Kind(
        ("arn:aws:kms:{region}:{account}:key/{name}",),
        ("kms:CreateKey", "kms:EnableKeyRotation"),
        ("kms:PutKeyPolicy", "kms:UpdateKeyDescription", "kms:DescribeKey"),
        ("kms:ScheduleKeyDeletion", "kms:DescribeKey"),
    ),
    "AWS::CloudWatch::Alarm": Kind(
        ("arn:aws:cloudwatch:{region}:{account}:alarm:{name}",),
        ("cloudwatch:PutMetricAlarm", "cloudwatch:DescribeAlarms"),
        ("cloudwatch:PutMetricAlarm", "cloudwatch:DescribeAlarms"),
        ("cloudwatch:DeleteAlarms",),
        "AlarmName",
    ),
    "AWS::CloudWatch::Dashboard": Kind(
        ("arn:aws:cloudwatch::{account}:dashboard/{name}",),
        ("cloudwatch:PutDashboard",),
        ("cloudwatch:PutDashboard",),
        ("cloudwatch:DeleteDashboards",),
        "DashboardName",
    ),
    "AWS::Glue::Database": Kind(
        (f"{_GLUE}:catalog", f"{_GLUE}:database/{{DatabaseInput[Name]}}"),
        ("glue:CreateDatabase",),
        ("glue:UpdateDatabase",),
        ("glue:DeleteDatabase",),
    ),
    "AWS::Glue::Table": Kind(
        (f"{_GLUE}:catalog", f"{_GLUE}:database/{{DatabaseName}}", _TABLE),
        ("glue:CreateTable",),
        ("glue:UpdateTable",),
        ("glue:DeleteTable",),
    ),
    "AWS::Athena::WorkGroup": Kind(
        ("arn:aws:athena:{region}:{account}:workgroup/{name}",),
        ("athena:CreateWorkGroup", "athena:GetWorkGroup"),
        ("athena:UpdateWorkGroup",),
        ("athena:DeleteWorkGroup",),
        "Name",
    ),
}  # fmt: skip
WITHOUT_RESOURCE = frozenset({
    "kms:CreateKey", "cloudwatch:DescribeAlarms", "logs:DescribeLogGroups", "logs:PutQueryDefinition",
    "logs:DeleteQueryDefinition", "sns:SetSubscriptionAttributes", "sns:Unsubscribe",
})  # fmt: skip
"""Actions that know no resource: a policy that allows them names `*`. Source: AWS's Service Authorization Reference."""
PASSED_TO = {
    "AWS::Lambda::Function": "lambda.amazonaws.com",
    "AWS::StepFunctions::StateMachine": "states.amazonaws.com",
    "AWS::Events::Rule": "events.amazonaws.com",
}
"""Services to which CloudFormation hands the roles that a resource names."""


def new_name(kind: Kind, stack: str, logical_id: str, properties: Json) -> str:
    """Return the name of a resource that is to be created: its own, or one as CloudFormation makes it."""
    named = str(properties.get(kind.name, ""))
    made = f"{stack}-{logical_id}-A1B2C3D4E5F6"
    return named or (made.lower() if "s3:CreateBucket" in kind.create else made)


def resources(kind: Kind, name: str, properties: Json, *, region: str, account: str) -> list[str]:
    """Return the ARNs of a resource. `name`: as CloudFormation knows it, which may be an ARN or a URL."""
    if name.startswith("arn:") and "{name}" in "".join(kind.arns):
        return [name]
    values = {key: _last(value) for key, value in properties.items()} | {"name": _last(name)}
    return [arn.format_map(values | {"region": region, "account": account}) for arn in kind.arns]


def roles(properties: object) -> Iterator[str]:
    """Find the ARNs of roles in properties."""
    if isinstance(properties, dict):
        for name, value in properties.items():
            if name in {"Role", "RoleArn"} and isinstance(value, str):
                yield value
            yield from roles(value)
    elif isinstance(properties, list):
        for value in properties:
            yield from roles(value)


def _last(value: Any) -> Any:  # noqa: ANN401 - a property
    """Return the only item of a list, and the name in a queue's URL; anything else as it is."""
    value = value[0] if isinstance(value, list) and value else value
    return value.rpartition("/")[2] if isinstance(value, str) and value.startswith("https://") else value
