"""Reads the functions, the state machines, the logs, the quota, the secret, and asks the provider."""

import json
from typing import Any

from conveyor_cli.aws.errors import answer
from conveyor_cli.doctor.checks import functions, provider
from conveyor_cli.doctor.finding import Finding, ok
from conveyor_cli.doctor.reading.desk import Desk

type Json = dict[str, Any]

_GONE = "ResourceNotFoundException"
_FUNCTIONS = ("Submit", "Poll", "Split", "Report")
_MACHINE = "Machine"


def the_functions(desk: Desk) -> Finding:
    """Read each function, and the version of it that the state machine calls."""
    called = functions.called_versions(_machine(desk, _MACHINE).get("definition", ""))
    found = {name: _function(desk, desk.id(name), called.get(desk.id(name))) for name in _FUNCTIONS}
    return functions.functions(desk.region, found, called)


def machines(desk: Desk) -> Finding:
    """Read the state machines."""
    kinds = desk.template.ids("AWS::StepFunctions::StateMachine")
    return functions.machines({name: _machine(desk, name) for name in kinds})


def log_groups(desk: Desk) -> Finding:
    """Read which log groups there are, and how long they keep lines."""
    logs, expected, found = desk.client("logs"), dict[str, int | None](), dict[str, int | None]()
    for logical, name in desk.template.ids("AWS::Logs::LogGroup").items():
        days = desk.template.properties(logical).get("RetentionInDays")
        expected[name] = int(days) if days else None
        listed = logs.describe_log_groups(logGroupNamePrefix=name)["logGroups"]
        found |= {each["logGroupName"]: each.get("retentionInDays") for each in listed if each["logGroupName"] == name}
    return functions.log_groups(desk.region, expected, found)


def quotas(desk: Desk) -> Finding:
    """Read how many functions may run at once."""
    return functions.quotas(desk.region, desk.client("lambda").get_account_settings()["AccountLimit"])


def secret(desk: Desk) -> Finding:
    """Look whether the secret exists. It is not read."""
    name = _secret(desk)
    if not name:
        return ok("not used: calls are signed with the roles of the functions")
    found = answer(lambda: desk.client("secretsmanager").describe_secret(SecretId=name), _GONE)
    return provider.secret(desk.region, name, found)


def the_provider(desk: Desk) -> Finding:
    """Let `submit` make a free call. The key is read by that function only."""
    function = desk.id("Submit")
    found = desk.client("lambda").invoke(FunctionName=function, Payload=json.dumps({"check": "provider"}))
    said: Json = json.loads(found["Payload"].read())
    if found.get("FunctionError"):
        return provider.failed_call(desk.region, desk.id("SubmitLog"), str(said.get("errorType", "it was ended")))
    return provider.provider(desk.region, _secret(desk), function, said)


def _secret(desk: Desk) -> str:
    of = desk.profile.parameters
    return "" if of.get("Auth") == "aws" else of.get("ApiKeySecretName", "")


def _machine(desk: Desk, name: str) -> Json:
    states = desk.client("stepfunctions")
    return answer(lambda: states.describe_state_machine(stateMachineArn=desk.id(name)), "StateMachineDoesNotExist")


def _function(desk: Desk, name: str, version: str | None) -> functions.Function:
    lambdas, of = desk.client("lambda"), {"FunctionName": name}
    configuration = answer(lambda: lambdas.get_function_configuration(**of), _GONE)
    if not configuration:
        return functions.Function(name, {})
    there = version and answer(lambda: lambdas.get_function_configuration(**of, Qualifier=version), _GONE)
    reserved = lambdas.get_function_concurrency(**of).get("ReservedConcurrentExecutions")
    return functions.Function(name, configuration, frozenset([version] if version and there else []), reserved)
