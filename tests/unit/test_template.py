"""The template keeps what the README promises: permissions, durability, limits, and who hears of trouble."""

import re

import pytest

from conveyor.settings import Environment, Settings
from tests.unit import template
from tests.unit.template import FUNCTIONS, Json, as_list

MACHINE = "arn:${AWS::Partition}:states:${AWS::Region}:${AWS::AccountId}:stateMachine:${AWS::StackName}-run"
SECRET = "arn:${AWS::Partition}:secretsmanager:${AWS::Region}:${AWS::AccountId}:secret:${ApiKeySecretName}-??????"  # noqa: S105 # the name of a secret is none

# What each role may do: its statements by Sid, actions and resources. The README's table of permissions says the same.
LOGS = "logs:CreateLogStream logs:PutLogEvents"
READ_DROP = ("s3:GetObject s3:GetObjectVersion", "${Bucket.Arn}/inbox/*")
LEDGER = ("s3:GetObject s3:PutObject", "${Bucket.Arn}/runs/*")
LIST = ("s3:ListBucket", "Bucket.Arn")
OUTPUTS = ("s3:AbortMultipartUpload s3:PutObject", "${Bucket.Arn}/failures/* ${Bucket.Arn}/results/*")
KEY = ("secretsmanager:GetSecretValue", SECRET)
MAY = {
    "SubmitRole": {
        "WriteLogs": (LOGS, "SubmitLog.Arn"),
        "ReadDrop": READ_DROP,
        "ReadAndWriteLedger": ("s3:AbortMultipartUpload s3:GetObject s3:PutObject", "${Bucket.Arn}/runs/*"),
        "ListLedger": LIST,
        "ClaimBatch": ("s3:PutObject", "${Bucket.Arn}/claims/batches/*"),
        "ClaimContent": ("s3:GetObject s3:PutObject", "${Bucket.Arn}/claims/drops/*"),
        "ClaimAttempt": ("s3:GetObject s3:PutObject", "${Bucket.Arn}/claims/attempts/*"),
        "MarkWaiting": ("s3:PutObject", "${Bucket.Arn}/claims/waiting/*"),
        "ListWaiting": LIST,
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
        "ReadControl": ("s3:GetObject", "${Bucket.Arn}/control/*"),
        "ListControl": LIST,
        "ReadApiKey": KEY,
    },
    "SplitRole": {
        "WriteLogs": (LOGS, "SplitLog.Arn"),
        "ReadDrop": READ_DROP,
        "ReadAndWriteLedger": ("s3:AbortMultipartUpload s3:GetObject s3:PutObject", "${Bucket.Arn}/runs/*"),
        "ListLedger": LIST,
        "WriteOutputs": OUTPUTS,
        "ReadApiKey": KEY,
    },
    "ReportRole": {
        "WriteLogs": (LOGS, "ReportLog.Arn"),
        "ReadLedger": ("s3:GetObject", "${Bucket.Arn}/runs/*"),
        "ListLedger": LIST,
        "WriteOutputs": OUTPUTS,
    },
    "MachineRole": {
        "InvokeFunctions": ("lambda:InvokeFunction", "${Poll.Arn}:* ${Report.Arn}:* ${Split.Arn}:* ${Submit.Arn}:*"),
        "PublishMessage": ("sns:Publish", "Topic"),
        "UseTopicKey": ("kms:Decrypt kms:GenerateDataKey*", "TopicKey.Arn"),
    },
}


def spelled(value: str | Json) -> str:
    """Spell an intrinsic as the template does: `Bucket.Arn`, `Topic`, or the text of a Sub."""
    if isinstance(value, str):
        return value
    ((_, of),) = value.items()
    return ".".join(of) if isinstance(of, list) else str(of)


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
    """Give actions and resources by Sid."""
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
    """One statement more is somebody's production hole next week; one less fails in the night."""
    assert granted(template.statements(role)) == MAY[role]
    assert granted(template.statements(role, Auth="bearer")) == MAY[role]


@pytest.mark.parametrize("role", sorted(MAY))
def test_where_requests_are_signed_a_role_has_its_batch_actions_and_reads_no_key(role: str) -> None:
    """Each function its own actions, on the one workspace; what the gateway asks STS for only the gateway may cause."""
    may = {sid: allowed for sid, allowed in MAY[role].items() if sid != "ReadApiKey"}
    statements = template.statements(role, Auth="aws")
    assert granted(statements) == may | SIGNED.get(role, {})
    conditions = [each.get("Condition") for each in statements if each["Sid"] == "LetGatewayAsk"]
    called = {"StringEquals": {"aws:CalledViaLast": "aws-external-anthropic.amazonaws.com"}}
    assert conditions == [called] * (role in SIGNED)


@pytest.mark.parametrize(
    ("chosen", "is_taken"),
    [
        ({}, True),
        ({"BatchApi": "files"}, False),
        ({"BatchApi": "files", "ApiUrl": "https://files.test"}, True),
        ({"BatchApi": "files", "ApiUrl": "https://files.test", "Auth": "bearer"}, True),
        ({"BatchApi": "files", "ApiUrl": "https://files.test", "Auth": "aws", "WorkspaceId": "wrkspc_1"}, False),
        ({"Auth": "aws"}, False),
        ({"Auth": "aws", "WorkspaceId": "wrkspc_1"}, True),
    ],
)
def test_settings_that_make_no_sense_together_are_refused_at_deployment(
    chosen: dict[str, str], *, is_taken: bool
) -> None:
    """And not at the first drop."""
    rules = [rule for rule in template.template()["Rules"].values() if template.holds(rule["RuleCondition"], chosen)]
    asserted = [assertion["Assert"] for rule in rules for assertion in rule["Assertions"]]
    assert all(template.holds(each, chosen) for each in asserted) is is_taken


@pytest.mark.parametrize(
    ("chosen", "url"),
    [
        ({}, "https://api.anthropic.com"),
        ({"Auth": "aws"}, "https://aws-external-anthropic.${AWS::Region}.api.aws"),
        ({"Auth": "aws", "ApiUrl": "https://gateway.test"}, "ApiUrl"),
    ],
)
def test_an_address_that_is_not_given_is_the_providers_own(chosen: dict[str, str], url: str) -> None:
    """The gateway's lies in the stack's Region, as the workspace does."""
    variable = template.functions()["Submit"]["Environment"]["Variables"]["CONVEYOR_API_URL"]
    assert spelled(template.decided(variable, chosen)) == url


def test_every_role_is_in_the_table() -> None:
    """And each function has its own."""
    roles = template.resources("AWS::IAM::Role")
    assert roles.keys() == MAY.keys()
    assert {name: spelled(function["Role"]) for name, function in template.functions().items()} == {
        name: f"{name}Role.Arn" for name in FUNCTIONS
    }
    assert not any("ManagedPolicyArns" in role for role in roles.values())


def test_no_role_writes_where_uploads_start_runs_nor_deletes() -> None:
    """A write to inbox/ would be a loop that pays; a deleted ledger would let a drop be paid for again.

    And what stands under control/ must be a person's word.
    """
    for role in MAY:
        for statement in template.statements(role):
            for action in as_list(statement["Action"]):
                assert not re.match(r"s3:(Delete|\*|Put(?!Object$))", action)
                if action == "s3:PutObject":
                    places = [spelled(resource) for resource in as_list(statement["Resource"])]
                    assert all(
                        re.search(r"/(runs|claims/(batches|drops|attempts|waiting)|results|failures)/\*$", place)
                        for place in places
                    )


def test_a_role_lists_the_ledger_and_poll_what_people_say_and_submit_who_waits_and_nothing_else() -> None:
    """Names of other people's drops are none of a function's business."""
    listed = {
        (role, statement["Sid"]): statement["Condition"]
        for role in MAY
        for statement in template.statements(role)
        if "s3:ListBucket" in as_list(statement["Action"])
    }
    ledger = {(f"{name}Role", "ListLedger"): {"StringLike": {"s3:prefix": "runs/*"}} for name in FUNCTIONS}
    assert listed == ledger | {
        ("PollRole", "ListControl"): {"StringLike": {"s3:prefix": "control/*"}},
        ("SubmitRole", "ListWaiting"): {"StringLike": {"s3:prefix": "claims/waiting/*"}},
    }


def test_no_role_can_be_assumed_on_behalf_of_another_account() -> None:
    """The service must act for this account (confused deputy)."""
    for role in template.resources("AWS::IAM::Role").values():
        (statement,) = role["AssumeRolePolicyDocument"]["Statement"]
        assert statement["Condition"] == {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_states_its_limits_and_keeps_its_logs_for_a_time(name: str) -> None:
    """Memory is a choice, not a default, and logs go to a group of its own that forgets."""
    function = template.functions()[name]
    assert function["Runtime"] == "python3.13"
    assert function["Architectures"] == [{"Ref": "Architecture"}]
    assert function["MemorySize"] == (1769 if name in {"Submit", "Split"} else 512)
    assert function["Timeout"] == (120 if name == "Poll" else 900)
    assert function["LoggingConfig"]["LogFormat"] == "JSON"
    assert function["LoggingConfig"]["LogGroup"] == {"Ref": f"{name}Log"}
    assert template.resources("AWS::Logs::LogGroup")[f"{name}Log"]["RetentionInDays"] == {"Ref": "LogRetentionDays"}


def test_split_has_room_for_the_results_of_a_full_batch() -> None:
    """They wait on disk for their turn in input order; what would not fit is known before the disk is full."""
    assert template.functions()["Split"]["EphemeralStorage"] == {"Size": 10240}
    assert 9 * 10**9 < Environment.from_env(variables("Split")).spool_bytes < 10240 * 1024**2


def test_the_environment_holds_names_and_settings_only() -> None:
    """The API key is read at run time; the environment of a function is readable by many."""
    for function in template.functions().values():
        for name, value in function["Environment"]["Variables"].items():
            assert re.fullmatch(r"(CONVEYOR|POWERTOOLS)_[A-Z_]+", name)
            assert "{{resolve:" not in str(value)
            assert not re.search(r"(KEY|TOKEN|PASSWORD)$", name)


def variables(name: str) -> dict[str, str]:
    """Give the environment of a function as it would see it, all parameters at their defaults."""
    parameters = template.template()["Parameters"]
    given = template.functions()[name]["Environment"]["Variables"]
    every = {name: spelled(template.decided(value, {})) for name, value in given.items()}
    return {name: str(parameters[value]["Default"]) if value in parameters else value for name, value in every.items()}


def test_the_code_reads_every_variable_and_finds_every_setting() -> None:
    """A misspelt name on either side would be a setting without effect."""
    read = {*Settings.__struct_fields__, *Environment.__struct_fields__}
    for name in FUNCTIONS:
        given = variables(name)
        assert {variable for variable in given if variable.startswith("CONVEYOR_")} <= {
            f"CONVEYOR_{field.upper()}" for field in read
        }
        assert Environment.from_env(given).bucket == "Bucket"
    submit = variables("Submit")
    assert Settings.from_env(submit).settle_seconds == template.template()["Parameters"]["SettleSeconds"]["Default"]
    environments = [Environment.from_env(variables(name)) for name in FUNCTIONS]
    for field in Environment.__struct_fields__:
        assert any(getattr(environment, field) for environment in environments), field


def test_the_code_takes_every_number_the_template_takes() -> None:
    """What CloudFormation lets through must not fail at the first drop."""
    submit, parameters = variables("Submit"), template.template()["Parameters"]
    own = template.functions()["Submit"]["Environment"]["Variables"]
    for variable, value in own.items():
        for bound in ("MinValue", "MaxValue"):
            limits = parameters.get(spelled(template.decided(value, {})), {})
            if bound in limits:
                Settings.from_env(submit | {variable: str(limits[bound])})  # raises where it does not take it


def test_the_state_machine_calls_versions() -> None:
    """A run ends with the code it began with, whatever is deployed meanwhile."""
    machine = template.resources("AWS::Serverless::StateMachine")["Machine"]
    substitutions = {name: spelled(value) for name, value in machine["DefinitionSubstitutions"].items()}
    assert substitutions == {f"{name}Function": f"{name}.Version" for name in FUNCTIONS} | {"Topic": "Topic"}


def versions(expanded: Json) -> dict[str, Json]:
    """Give the function versions of an expanded template, by logical id."""
    every = expanded["Resources"].items()
    return {name: resource for name, resource in every if resource["Type"] == "AWS::Lambda::Version"}


def test_a_version_outlives_its_successor() -> None:
    """Running executions still call it, whether it went out of the template or was replaced in it."""
    found = versions(template.transformed())
    assert len(found) == len(FUNCTIONS)
    assert {(version["DeletionPolicy"], version["UpdateReplacePolicy"]) for version in found.values()} == {
        ("Retain", "Retain")
    }


def test_a_change_of_the_core_package_alone_publishes_new_versions() -> None:
    """The functions are a few lines; nearly every change is one of the layer."""
    before, after = (versions(template.transformed(layer)) for layer in ("s3://packages/1", "s3://packages/2"))
    assert not before.keys() & after.keys()


def test_a_changed_parameter_that_a_version_reads_publishes_a_new_version() -> None:
    """The transform does not see values, so the description must hold each, or a rotated secret would not be found.

    All others are settings, which only an upload reads; and uploads call the function itself, not a version of it.
    """
    parameters = template.template()["Parameters"].keys()
    settings = {f"CONVEYOR_{field.upper()}" for field in Settings.__struct_fields__}
    for name, function in template.resources("AWS::Serverless::Function").items():
        own = function["Environment"]["Variables"]
        read = {spelled(value) for variable, value in own.items() if variable not in settings}
        described = re.findall(r"\w+", spelled(function.get("VersionDescription", "")))
        assert parameters & read == parameters & set(described), name
    (target,) = template.resources("AWS::Events::Rule")["SubmitUpload"]["Targets"]
    assert spelled(target["Arn"]) == "Submit.Arn"
    assert template.resources("AWS::Lambda::EventInvokeConfig")["SubmitRetries"]["Qualifier"] == "$LATEST"


def test_the_template_is_clean_as_written() -> None:
    """No errors, no warnings."""
    assert template.lint(template.SOURCE.read_text()) == set()


def test_the_template_is_clean_as_deployed() -> None:
    """Circles and bad references show only after the transform.

    W3011 wants a DeletionPolicy beside each UpdateReplacePolicy; template.yaml says why the functions have only the
    latter, which the transform copies to what it makes of them.
    """
    assert [found for found in template.lint(template.transformed()) if not found.startswith("W3011")] == []
