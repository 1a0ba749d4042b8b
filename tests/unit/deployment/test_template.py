"""The template matches the docs: durability, limits, settings and notifications."""

import re

import pytest
from msgspec.inspect import IntType, LiteralType, Metadata, StrType, type_info
from msgspec.structs import fields

from conveyor import __version__
from conveyor.provider.messages.api import MessageBatches
from conveyor.settings.settings import FIELDS, PER_DROP, Environment, Settings, parameter_of
from conveyor.settings.tuning import TUNING
from conveyor.validation.planner import Limits
from tests.support import template
from tests.support.settings import PREFIX, environment, written_environment
from tests.support.template import FUNCTIONS, Json, spelled


@pytest.mark.parametrize(
    ("chosen", "is_taken"),
    [
        ({}, True),
        ({"BatchApi": "files"}, False),
        ({"BatchApi": "files", "ApiUrl": "https://files.test"}, True),
        ({"BatchApi": "files", "ApiUrl": "https://files.test", "Auth": "bearer"}, True),
        ({"BatchApi": "files", "ApiUrl": "https://files.test", "Auth": "aws", "WorkspaceId": "wrkspc_1"}, False),
        ({"BatchApi": "files", "ApiUrl": "https://files.test", "Betas": "a-1"}, False),
        ({"BatchApi": "files-openai"}, False),
        ({"BatchApi": "files-openai", "ApiUrl": "https://files.test"}, True),
        ({"BatchApi": "files-openai", "ApiUrl": "https://files.test", "Betas": "a-1"}, False),
        ({"Betas": "a-1"}, True),
        ({"Auth": "aws"}, False),
        ({"Auth": "aws", "WorkspaceId": "wrkspc_1"}, True),
    ],
)
def test_settings_that_make_no_sense_together_are_refused_at_deployment(
    chosen: dict[str, str], *, is_taken: bool
) -> None:
    """They must not fail only at the first drop."""
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
    """The gateway is in the stack's Region, like the workspace."""
    variable = template.functions()["Submit"]["Environment"]["Variables"]["CONVEYOR_API_URL"]
    assert spelled(template.decided(variable, chosen)) == url


def test_a_stack_without_a_subscriber_warns() -> None:
    """Its outputs are shown after each deployment. Nobody else would say that a run waits."""
    output = template.template()["Outputs"]["Warning"]
    condition = template.template()["Conditions"][output["Condition"]]
    assert template.holds(condition, {})
    assert not template.holds(condition, {"NotificationEmail": "team@example.com"})
    assert "nobody is told when a run waits for an approval" in output["Value"]


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_states_its_limits_and_keeps_its_logs_for_a_time(name: str) -> None:
    """Memory is set explicitly, and each function has its own log group with a retention."""
    function = template.functions()[name]
    assert function["Runtime"] == "python3.13"
    assert function["Architectures"] == [{"Ref": "Architecture"}]
    assert function["MemorySize"] == (1769 if name in {"Submit", "Split"} else 512)
    assert function["Timeout"] == (120 if name == "Poll" else 900)
    assert function["LoggingConfig"]["LogFormat"] == "JSON"
    assert function["LoggingConfig"]["LogGroup"] == {"Ref": f"{name}Log"}
    assert template.resources("AWS::Logs::LogGroup")[f"{name}Log"]["RetentionInDays"] == {"Ref": "LogRetentionDays"}


@pytest.mark.parametrize("name", ["Machine", "RedMachine"])
def test_a_state_machine_logs_its_failures_for_a_time_and_no_data(name: str) -> None:
    """The data of an execution names drops and has the texts of messages. AWS keeps a history for 90 days only."""
    machines = template.resources("AWS::Serverless::StateMachine")
    assert machines.keys() == {"Machine", "RedMachine"}
    logging = machines[name]["Logging"]
    assert (logging["Level"], logging["IncludeExecutionData"]) == ("ERROR", False)
    (destination,) = logging["Destinations"]
    assert spelled(destination["CloudWatchLogsLogGroup"]["LogGroupArn"]) == f"{name}Log.Arn"
    group = template.resources("AWS::Logs::LogGroup")[f"{name}Log"]
    assert group["RetentionInDays"] == {"Ref": "LogRetentionDays"}
    suffix = spelled(machines[name]["Name"]).removeprefix("${AWS::StackName}")
    assert spelled(group["LogGroupName"]) == f"/aws/vendedlogs/states/${{AWS::StackName}}{suffix}"


@pytest.mark.parametrize(("chosen", "is_on"), [({}, False), ({"Tracing": "yes"}, True)])
def test_state_machines_are_traced_if_the_stack_says_so(chosen: dict[str, str], *, is_on: bool) -> None:
    """A company may require it; others do not pay for it."""
    for machine in template.resources("AWS::Serverless::StateMachine").values():
        assert template.decided(machine["Tracing"]["Enabled"], chosen) is is_on


def test_split_has_room_for_the_results_of_a_full_batch() -> None:
    """Results are stored on disk to be put into input order; results that do not fit are known before it is full."""
    assert template.functions()["Split"]["EphemeralStorage"] == {"Size": 10240}
    assert 9 * 10**9 < Environment.from_env(environment("Split")).spool_bytes < 10240 * 1024**2


def test_the_environment_holds_names_and_settings_only() -> None:
    """The API key is read at run time, since many people can read a function's environment."""
    for function in template.functions().values():
        for name, value in function["Environment"]["Variables"].items():
            assert re.fullmatch(r"(CONVEYOR|POWERTOOLS)_[A-Z_]+", name)
            assert "{{resolve:" not in str(value)
            assert not re.search(r"(KEY|TOKEN|PASSWORD)$", name)


def test_the_code_reads_every_variable_and_finds_every_setting() -> None:
    """A misspelled name on either side would be a setting without effect."""
    read = {*FIELDS, *Environment.__struct_fields__, "tuning"} - TUNING.keys()
    for name in FUNCTIONS:
        given = environment(name)
        assert {variable for variable in given if variable.startswith("CONVEYOR_")} <= {
            f"CONVEYOR_{field.upper()}" for field in read
        }
        assert Environment.from_env(given).bucket == "Bucket"
    submit = environment("Submit")
    assert Settings.from_env(submit).hold_hours == template.template()["Parameters"]["HoldHours"]["Default"]
    environments = [Environment.from_env(environment(name)) for name in FUNCTIONS]
    for field in Environment.__struct_fields__:
        assert any(getattr(environment, field) for environment in environments), field


def test_every_setting_is_a_parameter_of_the_same_name() -> None:
    """A field that the template does not pass on could never be set."""
    chosen = {"ApiUrl": "https://provider.test"}
    written = written_environment("Submit").items()
    given = {name: spelled(template.decided(value, chosen)) for name, value in written}
    for field in ["tuning", *(field for field in FIELDS if field not in TUNING)]:
        variable, parameter = f"{PREFIX}{field.upper()}", field.title().replace("_", "")
        assert parameter in template.template()["Parameters"]
        assert given[variable] == parameter


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_is_given_what_is_written_for_it(name: str) -> None:
    """The settings in all tests are read from the template."""
    assert template.functions()[name]["Environment"]["Variables"] == written_environment(name)


def test_the_code_takes_every_value_that_the_template_takes() -> None:
    """A value that CloudFormation accepts must not fail at the first drop."""
    submit, parameters = environment("Submit"), template.template()["Parameters"]
    for variable, value in written_environment("Submit").items():
        parameter = parameters.get(spelled(template.decided(value, {})), {})
        bounds = [parameter[bound] for bound in ("MinValue", "MaxValue") if bound in parameter]
        for taken in (*bounds, *parameter.get("AllowedValues", ())):
            Settings.from_env(submit | {variable: str(taken)})  # raises if it does not accept it


@pytest.mark.parametrize("field", PER_DROP.values())
def test_a_drop_can_set_what_the_stack_can(field: str) -> None:
    """CloudFormation checks the parameter and the code checks the metadata, with the same bounds."""
    parameter: Json
    if known := TUNING.get(field):
        parameter = {"MinValue": known.least, "MaxValue": known.most}
    else:
        parameter = template.template()["Parameters"][parameter_of(field)]
    (accepted,) = (type_info(each.type) for each in fields(Settings) if each.name == field)
    match accepted:
        case LiteralType(values):
            assert set(values) == set(parameter["AllowedValues"])
        case IntType(ge=least, le=most):
            assert (least, most) == (parameter["MinValue"], parameter["MaxValue"])
        case Metadata(type=StrType(max_length=longest)):
            assert longest == parameter["MaxLength"]
        case _:
            pytest.fail(f"no test compares {accepted}")


def test_a_full_batch_of_lines_without_max_tokens_is_one_batch() -> None:
    """The default leaves room for thinking, yet fills a batch: above 15,000 the token limit would split it."""
    own = Settings.from_env(environment("Submit"))
    assert own.default_max_tokens == 15_000
    assert Limits.of(own, MessageBatches.dialect).requests * own.default_max_tokens <= own.max_tokens_per_batch


def test_the_state_machine_calls_versions() -> None:
    """A run ends with the code it began with, even if another version is deployed meanwhile."""
    machine = template.resources("AWS::Serverless::StateMachine")["Machine"]
    substitutions = {name: spelled(value) for name, value in machine["DefinitionSubstitutions"].items()}
    versions_called = {f"{name}Function": f"{name}.Version" for name in FUNCTIONS}
    assert substitutions == versions_called | {"Topic": "Topic", "Partition": "AWS::Partition"}


def versions(expanded: Json) -> dict[str, Json]:
    """Return the function versions of an expanded template, by logical id."""
    every = expanded["Resources"].items()
    return {name: resource for name, resource in every if resource["Type"] == "AWS::Lambda::Version"}


def test_a_version_outlives_its_successor() -> None:
    """Running executions still call it, whether it was removed from the template or replaced in it."""
    found = versions(template.transformed())
    assert len(found) == len(FUNCTIONS)
    assert {(version["DeletionPolicy"], version["UpdateReplacePolicy"]) for version in found.values()} == {
        ("Retain", "Retain")
    }


def test_a_change_of_the_core_package_alone_publishes_new_versions() -> None:
    """The functions are a few lines; nearly every change is in the layer."""
    before, after = (versions(template.transformed(layer)) for layer in ("s3://packages/1", "s3://packages/2"))
    assert not before.keys() & after.keys()


def test_a_changed_parameter_that_a_version_reads_publishes_a_new_version() -> None:
    """The transform does not see values, so the description must hold each, or a rotated secret would not be found.

    All others are settings, which only an upload reads; and uploads call the function itself, not a version of it.
    """
    parameters = template.template()["Parameters"].keys()
    settings = {f"CONVEYOR_{field.upper()}" for field in (*FIELDS, "tuning")}
    for name, function in template.resources("AWS::Serverless::Function").items():
        own = function.get("Environment", {"Variables": {}})["Variables"]
        read = {spelled(value) for variable, value in own.items() if variable not in settings}
        described = re.findall(r"\w+", spelled(function.get("VersionDescription", "")))
        assert parameters & read == parameters & set(described), name
    (target,) = template.resources("AWS::Events::Rule")["SubmitUpload"]["Targets"]
    assert spelled(target["Arn"]) == "Submit.Arn"
    assert template.resources("AWS::Lambda::EventInvokeConfig")["SubmitRetries"]["Qualifier"] == "$LATEST"


def test_a_version_of_a_function_names_its_release() -> None:
    """In the console it is then seen which code a run calls; the number is that of the core."""
    described = {
        name: spelled(each["Properties"]["Description"]) for name, each in versions(template.transformed()).items()
    }
    assert len(described) == len(FUNCTIONS)
    assert {text.partition(" ")[0] for text in described.values()} == {__version__}


@pytest.mark.slow
def test_the_template_is_clean_as_deployed() -> None:
    """Circles and bad references show only after the transform.

    W3011 wants a DeletionPolicy beside each UpdateReplacePolicy; template.yaml says why the functions have only the
    latter, which the transform copies to what it makes of them.
    """
    assert [found for found in template.lint(template.transformed()) if not found.startswith("W3011")] == []
