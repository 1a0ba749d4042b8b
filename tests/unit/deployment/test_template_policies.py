"""The managed policies for people: exactly those listed here. What they let people do is tried on the local AWS."""

import json
import re

import pytest

from tests.support import template
from tests.support.template import Json, as_list, spelled

PROJECT = "${!aws:PrincipalTag/project}"
OF_CALLER = "${aws:PrincipalTag/project}"
MOST_CHARACTERS = 6_144
"""Of a managed policy, white space not counted: AWS's quota, which nobody can raise."""
IN_ACCOUNT = f":ap-southeast-1:{'0' * 12}:"
OF_TYPE = {
    "AWS::Serverless::Function": f"arn:aws-us-gov:lambda{IN_ACCOUNT}function:{'f' * 64}",
    "AWS::IAM::Role": f"arn:aws-us-gov:iam::{'0' * 12}:role/{'r' * 64}",
    "AWS::SQS::Queue": f"arn:aws-us-gov:sqs{IN_ACCOUNT}{'q' * 80}",
    "AWS::Events::Rule": f"arn:aws-us-gov:events{IN_ACCOUNT}rule/{'r' * 64}",
}
"""The longest ARN of each type."""
ARNS = {
    f"{name}.Arn": OF_TYPE[resource["Type"]]
    for name, resource in template.template()["Resources"].items()
    if resource["Type"] in OF_TYPE
}
LONGEST = {
    **{f"${{{name}}}": arn for name, arn in ARNS.items()},
    "${ApiKeySecretName}": "s" * 60,
    "${Bucket.Arn}": f"arn:aws-us-gov:s3:::{'b' * 63}",
    "Bucket.Arn": f"arn:aws-us-gov:s3:::{'b' * 63}",
    "${AWS::Partition}": "aws-us-gov",
    "${AWS::Region}": "ap-southeast-1",
    "${AWS::AccountId}": "0" * 12,
    "${AWS::StackName}": "s" * 128,
    "${ResultsDatabase}": "d" * 100,
    "KmsKeyArn": f"arn:aws-us-gov:kms:us-gov-west-1:{'0' * 12}:key/mrk-{'0' * 32}",
}
"""What a Sub puts in, as long as it can be."""
PUT, GET, LIST = "s3:PutObject", "s3:GetObject", "s3:ListBucket"
IN = "${Bucket.Arn}/"
ACCOUNT = "arn:${{AWS::Partition}}:{}:${{AWS::Region}}:${{AWS::AccountId}}"
GLUE = ACCOUNT.format("glue")
OF_LOGS = f"{ACCOUNT.format('logs')}:log-group:"
OF_QUERIES = ("GetQueryExecution", "GetQueryResults", "GetWorkGroup", "StartQueryExecution", "StopQueryExecution")
SEE_METRICS = " ".join(
    f"cloudwatch:{action}"
    for action in (
        "DescribeAlarmHistory", "DescribeAlarms", "GetDashboard", "GetMetricData", "ListDashboards", "ListMetrics",
    )
)  # fmt: skip
CHECKED = sorted([
    "cloudformation:GetTemplate", "cloudformation:ListStackResources",
    "s3:GetBucketNotification", "s3:GetBucketPolicy", "s3:GetBucketPublicAccessBlock", "s3:GetBucketVersioning",
    "s3:GetEncryptionConfiguration", "s3:GetLifecycleConfiguration",
    "events:DescribeRule", "events:ListTargetsByRule",
    "lambda:GetFunctionConcurrency", "lambda:GetFunctionConfiguration", "lambda:GetPolicy",
    "states:DescribeStateMachine", "states:ListExecutions",
    "iam:GetRolePolicy", "iam:ListAttachedRolePolicies", "iam:ListRolePolicies",
    "secretsmanager:DescribeSecret", "sns:ListSubscriptionsByTopic", "sqs:GetQueueAttributes",
])  # fmt: skip
"""What `conveyor doctor` reads: how things are set, and nothing of what is in them."""
CHECKED_OF_ACCOUNT = (
    "cloudwatch:DescribeAlarmHistory cloudwatch:DescribeAlarms lambda:GetAccountSettings logs:DescribeLogGroups"
)
ROLES = ("Submit", "Poll", "Split", "Report", "Machine", "RedRule", "RedMachine")
CHECKED_RESOURCES = [
    f"{ACCOUNT.format('cloudformation')}:stack/${{AWS::StackName}}/*",
    f"{ACCOUNT.format('states')}:stateMachine:${{AWS::StackName}}-*",
    f"{ACCOUNT.format('secretsmanager')}:secret:${{ApiKeySecretName}}",
    f"{ACCOUNT.format('secretsmanager')}:secret:${{ApiKeySecretName}}-??????",
    *("Bucket.Arn", "SubmitUpload.Arn", "Topic"),
    *(f"${{{name}.Arn}}*" for name in template.FUNCTIONS),
    *(f"{name}Role.Arn" for name in ROLES),
    *(f"{name}.Arn" for name in ("SubmitFailureQueue", "UploadDeadLetterQueue", "FailedRunDeadLetterQueue")),
]
SHARED = {
    "ReadFacts": (GET, f"{IN}runs/*"),
    "ListFacts": (LIST, "Bucket.Arn"),
    "ReadLimits": (GET, f"{IN}config/*"),
    "ListLimits": (LIST, "Bucket.Arn"),
    "FindStack": (
        "cloudformation:DescribeStacks",
        "arn:${AWS::Partition}:cloudformation:${AWS::Region}:${AWS::AccountId}:stack/${AWS::StackName}/*",
    ),
}
MAY = {
    "DropperPolicy": SHARED
    | {
        "DropFiles": (f"s3:AbortMultipartUpload {GET} s3:GetObjectVersion {PUT}", f"{IN}inbox/{PROJECT}/*"),
        "StopAndPause": (PUT, f"{IN}control/{PROJECT}/*/cancel {IN}control/{PROJECT}/*/pause"),
        "ReadOwn": (GET, f"{IN}content/{PROJECT}/* {IN}failures/{PROJECT}/* {IN}results/{PROJECT}/*"),
        "ListOwn": (LIST, "Bucket.Arn"),
    },
    "ApproverPolicy": SHARED | {"Approve": (PUT, f"{IN}control/{PROJECT}/*/approve-*")},
    "AdministratorPolicy": {
        "WriteLimits": (f"s3:DeleteObject {PUT}", f"{IN}config/*"),
        "DropAndControl": (f"s3:AbortMultipartUpload {PUT}", f"{IN}control/* {IN}inbox/*"),
        "RestoreDrop": ("s3:RestoreObject", f"{IN}inbox/*"),
        "ReadAll": (f"{GET} s3:GetObjectVersion", f"{IN}*"),
        "ListAll": (f"{LIST} s3:ListBucketVersions", "Bucket.Arn"),
        "EraseContent": (
            "s3:DeleteObject s3:DeleteObjectVersion",
            f"{IN}content/* {IN}failures/* {IN}inbox/* {IN}results/*",
        ),
        "SeeMetrics": (
            f"{SEE_METRICS} logs:DescribeLogGroups logs:DescribeQueryDefinitions logs:GetQueryResults logs:StopQuery",
            "*",
        ),
        "ReadLogs": (
            "logs:DescribeLogStreams logs:FilterLogEvents logs:GetLogEvents logs:StartQuery",
            f"{OF_LOGS}/aws/lambda/${{AWS::StackName}}-* {OF_LOGS}/aws/vendedlogs/states/${{AWS::StackName}}-*",
        ),
        "FindStack": SHARED["FindStack"],
    },
    "DoctorPolicy": {
        "CheckStack": (" ".join(CHECKED), " ".join(sorted(CHECKED_RESOURCES))),
        "CheckAccount": (CHECKED_OF_ACCOUNT, "*"),
        "CheckLogs": ("logs:FilterLogEvents", f"{ACCOUNT.format('logs')}:log-group:/aws/lambda/${{AWS::StackName}}-*"),
        "ReadConfig": SHARED["ReadLimits"],
        "ListConfig": SHARED["ListLimits"],
        "ListRuns": (LIST, "Bucket.Arn"),
        "ReadTrouble": (GET, f"{IN}runs/*/trouble-*"),
        "TryUpload": (f"s3:DeleteObject s3:DeleteObjectVersion {PUT}", f"{IN}inbox/doctor-*/"),
        "CheckProvider": ("lambda:InvokeFunction", "Submit.Arn"),
        "TryAlarm": ("cloudwatch:SetAlarmState", f"{ACCOUNT.format('cloudwatch')}:alarm:${{AWS::StackName}}-*"),
        "FindStack": SHARED["FindStack"],
    },
    "AnalystPolicy": {
        "QueryResults": (
            " ".join(f"athena:{name}" for name in OF_QUERIES),
            f"{ACCOUNT.format('athena')}:workgroup/${{AWS::StackName}}",
        ),
        "ReadTables": (
            "glue:GetDatabase glue:GetTable glue:GetTables",
            f"{GLUE}:catalog {GLUE}:database/${{ResultsDatabase}} {GLUE}:table/${{ResultsDatabase}}/*",
        ),
        "ReadResults": (GET, f"{IN}failures/* {IN}queries/* {IN}results/*"),
        "ListResults": (LIST, "Bucket.Arn"),
        "WriteAnswers": (f"s3:AbortMultipartUpload {PUT}", f"{IN}queries/*"),
        "FindAnswers": ("s3:GetBucketLocation", "Bucket.Arn"),
        "FindStack": SHARED["FindStack"],
    },
}
POLICIES = template.resources("AWS::IAM::ManagedPolicy")


def statements(policy: str, **chosen: str) -> list[Json]:
    """Return the statements of a policy, with the chosen parameters and defaults for the rest."""
    document = POLICIES[policy]["PolicyDocument"]
    assert document["Version"] == "2012-10-17", "earlier versions have no variables"
    return template.statements_of(document, **chosen)


def test_every_policy_is_in_the_table() -> None:
    """Each is tried on the local AWS."""
    assert POLICIES.keys() == MAY.keys()


@pytest.mark.parametrize("policy", sorted(MAY))
def test_a_policy_allows_exactly_what_the_table_says(policy: str) -> None:
    """An extra statement is a security hole."""
    granted = {
        each["Sid"]: (
            " ".join(sorted(as_list(each["Action"]))),
            " ".join(sorted(map(spelled, as_list(each["Resource"])))),
        )
        for each in statements(policy)
    }
    assert granted == MAY[policy]
    assert {each["Effect"] for each in statements(policy)} == {"Allow"}


@pytest.mark.parametrize("policy", ["ApproverPolicy", "DropperPolicy"])
def test_whatever_is_in_the_bucket_needs_the_tag(policy: str) -> None:
    """A tag without a value is none."""
    for each in statements(policy, KmsKeyArn="key"):
        conditions = each.get("Condition", {}).get("StringLike", {})
        assert (conditions.get("aws:PrincipalTag/project") == "?*") is (each["Sid"] != "FindStack")


def test_a_listing_is_of_the_callers_project_or_of_facts_and_limits() -> None:
    """Names of drops belong to their project."""
    listed = {
        (policy, each["Sid"]): each["Condition"]["StringLike"]["s3:prefix"]
        for policy in ("ApproverPolicy", "DropperPolicy")
        for each in statements(policy)
        if each["Action"] == LIST
    }
    facts = ["runs/*", "index/*", f"control/{OF_CALLER}/*"]
    assert listed == {
        ("ApproverPolicy", "ListFacts"): facts,
        ("DropperPolicy", "ListFacts"): facts,
        ("ApproverPolicy", "ListLimits"): "config/*",
        ("DropperPolicy", "ListLimits"): "config/*",
        ("DropperPolicy", "ListOwn"): [f"{kind}/{OF_CALLER}/*" for kind in ("inbox", "content", "results", "failures")],
    }


@pytest.mark.parametrize("policy", sorted(MAY))
def test_a_policy_has_no_fixed_name_and_fits_with_the_longest_names(policy: str) -> None:
    """Two stacks fit into one account, and CAPABILITY_IAM suffices."""
    properties = POLICIES[policy]
    assert properties.keys() == {"Description", "PolicyDocument"}
    assert len(properties["Description"]) <= 1_000
    text = json.dumps(written(template.decided(properties["PolicyDocument"], {"KmsKeyArn": "key"})))
    assert "${AWS::" not in text
    assert len(re.sub(r"\s", "", text)) <= MOST_CHARACTERS


def written(value: Json | list[Json] | str) -> Json | list[Json] | str:
    """Return a policy as CloudFormation writes it, with the longest names."""
    if isinstance(value, list):
        return [written(each) for each in value]  # type: ignore[misc] # as deep as it was
    if isinstance(value, dict) and value.get("Ref") == "Topic":
        return f"arn:aws-us-gov:sns{IN_ACCOUNT}{'t' * 256}"
    if isinstance(value, dict) and value.keys() & {"Fn::Sub", "Fn::GetAtt", "Ref"}:
        value = ARNS.get(spelled(value), spelled(value))
    if isinstance(value, dict):
        return {key: written(each) for key, each in value.items()}
    for name, text in LONGEST.items():
        value = value.replace(name, text)
    return value.replace("${!", "${")
