"""`conveyor doctor` on a deployed stack: that all is well, and what it says of what is broken.

Most things are broken at once, since each is in a check of its own. What the command says to type is typed, and then
all is well again.
"""

from __future__ import annotations

import json
from functools import cache, partial
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from local.process import interruptible
from local.stack.deployment import STACK_NAME
from local.stack.local_aws import REGION
from local.stack.start import PLACEHOLDER_KEY, SECRET_NAME, local_stack
from tests.support.command import Command
from tests.support.people import credentials, role_with
from tests.support.settings import tuned
from tests.support.shell.aws import Interpreter
from tests.support.shell.terminal import interpreted
from tests.support.system.operator import Operator, Redriving
from tests.support.system.remedies import OTHER_KEY
from tests.support.system.runs import SHORT_TIMES

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from local.stack.stack import Stack

OK, FAILED, UNSEEN, UNASKED = "ok", "failed", "not-allowed", "not-asked"
BROKEN = f"{STACK_NAME}-ReportErrorsAlarm"
SECONDS, LONG = 60.0, 180.0


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    """Deploy a stack of its own: others have failed executions and alarms that are on."""
    settings = {"seconds": 0.5}
    running = local_stack(wait_scale=0.005, provider_settings=settings, parameters=tuned(SHORT_TIMES))
    with interruptible(), running as stack:
        yield stack


@pytest.fixture(autouse=True)
def fresh_provider(stack: Stack) -> Iterator[None]:
    """Restore the provider's settings."""
    yield
    stack.provider_settings({"seconds": 0.5, "faults": [], "api_key": None})


@pytest.fixture
def operator(stack: Stack, tmp_path: Path) -> Iterator[Operator]:
    """Return an operator at a terminal, who may do everything, with a key that the provider takes."""

    @cache
    def client(service: str) -> Any:
        made = stack.aws.client(service)
        return Redriving(made) if service == "stepfunctions" else made

    env = {**stack.aws.env, "API_KEY": PLACEHOLDER_KEY, "CONVEYOR_STACK": STACK_NAME, "HOME": str(tmp_path)}
    with interpreted(tmp_path / "home", Interpreter(client), env) as terminal:
        yield Operator(stack, terminal, values={"address": "conveyor-mails@sqs.local"})


def desk(stack: Stack, home: Path, policy: str = "DoctorPolicy", also: str = "") -> Command:
    """Return the command of somebody who has one policy of the stack, or two, and no other permission."""
    more = stack.outputs[f"{also}Arn"] if also else ""
    given = credentials(stack.aws, stack.outputs[f"{policy}Arn"], {"project": "team-a"}, also=more)
    return Command(home, {**stack.aws.env, **given, "CONVEYOR_STACK": STACK_NAME, "AWS_REGION": REGION})


class Examined:
    """What the command says of a stack."""

    def __init__(self, command: Command, *options: str) -> None:
        """Type it."""
        ran = command.call("doctor", "--json", *options)
        assert ran.out, ran.error
        self.exit, said = ran.exit, json.loads(ran.out)
        self.checks = {each["name"]: each for each in said["checks"]}

    def of(self, state: str) -> set[str]:
        """Return which checks ended so."""
        return {name for name, each in self.checks.items() if each["state"] == state}

    def said(self, name: str) -> str:
        """Return what is said of a check."""
        return str(self.checks[name]["message"])

    def commands(self, *without: str) -> list[str]:
        """Return all commands to type but those of some checks."""
        return [word for name, each in self.checks.items() if name not in without for word in each["commands"]]


def test_an_administrator_who_checks_is_told_that_all_is_well_and_a_drop_comes_back(
    stack: Stack, tmp_path: Path
) -> None:
    """Nothing is left of the test upload; an alarm sent its message."""
    examined = Examined(desk(stack, tmp_path, also="AdministratorPolicy"), "--drop", "--alarm", "--yes")
    assert examined.of(OK) == examined.checks.keys(), examined.checks
    assert examined.exit == 0
    assert "3 lines came back" in examined.said("end-to-end drop")
    markers = stack.s3.list_object_versions(Bucket=stack.bucket, Prefix="inbox/doctor-")["Versions"]
    assert [each["Key"].endswith(".jsonl") for each in markers] == [True]
    assert any("Tried by conveyor doctor" in message.text for message in stack.messages())


def test_without_drop_and_alarm_it_pays_for_nothing_and_sends_nothing(stack: Stack, tmp_path: Path) -> None:
    """A plain line for each check, and the exit code of all is well. `DoctorPolicy` suffices.

    A long wait is announced.
    """
    before = stack.provider_stats()["calls"].get("create", 0)
    ran = desk(stack, tmp_path).call("doctor", "--wait", "10")
    assert ran.exit == 0, ran.out
    assert "waiting up to 10 minutes for a test upload" in ran.error
    assert "✓ delivery         a test upload arrived in" in ran.out
    assert "\N{EN DASH} end-to-end drop  not tried; add --drop (3 lines, less than $0.01)" in ran.out
    assert ran.out.endswith(f"✓ {STACK_NAME}: all is well\n")
    assert stack.provider_stats()["calls"].get("create", 0) == before


def test_a_dropper_is_told_what_they_may_not_look_at(stack: Stack, tmp_path: Path) -> None:
    """That is no success: nobody has looked."""
    examined = Examined(desk(stack, tmp_path, "DropperPolicy"), "--wait", "0.1")
    assert examined.exit == 8
    assert examined.of(FAILED) == set()
    assert {"credentials", "stack", "parameters"} <= examined.of(OK)
    assert "you may not s3:GetEncryptionConfiguration" in examined.said("bucket")
    assert {"bucket", "roles", "delivery", "alarms", "provider", "failed runs"} <= examined.of(UNSEEN)


def test_who_checks_may_ask_submit_and_call_no_version_and_no_other_function(stack: Stack) -> None:
    """Executions call versions. The answer has no secret."""
    with role_with(stack.aws, stack.outputs["DoctorPolicyArn"]) as clients:
        invoke = clients("lambda").invoke
        submit, payload = stack.functions["submit"], json.dumps({"check": "provider"})
        answer = invoke(FunctionName=submit, Payload=payload)
        assert json.loads(answer["Payload"].read()) == {"provider": "accepted", "status": 200, "cause": None}
        for name in ("poll", "split", "report"):
            with pytest.raises(ClientError, match="AccessDenied"):
                invoke(FunctionName=stack.functions[name], Payload=payload)
        with pytest.raises(ClientError, match="AccessDenied"):
            invoke(FunctionName=submit, Qualifier="1", Payload=payload)
        with pytest.raises(ClientError, match="AccessDenied"):
            clients("s3").put_object(Bucket=stack.bucket, Key="inbox/doctor-x.jsonl", Body=b"{}")
        with pytest.raises(ClientError, match="AccessDenied"):
            clients("secretsmanager").get_secret_value(SecretId=SECRET_NAME)


def test_it_finds_what_is_broken_and_what_it_says_mends_it(operator: Operator, tmp_path: Path) -> None:
    """Each in a check of its own; the commands are typed as they are printed."""
    stack = operator.stack
    break_bucket(stack)
    break_rule(stack)
    break_functions_and_roles(stack)
    break_messages(stack)
    stack.s3.put_object(Bucket=stack.bucket, Key="config/budgets.json", Body=b'{"defualt": {}}')
    command = desk(stack, tmp_path)
    examined = Examined(command, "--wait", "0.05")
    assert examined.exit == 8
    assert examined.of(FAILED) == {
        "bucket", "lifecycle", "bucket events", "upload rule", "functions", "roles", "log groups", "delivery",
        "limits, prices", "messages", "alarms", "queues",
    }  # fmt: skip
    for name, words in SAID.items():
        assert all(word in examined.said(name) for word in words), examined.said(name)
    operator.type(examined.commands())
    stack.s3.delete_object(Bucket=stack.bucket, Key="config/budgets.json")
    operator.type([f"aws sqs purge-queue --queue-url {stack.outputs['FailedRunDeadLetterQueueUrl']}"])
    stack.wait_for(lambda: is_quiet(stack) or None, LONG, "end of all alarms")
    again = Examined(command)
    assert again.exit == 0, [again.said(name) for name in again.of(FAILED)]


def is_quiet(stack: Stack) -> bool:
    """Tell whether no alarm is on. That of a queue ends a minute after the queue was emptied."""
    return not stack.aws.client("cloudwatch").describe_alarms(StateValue="ALARM")["MetricAlarms"]


SAID = {
    "bucket": ("versioning is off", "encryption", "public access", "TLS"),
    "lifecycle": ("ExpireLedger", "AbortUnfinishedDrops"),
    "bucket events": ("no drop starts a run",),
    "upload rule": ("the rule for uploads is off", "its target is not submit", "it may not call submit"),
    "functions": ("Report is switched off",),
    "roles": ("ReportRole: WriteIndex is missing", "ReportRole: policy more is not of the template"),
    "log groups": ("report has no retention, not 30",),
    "delivery": ("a test upload has not arrived within 3 s",),
    "limits, prices": ("config/budgets.json", "defualt"),
    "messages": ("nobody is subscribed",),
    "alarms": ("ReportErrorsAlarm does not exist", "PollErrorsAlarm tells nobody"),
    "queues": ("FailedRunDeadLetterQueue has 1 message",),
}


def break_bucket(stack: Stack) -> None:
    """Take from the bucket what the template gave it."""
    s3: Any = stack.s3
    of = {"Bucket": stack.bucket}
    s3.put_bucket_versioning(**of, VersioningConfiguration={"Status": "Suspended"})
    s3.put_bucket_notification_configuration(**of, NotificationConfiguration={})
    for name in ("lifecycle", "policy"):
        getattr(s3, f"delete_bucket_{name}")(**of)
    rule = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms"}}
    s3.put_bucket_encryption(**of, ServerSideEncryptionConfiguration={"Rules": [rule]})
    s3.delete_public_access_block(**of)


def break_rule(stack: Stack) -> None:
    """Switch the rule off, and take its target and its permission from it."""
    events, lambdas, submit = stack.aws.client("events"), stack.lambdas, stack.functions["submit"]
    (rule,) = [each["Name"] for each in events.list_rules()["Rules"] if "SubmitUpload" in each["Name"]]
    events.disable_rule(Name=rule)
    events.remove_targets(Rule=rule, Ids=["submit"])
    for statement in json.loads(lambdas.get_policy(FunctionName=submit)["Policy"])["Statement"]:
        lambdas.remove_permission(FunctionName=submit, StatementId=statement["Sid"])


def break_functions_and_roles(stack: Stack) -> None:
    """Switch a function off, take a statement from its role and add a policy, and let its log be kept for ever."""
    function = stack.lambdas.get_function_configuration(FunctionName=stack.functions["report"])
    role = function["Role"].rpartition("/")[2]
    stack.lambdas.put_function_concurrency(FunctionName=stack.functions["report"], ReservedConcurrentExecutions=0)
    document: Any = stack.iam.get_role_policy(RoleName=role, PolicyName="report")["PolicyDocument"]
    kept = [each for each in document["Statement"] if each["Sid"] != "WriteIndex"]
    document = json.dumps({**document, "Statement": kept})
    for name in ("report", "more"):
        stack.iam.put_role_policy(RoleName=role, PolicyName=name, PolicyDocument=document)
    stack.aws.client("logs").delete_retention_policy(logGroupName=f"/aws/lambda/{STACK_NAME}-report")


def break_messages(stack: Stack) -> None:
    """Leave nobody to be told: no subscription, an alarm without actions, and one that is deleted."""
    sns, cloudwatch = stack.aws.client("sns"), stack.aws.client("cloudwatch")
    for each in sns.list_subscriptions_by_topic(TopicArn=stack.outputs["TopicArn"])["Subscriptions"]:
        sns.unsubscribe(SubscriptionArn=each["SubscriptionArn"])
    found = [each["AlarmName"] for each in cloudwatch.describe_alarms()["MetricAlarms"]]
    (deleted,) = [name for name in found if name.startswith(BROKEN)]
    (silent,) = [name for name in found if "PollErrorsAlarm" in name]
    cloudwatch.disable_alarm_actions(AlarmNames=[silent])
    cloudwatch.delete_alarms(AlarmNames=[deleted])
    stack.sqs.send_message(QueueUrl=stack.outputs["FailedRunDeadLetterQueueUrl"], MessageBody="{}")


def test_a_key_that_is_refused_and_a_secret_that_is_gone_are_told_apart(operator: Operator, tmp_path: Path) -> None:
    """The command that puts a key in is typed with the key in a variable of the shell."""
    stack, secrets = operator.stack, operator.stack.aws.client("secretsmanager")
    command = desk(stack, tmp_path)
    stack.provider_settings({"api_key": OTHER_KEY})
    refused = Examined(command)
    assert refused.of(FAILED) == {"provider"}
    assert "does not accept the credentials (HTTP 401)" in refused.said("provider")
    stack.provider_settings({"api_key": PLACEHOLDER_KEY})
    secrets.put_secret_value(SecretId=SECRET_NAME, SecretString="sk-ant-wrong")
    operator.type(refused.commands())
    assert Examined(command).exit == 0
    secrets.delete_secret(SecretId=SECRET_NAME, ForceDeleteWithoutRecovery=True)
    gone = Examined(command)
    assert gone.of(FAILED) == {"secret", "provider"}
    assert f'there is no secret "{SECRET_NAME}"' in gone.said("provider")
    operator.type([gone.checks["secret"]["type"]])
    assert Examined(command).exit == 0


def end_of(stack: Stack, run: str) -> str | None:
    """Return how a run has ended, by its last message; None if there is none yet."""
    return next((message.status for message in stack.messages() if message.run == run and message.is_final), None)


def test_runs_that_stopped_or_are_in_trouble_are_named(operator: Operator, tmp_path: Path) -> None:
    """A redrive, and a provider that answers, put both in order."""
    stack, command = operator.stack, desk(operator.stack, tmp_path)
    aborted = operator.going_run()
    machine = stack.outputs["StateMachineArn"]
    arn = f"{machine.replace(':stateMachine:', ':execution:')}:{aborted}"
    stack.states.stop_execution(executionArn=arn)
    troubled = operator.going_run()
    failing = {"call": "retrieve", "do": {"kind": "answer", "status": 503}, "times": None}
    stack.provider_settings({"faults": [failing]})
    stack.wait_for(lambda: stack.keys(f"runs/{troubled}/trouble-") or None, SECONDS, "fact of trouble")
    examined = Examined(command)
    assert examined.of(FAILED) - {"alarms"} == {"failed runs", "runs in trouble"}
    assert f"1 run stopped: {aborted} aborted" in examined.said("failed runs")
    assert f"{troubled}: the provider is not available (HTTP 503), since" in examined.said("runs in trouble")
    stack.provider_settings({"faults": [], "seconds": 0})
    operator.type(examined.checks["failed runs"]["commands"])
    for run in (aborted, troubled):
        assert stack.wait_for(partial(end_of, stack, run), SECONDS, "end") == "completed"
    after = Examined(command)
    assert after.of(FAILED) - {"alarms"} == {"failed runs"}, (
        "the local AWS has no redrive: the execution is started once more"
    )


def test_a_drop_without_a_terminal_needs_yes(stack: Stack, tmp_path: Path) -> None:
    """Before anything is looked at for long: it says so at once."""
    ran = desk(stack, tmp_path).call("doctor", "--drop")
    assert ran.exit == 2
    assert "drop needs a terminal, or --yes" in ran.error
