"""Permissions of each role: exactly those listed here."""

import re

import pytest

from tests.support import template
from tests.support.template import FUNCTIONS, Json, as_list, spelled

MACHINE = "arn:${AWS::Partition}:states:${AWS::Region}:${AWS::AccountId}:stateMachine:${AWS::StackName}-run"
SECRET = "arn:${AWS::Partition}:secretsmanager:${AWS::Region}:${AWS::AccountId}:secret:${ApiKeySecretName}-??????"  # noqa: S105 # the name of a secret, not a secret

# What each role may do: its statements by Sid, actions and resources.
BUS = "arn:${AWS::Partition}:events:${AWS::Region}:${AWS::AccountId}:event-bus/default"
LOGS = "logs:CreateLogStream logs:PutLogEvents"
READ_DROP = ("s3:GetObject s3:GetObjectVersion", "${Bucket.Arn}/inbox/*")
LEDGER = ("s3:GetObject s3:PutObject", "${Bucket.Arn}/runs/*")
CONTENT = "${Bucket.Arn}/content/*"
READ_LINES = ("s3:GetObject", f"{CONTENT}/probe/lines.jsonl {CONTENT}/round-*/lines.* {CONTENT}/unpacked.jsonl")
EARLY_PARTS = "${Bucket.Arn}/results/*/parts/*"
PARTS = f"{CONTENT}/batches/* {EARLY_PARTS}"
LIST = ("s3:ListBucket", "Bucket.Arn")
OUTPUTS = ("s3:AbortMultipartUpload s3:PutObject", "${Bucket.Arn}/failures/* ${Bucket.Arn}/results/*")
KEY = ("secretsmanager:GetSecretValue", f"{SECRET.removesuffix('-??????')} {SECRET}")
OF_DELIVERY = (
    "CreateLogDelivery", "CreateLogStream", "DeleteLogDelivery", "DescribeLogGroups", "DescribeResourcePolicies",
    "GetLogDelivery", "ListLogDeliveries", "PutLogEvents", "PutResourcePolicy", "UpdateLogDelivery",
)  # fmt: skip
DELIVER_LOGS = (" ".join(f"logs:{action}" for action in OF_DELIVERY), "*")
MAY = {
    "SubmitRole": {
        "WriteLogs": (LOGS, "SubmitLog.Arn"),
        "ReadDrop": READ_DROP,
        "ReadAndWriteLedger": ("s3:AbortMultipartUpload s3:GetObject s3:PutObject", "${Bucket.Arn}/runs/*"),
        "WriteContent": (
            "s3:AbortMultipartUpload s3:PutObject",
            " ".join(
                f"{CONTENT}/{name}"
                for name in ("probe/lines.jsonl", "refused-*.txt", "round-*/lines.*", "unpacked.jsonl")
            ),
        ),
        "ReadLinesOfRounds": ("s3:GetObject", f"{CONTENT}/again.jsonl {CONTENT}/lines.index"),
        "ReadLines": READ_LINES,
        "ListLedger": LIST,
        "ClaimBatch": ("s3:PutObject", "${Bucket.Arn}/claims/batches/*"),
        "ReadClaims": ("s3:GetObject", "${Bucket.Arn}/claims/batches/*"),
        "ClaimContent": ("s3:GetObject s3:PutObject", "${Bucket.Arn}/claims/drops/*"),
        "ClaimAttempt": ("s3:GetObject s3:PutObject", "${Bucket.Arn}/claims/attempts/*"),
        "WriteIndex": ("s3:PutObject", "${Bucket.Arn}/index/*~started~*"),
        "MarkWaiting": ("s3:PutObject", "${Bucket.Arn}/claims/waiting/*"),
        "ListWaiting": LIST,
        "ClaimSpending": ("s3:GetObject s3:PutObject", "${Bucket.Arn}/claims/spend/*"),
        "ListSpending": LIST,
        "ReadConfig": ("s3:GetObject", "${Bucket.Arn}/config/*"),
        "ListConfig": LIST,
        "WriteFaults": ("s3:AbortMultipartUpload s3:PutObject", "${Bucket.Arn}/failures/*"),
        "ReadApiKey": KEY,
        "StartRun": ("states:StartExecution", MACHINE),
        "QueueFailure": ("sqs:SendMessage", "SubmitFailureQueue.Arn"),
    },
    "PollRole": {
        "WriteLogs": (LOGS, "PollLog.Arn"),
        "ReadAndWriteLedger": LEDGER,
        "ListLedger": LIST,
        "ReadAndWriteClaims": ("s3:GetObject s3:PutObject", "${Bucket.Arn}/claims/batches/*"),
        "TellOfSpending": ("s3:GetObject s3:PutObject", "${Bucket.Arn}/claims/spend/*/reached-*"),
        "ListIndex": LIST,
        "ReadConfig": ("s3:GetObject", "${Bucket.Arn}/config/*"),
        "ListConfig": LIST,
        "ReadControl": ("s3:GetObject", "${Bucket.Arn}/control/*"),
        "ListControl": LIST,
        "ReadApiKey": KEY,
    },
    "SplitRole": {
        "WriteLogs": (LOGS, "SplitLog.Arn"),
        "ReadDrop": READ_DROP,
        "ReadAndWriteLedger": ("s3:AbortMultipartUpload s3:GetObject s3:PutObject", "${Bucket.Arn}/runs/*"),
        "WriteContent": ("s3:AbortMultipartUpload s3:PutObject", "${Bucket.Arn}/content/*/batches/*"),
        "ReadLines": READ_LINES,
        "ReadLegs": ("s3:GetObject", PARTS),
        "ListLedger": LIST,
        "WriteOutputs": OUTPUTS,
        "ReadApiKey": KEY,
    },
    "ReportRole": {
        "WriteLogs": (LOGS, "ReportLog.Arn"),
        "ReadLedger": ("s3:GetObject", "${Bucket.Arn}/runs/*"),
        "ListLedger": LIST,
        "ReadContent": ("s3:GetObject", PARTS),
        "ListContent": LIST,
        "LetContentExpire": ("s3:PutObjectTagging", f"{CONTENT} {EARLY_PARTS}"),
        "NoteJoins": ("s3:PutObject", "${Bucket.Arn}/runs/*/joining-*"),
        "WriteOutputs": OUTPUTS,
        "ContinueJoins": ("s3:ListMultipartUploadParts", OUTPUTS[1]),
        "WriteIndex": ("s3:PutObject", "${Bucket.Arn}/index/*"),
    },
    "MachineRole": {
        "InvokeFunctions": ("lambda:InvokeFunction", "${Poll.Arn}:* ${Report.Arn}:* ${Split.Arn}:* ${Submit.Arn}:*"),
        "PublishMessage": ("sns:Publish", "Topic"),
        "UseTopicKey": ("kms:Decrypt kms:GenerateDataKey*", "TopicKey.Arn"),
        "SendEvent": ("events:PutEvents", BUS),
        "DeliverLogs": DELIVER_LOGS,
    },
    "RedRuleRole": {"StartTelling": ("states:StartExecution", "RedMachine")},
    "RedMachineRole": {
        "PublishMessage": ("sns:Publish", "Topic"),
        "UseTopicKey": ("kms:Decrypt kms:GenerateDataKey*", "TopicKey.Arn"),
        "DeliverLogs": DELIVER_LOGS,
    },
}
TRACES = {
    "SendTraces": (
        "xray:GetSamplingRules xray:GetSamplingTargets xray:PutTelemetryRecords xray:PutTraceSegments",
        "*",
    )
}


WORKSPACE = "arn:${AWS::Partition}:aws-external-anthropic:${AWS::Region}:${AWS::AccountId}:workspace/${WorkspaceId}"
CREATE, GET, LIST_ALL, CANCEL = (
    f"aws-external-anthropic:{action}"
    for action in ("CreateBatchInference", "GetBatchInference", "ListBatchInferences", "CancelBatchInference")
)
GATEWAY = {
    "LetGatewayAsk": ("sts:GetWebIdentityToken", "*"),
    "LetGatewayTag": ("sts:TagGetWebIdentityToken", "*"),
}
SIGNED = {
    "SubmitRole": {"CreateBatches": (f"{CREATE} {LIST_ALL}", WORKSPACE)} | GATEWAY,
    "PollRole": {"WatchBatches": (f"{CANCEL} {GET} {LIST_ALL}", WORKSPACE)} | GATEWAY,
    "SplitRole": {"ReadBatches": (GET, WORKSPACE)} | GATEWAY,
}
"""What takes the place of reading the key where requests are signed."""


def granted(statements: list[Json]) -> dict[str, tuple[str, str]]:
    """Return actions and resources by Sid."""
    assert {statement["Effect"] for statement in statements} == {"Allow"}
    return {
        statement["Sid"]: (
            " ".join(sorted(as_list(statement["Action"]))),
            " ".join(sorted(map(spelled, as_list(statement["Resource"])))),
        )
        for statement in statements
    }


@pytest.mark.parametrize("role", sorted(MAY))
def test_a_role_may_do_exactly_what_the_table_says(role: str) -> None:
    """An extra statement is a security hole; a missing one fails in production."""
    assert granted(template.statements(role)) == MAY[role]
    assert granted(template.statements(role, Auth="bearer")) == MAY[role]


@pytest.mark.parametrize("role", sorted(MAY))
def test_where_requests_are_signed_a_role_has_its_batch_actions_and_reads_no_key(role: str) -> None:
    """Each function has its own actions on one workspace; only the gateway may use its STS action."""
    may = {sid: allowed for sid, allowed in MAY[role].items() if sid != "ReadApiKey"}
    statements = template.statements(role, Auth="aws")
    assert granted(statements) == may | SIGNED.get(role, {})
    conditions = [each.get("Condition") for each in statements if each["Sid"] == "LetGatewayAsk"]
    called = {"StringEquals": {"aws:CalledViaLast": "aws-external-anthropic.amazonaws.com"}}
    assert conditions == [called] * (role in SIGNED)


@pytest.mark.parametrize("role", sorted(MAY))
def test_only_a_state_machine_that_is_traced_sends_traces(role: str) -> None:
    """The functions send none."""
    traces = TRACES if role in {"MachineRole", "RedMachineRole"} else {}
    assert granted(template.statements(role, Tracing="yes")) == MAY[role] | traces


def test_every_role_is_in_the_table() -> None:
    """Each function has its own role."""
    roles = template.resources("AWS::IAM::Role")
    assert roles.keys() == MAY.keys()
    assert {name: spelled(function["Role"]) for name, function in template.functions().items()} == {
        name: f"{name}Role.Arn" for name in FUNCTIONS
    }
    assert not any("ManagedPolicyArns" in role for role in roles.values())


def test_no_role_writes_where_uploads_start_runs_nor_deletes() -> None:
    """A write to inbox/ would be a loop that pays; a deleted ledger would let a drop be paid for again.

    Objects under control/ and config/ must be written by people.
    """
    for role in MAY:
        for statement in template.statements(role):
            for action in as_list(statement["Action"]):
                assert not re.match(r"s3:(Delete|\*|Put(?!Object(Tagging)?$))", action)
                places = [
                    spelled(resource).removeprefix("${Bucket.Arn}/") for resource in as_list(statement["Resource"])
                ]
                if action == "s3:PutObject":
                    known = r"(runs|content|claims/(batches|drops|attempts|waiting|spend)|results|failures|index)/\*"
                    assert all(re.match(known, place) for place in places)
                if action == "s3:PutObjectTagging":  # a tag removes an object in the end
                    assert (role, places) == ("ReportRole", ["content/*", "results/*/parts/*"])


def test_poll_which_reads_and_writes_facts_only_may_not_touch_content() -> None:
    """It sees how runs stand, and nothing that is in them."""
    assert "content/" not in str(template.statements("PollRole"))


def test_every_role_lists_the_ledger_and_submit_and_poll_what_they_conclude_absence_from() -> None:
    """A function need not know the names of other drops."""
    listed = {
        (role, statement["Sid"]): statement["Condition"]
        for role in MAY
        for statement in template.statements(role)
        if "s3:ListBucket" in as_list(statement["Action"])
    }
    ledger = {(f"{name}Role", "ListLedger"): {"StringLike": {"s3:prefix": "runs/*"}} for name in FUNCTIONS}
    assert listed == ledger | {
        ("PollRole", "ListIndex"): {"StringLike": {"s3:prefix": "index/*"}},
        ("PollRole", "ListConfig"): {"StringLike": {"s3:prefix": "config/*"}},
        ("PollRole", "ListControl"): {"StringLike": {"s3:prefix": "control/*"}},
        ("ReportRole", "ListContent"): {"StringLike": {"s3:prefix": "content/*"}},
        ("SubmitRole", "ListConfig"): {"StringLike": {"s3:prefix": "config/*"}},
        ("SubmitRole", "ListSpending"): {"StringLike": {"s3:prefix": "claims/spend/*"}},
        ("SubmitRole", "ListWaiting"): {"StringLike": {"s3:prefix": "claims/waiting/*"}},
    }


def test_the_state_machine_sends_only_events_that_say_they_are_ours() -> None:
    """A rule of somebody else may trust the source of an event."""
    (statement,) = [each for each in template.statements("MachineRole") if each["Sid"] == "SendEvent"]
    assert statement["Condition"] == {"StringEquals": {"events:source": "conveyor"}}


def test_no_role_can_be_assumed_on_behalf_of_another_account() -> None:
    """The service must act for this account (confused deputy)."""
    for role in template.resources("AWS::IAM::Role").values():
        (statement,) = role["AssumeRolePolicyDocument"]["Statement"]
        assert statement["Condition"] == {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}}
