"""Each part of the template: parameters, bucket, layer, and the ways a failure reaches a person."""

import re
import tomllib

import pytest

from conveyor import __version__
from conveyor.provider.protocol import DIALECTS
from conveyor.report.content import ENDED
from conveyor.settings.betas import BETAS_FORM, normalized_betas
from tests.support import template
from tests.support.template import Json, as_list, spelled

DAY = 24 * 60 * 60
LAYER = template.PROJECT / "layers/conveyor"
PARAMETERS: Json = template.template()["Parameters"]


@pytest.mark.parametrize("name", sorted(PARAMETERS))
def test_a_parameter_has_a_description_bounds_and_a_default_within(name: str) -> None:
    """People who deploy may read nothing else."""
    parameter = PARAMETERS[name]
    default = parameter["Default"]
    assert re.fullmatch(r"[A-Z].*\.", parameter["Description"])
    if "AllowedValues" in parameter:
        assert default in parameter["AllowedValues"]
    elif parameter["Type"] == "Number":
        assert parameter["MinValue"] <= default <= parameter["MaxValue"]
    else:
        assert re.fullmatch(parameter["AllowedPattern"], default)
        assert parameter.get("MinLength", 0) <= len(default) <= parameter["MaxLength"]


def test_the_dialects_that_can_be_deployed_are_those_that_exist() -> None:
    """A dialect is registered in one place; the parameter offers these."""
    assert PARAMETERS["BatchApi"]["AllowedValues"] == list(DIALECTS)


def test_every_parameter_is_in_one_group_of_the_form() -> None:
    """The console shows parameters by group; one without a group would be last, unexplained."""
    groups = template.template()["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"]
    assert sorted(name for group in groups for name in group["Parameters"]) == sorted(PARAMETERS)


@pytest.mark.parametrize(
    ("url", "taken"),
    [
        ("https://api.anthropic.com", True),
        ("https://gateway.example:8443/anthropic", True),
        ("http://127.0.0.1:8080", True),
        ("http://localhost:1", True),
        ("http://[::1]:8080/v1", True),
        ("http://api.anthropic.com", False),
        ("http://localhost.example", False),
        ("http://127.0.0.1.example", False),
        ("http://127.0.0.1@example.com", False),
        ("https://user:word@example.com", False),
        ("https://example.com?to=elsewhere", False),
        ("ftp://example.com", False),
        ("", True),
    ],
)
def test_the_api_key_never_travels_in_the_clear(url: str, *, taken: bool) -> None:
    """Plain http is for the local machine only, and an address has no user, query or fragment."""
    assert bool(re.fullmatch(PARAMETERS["ApiUrl"]["AllowedPattern"], url)) is taken


@pytest.mark.parametrize(
    ("betas", "taken"),
    [
        ("output-300k-2026-03-24", True),
        (" output-300k-2026-03-24 , mcp-client-2025-11-20 ", True),
        (",".join(f"a-{number}" for number in range(20)), True),
        (",".join(f"a-{number}" for number in range(21)), False),
        ("Output-300k", False),
        ("a b", False),
        ("a,,b", False),
        ("a,", False),
        ("a\nb", False),
        (",", False),
    ],
)
def test_betas_are_names_with_commas_between(betas: str, *, taken: bool) -> None:
    """Template and code accept the same: a wrong list is refused at deployment."""
    assert bool(re.fullmatch(PARAMETERS["Betas"]["AllowedPattern"], betas)) is taken
    assert bool(re.match(BETAS_FORM, normalized_betas(betas))) is taken


@pytest.mark.parametrize(
    ("name", "taken"),
    [
        ("", True),
        ("conveyor-bucket-1a2b3c", True),
        ("a1b", True),
        ("ab", False),
        ("Conveyor", False),
        ("a.b.c", False),
        ("-abc", False),
        ("abc-", False),
        ("s3://abc", False),
        ("a" * 63, True),
        ("a" * 64, False),
    ],
)
def test_a_bucket_has_a_name_that_s3_takes(name: str, *, taken: bool) -> None:
    """Without dots, with which a certificate of S3 does not fit."""
    assert bool(re.fullmatch(PARAMETERS["BucketName"]["AllowedPattern"], name)) is taken


def test_an_output_says_what_to_do_with_it() -> None:
    """Deployed tests, the demo and people find everything by the outputs only."""
    outputs = template.template()["Outputs"]
    assert sorted(outputs) == [
        "AdministratorPolicyArn",
        "AnalystPolicyArn",
        "ApproverPolicyArn",
        "BucketName",
        "DashboardUrl",
        "DoctorPolicyArn",
        "DropCommand",
        "DropperPolicyArn",
        "FailedRunDeadLetterQueueUrl",
        "Release",
        "StateMachineArn",
        "SubmitFailureQueueUrl",
        "TopicArn",
        "UploadDeadLetterQueueUrl",
        "Warning",
    ]
    assert all(output["Description"].endswith(".") for output in outputs.values())
    assert outputs["Release"]["Value"] == __version__


def test_the_bucket_keeps_versions_and_is_private() -> None:
    """Drops are read by version, public access is blocked, and deleting the stack deletes no results."""
    bucket = template.template()["Resources"]["Bucket"]["Properties"]
    assert template.decided(bucket["BucketName"], {}) == {"Ref": "AWS::NoValue"}
    assert template.decided(bucket["BucketName"], {"BucketName": "kept-1"}) == {"Ref": "BucketName"}
    assert bucket["VersioningConfiguration"] == {"Status": "Enabled"}
    assert bucket["NotificationConfiguration"] == {"EventBridgeConfiguration": {"EventBridgeEnabled": True}}
    assert bucket["OwnershipControls"] == {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}
    assert list(bucket["PublicAccessBlockConfiguration"].values()) == [True] * 4


@pytest.mark.parametrize("name", ["Bucket", "BucketPolicy"])
def test_a_deleted_stack_keeps_the_bucket_with_its_policy_and_a_failed_first_deployment_keeps_neither(
    name: str,
) -> None:
    """A bucket that stays without its policy no longer requires TLS; each failed deployment would leave one more."""
    resource = template.template()["Resources"][name]
    assert (resource["DeletionPolicy"], resource["UpdateReplacePolicy"]) == ("RetainExceptOnCreate", "Retain")


def test_the_bucket_requires_tls() -> None:
    """The policy denies everything else to everyone."""
    (statement,) = template.resources("AWS::S3::BucketPolicy")["BucketPolicy"]["PolicyDocument"]["Statement"]
    assert (statement["Effect"], statement["Principal"], statement["Action"]) == ("Deny", "*", "s3:*")
    assert statement["Resource"] == [{"Fn::GetAtt": ["Bucket", "Arn"]}, {"Fn::Sub": "${Bucket.Arn}/*"}]
    assert statement["Condition"] == {"Bool": {"aws:SecureTransport": False}}


def test_nothing_is_removed_while_a_run_may_need_it() -> None:
    """Old drops outlive a run and its redrive; the ledger outlives both; results are never removed."""
    rules = template.resources("AWS::S3::Bucket")["Bucket"]["LifecycleConfiguration"]["Rules"]
    run = template.definition()["TimeoutSeconds"]
    removed = {
        rule["Prefix"]: rule["ExpirationInDays"]
        for rule in rules
        if "ExpirationInDays" in rule and "TagFilters" not in rule
    }
    ours = {"runs/": 400, "claims/": 400, "control/": 400, "content/": 400, "index/": 400}
    assert removed == ours | {"queries/": 7}
    (old,) = [rule for rule in rules if "NoncurrentVersionExpiration" in rule and "Prefix" not in rule]
    assert old["NoncurrentVersionExpiration"]["NoncurrentDays"] * DAY > run + 14 * DAY + run


def test_content_is_removed_early_only_with_the_tag_that_report_sets_at_the_end() -> None:
    """A run may last for months: an age alone could remove parts that are paid for and not yet joined."""
    rules = template.resources("AWS::S3::Bucket")["Bucket"]["LifecycleConfiguration"]["Rules"]
    tagged, others = [[rule for rule in rules if ("TagFilters" in rule) is has_tag] for has_tag in (True, False)]
    assert [(rule["Prefix"], rule["ExpirationInDays"]) for rule in tagged] == [
        (prefix, {"Ref": "ContentDays"}) for prefix in ("content/", "results/")
    ]
    for rule in tagged:
        assert rule["TagFilters"] == [{"Key": name, "Value": value} for name, value in ENDED.items()]
    (lost,) = [rule for rule in others if rule.get("Prefix") == "content/" and "ExpirationInDays" in rule]
    assert lost["ExpirationInDays"] >= PARAMETERS["ContentDays"]["MaxValue"]
    assert lost["NoncurrentVersionExpiration"] == {"NoncurrentDays": 1}, "removed text is not kept as an old version"


def test_an_upload_has_a_week_to_finish_and_a_function_a_day() -> None:
    """A large drop over a slow line takes days; a function writes for 15 minutes, under these prefixes only."""
    rules = template.resources("AWS::S3::Bucket")["Bucket"]["LifecycleConfiguration"]["Rules"]
    aborted = {
        rule["Prefix"]: rule["AbortIncompleteMultipartUpload"]["DaysAfterInitiation"]
        for rule in rules
        if "AbortIncompleteMultipartUpload" in rule
    }
    assert aborted == {"inbox/": 7, "runs/": 1, "content/": 1, "results/": 1, "failures/": 1}
    written_in_parts = {
        spelled(resource).removeprefix("${Bucket.Arn}/").partition("*")[0]
        for role in template.resources("AWS::IAM::Role")
        for statement in template.statements(role)
        if "s3:AbortMultipartUpload" in as_list(statement["Action"])
        for resource in as_list(statement["Resource"])
    }
    assert written_in_parts == aborted.keys() - {"inbox/"}


def test_uploads_under_inbox_and_nothing_else_start_runs() -> None:
    """Any suffix, so a wrong one is reported; no other prefix, so our own writes start nothing."""
    rule = template.transformed()["Resources"]["SubmitUpload"]["Properties"]
    detail = {"bucket": {"name": [{"Ref": "Bucket"}]}, "object": {"key": [{"prefix": "inbox/"}]}}
    assert rule["EventPattern"] == {"source": ["aws.s3"], "detail-type": ["Object Created"], "detail": detail}


def test_an_upload_that_cannot_be_handled_waits_in_a_queue() -> None:
    """An upload that is undeliverable for a day, or fails three times, is never lost silently."""
    expanded = template.transformed()["Resources"]
    (target,) = expanded["SubmitUpload"]["Properties"]["Targets"]
    assert target["DeadLetterConfig"] == {"Arn": {"Fn::GetAtt": ["UploadDeadLetterQueue", "Arn"]}}
    assert target["RetryPolicy"] == {"MaximumEventAgeInSeconds": DAY, "MaximumRetryAttempts": 185}
    assert [each for each in expanded.values() if each["Type"] == "AWS::Lambda::EventInvokeConfig"] == [
        expanded["SubmitRetries"]
    ]
    invoked = expanded["SubmitRetries"]["Properties"]
    assert (invoked["FunctionName"], invoked["Qualifier"]) == ({"Ref": "Submit"}, "$LATEST")
    failure = {"Destination": {"Fn::GetAtt": ["SubmitFailureQueue", "Arn"]}}
    assert (invoked["MaximumRetryAttempts"], invoked["DestinationConfig"]["OnFailure"]) == (2, failure)


def test_each_function_publishes_metrics_under_the_name_of_its_stack() -> None:
    """Otherwise one stack in an account would set off the alarm of another."""
    for name, function in template.functions().items():
        service = function["Environment"]["Variables"]["POWERTOOLS_SERVICE_NAME"]
        assert service == {"Ref": "AWS::StackName"}, name


def test_a_red_run_is_one_message_with_the_command_to_type() -> None:
    """The rule starts a machine that adds a subject, with its own role and without a function."""
    rule = template.resources("AWS::Events::Rule")["RedRunRule"]
    detail = {"status": ["FAILED", "TIMED_OUT", "ABORTED"], "stateMachineArn": [{"Ref": "Machine"}]}
    assert rule["EventPattern"]["detail"] == detail
    (target,) = rule["Targets"]
    assert target["DeadLetterConfig"] == {"Arn": {"Fn::GetAtt": ["FailedRunDeadLetterQueue", "Arn"]}}
    assert spelled(target["Arn"]) == "RedMachine"
    assert spelled(target["RoleArn"]) == "RedRuleRole.Arn"
    assert "InputTransformer" not in target, "the machine gets the unchanged event"


def test_one_parameter_chooses_the_processor_of_functions_and_layer() -> None:
    """A layer for the other processor deploys, but fails at the first import."""
    layer = template.template()["Resources"]["Layer"]
    architectures = PARAMETERS["Architecture"]["AllowedValues"]
    assert layer["Metadata"]["BuildArchitecture"] == {"Ref": "Architecture"}
    assert layer["Metadata"]["ContextPath"] == {"Fn::Sub": "layers/conveyor/${Architecture}"}
    for architecture in architectures:
        makefile = (LAYER / architecture / "Makefile").read_text()
        assert f"ARCHITECTURE := {architecture}\n" in makefile
    wheels = re.findall(r"^platform\.(\w+) :=", (LAYER / "layer.mk").read_text(), re.MULTILINE)
    assert sorted(wheels) == sorted(architectures)


def test_the_docs_say_how_long_the_name_of_a_stack_may_be() -> None:
    """Rules of a template know no lengths; a longer name is refused halfway, by Step Functions."""
    machines = template.resources("AWS::Serverless::StateMachine").values()
    suffixes = [spelled(machine["Name"]).removeprefix("${AWS::StackName}") for machine in machines]
    most = 80 - max(map(len, suffixes))
    assert f"may have {most} characters at most" in (template.PROJECT / "docs/operate.md").read_text()


def test_the_layer_has_the_name_of_its_stack() -> None:
    """Otherwise all stacks of an account share one layer, and no deployment policy can restrict its name."""
    expanded = template.transformed()["Resources"].values()
    (layer,) = [each["Properties"] for each in expanded if each["Type"] == "AWS::Lambda::LayerVersion"]
    assert layer["LayerName"] == {"Fn::Sub": "${AWS::StackName}"}


def test_the_settings_of_sam_fit_the_template() -> None:
    """A misspelled parameter there is refused only at deployment."""
    settings = tomllib.loads((template.PROJECT / "samconfig.toml").read_text())["default"]
    given = dict(pair.split("=") for pair in settings["global"]["parameters"]["parameter_overrides"])
    assert given == {"Architecture": PARAMETERS["Architecture"]["Default"]}
    assert settings["deploy"]["parameters"]["capabilities"] == "CAPABILITY_IAM"
