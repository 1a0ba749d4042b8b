"""Verdicts and words of each check, of things that are well and of each that is not."""

import json
import shlex
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore import xform_name
from botocore.loaders import create_loader
from botocore.model import ServiceModel
from botocore.validate import ParamValidator
from msgspec.structs import replace

from conveyor import __version__
from conveyor.ledger.run_facts import LastingTrouble
from conveyor_cli.doctor.checks import bucket, functions, messages, policies, provider, runs, stack, uploads
from conveyor_cli.doctor.checks.functions import Function
from conveyor_cli.doctor.checks.policies import Expected, Role
from conveyor_cli.doctor.finding import Finding, State
from conveyor_cli.doctor.template import UNKNOWN
from conveyor_cli.stacks.profiles import Profile
from tests.cli.doctor.test_template import deployed
from tests.support import template
from tests.support.examples import NOW, SETTINGS
from tests.support.shell.aws import INPUT, RENAMED
from tests.support.shell.words import options, value_of

REGION = "eu-central-1"
TOPIC = "arn:aws:sns:eu-central-1:1:topic"
RULE = "arn:aws:events:eu-central-1:1:rule/r"
SUBMIT = "arn:aws:lambda:eu-central-1:1:function:submit"
PROFILE = Profile("conveyor", REGION, "1", {"BucketName": "b", "Release": __version__})
EXPECTED = deployed().properties("Bucket")
TLS = deployed().properties("BucketPolicy")["PolicyDocument"]
PRIVATE = dict.fromkeys(("BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets"), True)
ENCRYPTED = {"Rules": [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}, "BucketKeyEnabled": False}]}
UPLOADS = deployed().properties("SubmitUpload") | {"Targets": [{"Id": "submit", "Arn": SUBMIT}]}


def typeable(command: str) -> bool:
    """Tell whether AWS CLI would take a command: operation, options and their types, by the service's model."""
    program, service, operation, *words = shlex.split(command.replace('"${API_KEY:?}"', "key"))
    if (program, service) == ("aws", "logs") and operation == "tail":
        return True
    name = {"s3api": "s3"}.get(service, service)
    service_model = ServiceModel(create_loader().load_service_model(name, "service-2"))
    names = {xform_name(each, "-"): each for each in service_model.operation_names}
    model = service_model.operation_model(names[operation])
    shape = model.input_shape
    assert shape
    shapes = {xform_name(member, "-"): one for member, one in shape.members.items()}
    of_type = {kind: {one for one, of in shapes.items() if of.type_name == kind} for kind in ("list", "boolean")}
    paging = {"max-items", "region", "query", "output"}
    given, rest = options(words, of_type["list"], of_type["boolean"])
    renamed = RENAMED.get((service, operation), {})
    given = {renamed.get(option, option): text for option, text in given.items()}
    if INPUT in given:
        return not rest and not ParamValidator().validate(json.loads(given[INPUT]), shape).has_errors()
    for option in given.keys() - paging:
        value_of(shapes[option], given[option], None)  # type: ignore[arg-type] # no value is a file
    required = {xform_name(member, "-") for member in shape.required_members}
    return not rest and required <= given.keys()


def said(finding: Finding, *words: str, command: str = "") -> bool:
    """Tell whether a check failed with some words, and commands that can be typed; one begins so."""
    assert finding.state is State.FAILED
    for each in finding.commands:
        assert each.startswith(("conveyor ", "make ", "aws s3 ")) or typeable(each), each
    assert all(word in finding.message for word in words), finding.message
    return any(each.startswith(command) for each in finding.commands or [""])


def healthy(**changes: Any) -> Finding:
    """Judge a bucket in which some things are otherwise than they should be."""
    answers = {"versioning": {"Status": "Enabled"}, "encryption": ENCRYPTED, "block": PRIVATE, "found": TLS} | changes
    return bucket.bucket("b", REGION, EXPECTED, TLS, **answers)


def test_a_bucket_as_deployed_is_well() -> None:
    """S3 adds what nobody asked for, and IAM's order of a list means nothing."""
    assert healthy().state is State.OK
    (statement,) = TLS["Statement"]
    reordered = {**TLS, "Statement": [{**statement, "Resource": statement["Resource"][::-1]}]}
    assert healthy(found=reordered).state is State.OK


@pytest.mark.parametrize(
    ("change", "words", "command"),
    [
        ({"versioning": {"Status": "Suspended"}}, "versioning is off", "put-bucket-versioning"),
        ({"encryption": {}}, "encryption is not that of the template", "put-bucket-encryption"),
        ({"block": PRIVATE | {"BlockPublicPolicy": False}}, "public access", "put-public-access-block"),
        ({"found": {}}, "requests without TLS", "put-bucket-policy"),
    ],
)
def test_each_thing_that_is_wrong_with_a_bucket_has_a_command(change: dict[str, Any], words: str, command: str) -> None:
    """Which puts it in order."""
    assert said(healthy(**change), words, command=f"aws s3api {command} --region eu-central-1 --bucket b")


def test_rules_of_the_lifecycle_are_compared_whatever_their_form() -> None:
    """S3 answers with a filter, CloudFormation writes a prefix; what is missing, changed or added is named."""
    rules = json.loads(shlex.split(bucket.lifecycle("b", REGION, EXPECTED, {}).commands[0])[-1])["Rules"]
    assert bucket.lifecycle("b", REGION, EXPECTED, {"Rules": rules}).state is State.OK
    plain = [{**rules[0], "Prefix": rules[0]["Filter"]["Prefix"]}, *rules[1:]]
    del plain[0]["Filter"]
    assert bucket.lifecycle("b", REGION, EXPECTED, {"Rules": plain}).state is State.OK
    changed = [{**rules[0], "Expiration": {"Days": 1}}, *rules[2:], {"ID": "Mine", "Status": "Enabled", "Prefix": "x"}]
    finding = bucket.lifecycle("b", REGION, EXPECTED, {"Rules": changed})
    assert said(finding, "rules missing or changed: ExpireClaims, ExpireLedger", "not of the template: Mine")


def test_a_bucket_that_tells_nobody_keeps_whom_it_tells_else() -> None:
    """The command replaces the whole configuration."""
    assert bucket.notifications("b", REGION, {"EventBridgeConfiguration": {}}).state is State.OK
    finding = bucket.notifications("b", REGION, {"QueueConfigurations": [{"QueueArn": "q", "Events": ["e"]}]})
    assert said(finding, "no drop starts a run")
    assert "QueueArn" in finding.commands[0]


def rule(found: Any = None, targets: Any = None, policy: Any = None) -> Finding:
    """Judge a rule; what is left out is as it should be."""
    allowed = {"Effect": "Allow", "Principal": {"Service": "events.amazonaws.com"}}
    allowed["Condition"] = {"ArnLike": {"AWS:SourceArn": RULE}}
    described = {"State": "ENABLED", "Arn": RULE, "EventPattern": json.dumps(UPLOADS["EventPattern"])}
    answers = {
        "DescribeRule": described if found is None else described | found if found else {},
        "ListTargetsByRule": {"Targets": UPLOADS["Targets"]} if targets is None else targets,
        "GetPolicy": {"Policy": json.dumps({"Statement": [allowed]})} if policy is None else policy,
    }
    return uploads.rule(REGION, "r", UPLOADS, SUBMIT, answers)


def test_the_rule_for_uploads_is_on_has_its_target_and_may_call_it() -> None:
    """Each of these is said, with its command."""
    assert rule().state is State.OK
    assert said(rule({"State": "DISABLED"}), "is off", command="aws events enable-rule --region eu-central-1 --name r")
    assert said(rule({"EventPattern": "{}"}), "pattern", command="aws events put-rule")
    assert said(rule(targets={}), "target is not submit", command="aws events put-targets")
    assert said(rule(policy={}), "may not call submit", command="aws lambda add-permission")
    assert said(rule({}), "does not exist")


def test_a_test_upload_that_does_not_arrive_says_how_long_it_was_waited_for() -> None:
    """And that a new rule needs time."""
    assert uploads.delivery(REGION, "log", 600, 1.24).message == "a test upload arrived in 1.2 s"
    finding = uploads.delivery(REGION, "log", 600, None)
    assert said(finding, "within 10 min", command="aws logs tail log --region eu-central-1")
    assert "--wait 10" in finding.more[0]


def function(**changes: Any) -> Finding:
    """Judge one function that is otherwise than it should be."""
    given = {"configuration": {"State": "Active"}, "versions": frozenset({"3"}), "reserved": None} | changes
    return functions.functions(REGION, {"Submit": Function("submit", **given)}, {"submit": "3"})


def test_functions_are_active_and_have_the_version_that_is_called() -> None:
    """A version that is gone stops every run that begins."""
    assert functions.called_versions(f'{{"Resource": "{SUBMIT}:12", "b": "{SUBMIT}x:3"}}') == {
        "submit": "12",
        "submitx": "3",
    }
    assert function().state is State.OK
    assert said(function(configuration={}), "does not exist")
    assert said(function(configuration={"State": "Inactive"}), "Submit is Inactive")
    assert said(function(configuration={"LastUpdateStatus": "Failed"}), "the last update of Submit failed")
    assert said(function(versions=frozenset()), "version 3 of Submit is gone")
    assert said(function(reserved=0), "switched off", command="aws lambda delete-function-concurrency")
    assert function(reserved=5).state is State.OK


def test_state_machines_logs_and_quotas() -> None:
    """An account may be new."""
    assert functions.machines({"Machine": {"status": "ACTIVE"}}).state is State.OK
    assert said(functions.machines({"Machine": {}}), "Machine is gone")
    assert functions.log_groups(REGION, {"a": 30, "b": None}, {"a": 30, "b": None}).state is State.OK
    assert said(functions.log_groups(REGION, {"a": 30}, {"a": None}), "a has no retention, not 30")
    assert said(functions.log_groups(REGION, {"a": 30}, {"a": 7}), "a keeps 7 days, not 30")
    assert said(functions.log_groups(REGION, {"a": 30}, {}), "a does not exist", command="aws logs create-log-group")
    room = {"ConcurrentExecutions": 1000, "UnreservedConcurrentExecutions": 900}
    assert functions.quotas(REGION, room).message == "room for 900 concurrent functions"
    few = functions.quotas(REGION, {"ConcurrentExecutions": 10})
    assert said(few, "room for 10", command="aws service-quotas request-service-quota-increase")


def statements(*sids: str, **more: Any) -> dict[str, Any]:
    """Write a policy."""
    return {"Statement": [{"Sid": sid, "Effect": "Allow", "Action": "s3:GetObject", **more} for sid in sids]}


def test_a_role_is_compared_statement_by_statement() -> None:
    """In any order of lists; with the command that gives back what the template says."""
    expected = Expected({"p": statements("A", "B", Resource=["x", "y"], Condition={"Bool": {"k": False}})})

    def judge(*attached: str, **inline: Any) -> Finding:
        return policies.roles(REGION, {"SubmitRole": (expected, Role("r", inline, attached))})

    same = statements("B", "A", Resource=["y", "x"], Condition={"Bool": {"k": ["false"]}})
    assert judge(p=same).state is State.OK
    missing = judge(p=statements("A", Resource=["x", "y"], Condition={"Bool": {"k": "false"}}))
    assert said(missing, "SubmitRole: B is missing", command="aws iam put-role-policy")
    assert json.loads(shlex.split(missing.commands[0])[-1]) == expected.inline["p"]
    assert said(judge(p=statements("A", "B", "C", Resource="x")), "A is changed, B is changed, C is added")
    assert said(judge(p=same, q=statements("X")), "policy q is not", command="aws iam delete-role-policy")
    assert said(judge("arn:aws:iam::aws:policy/Admin", p=same), "Admin is not", command="aws iam detach-role-policy")
    gone = policies.roles(REGION, {"SubmitRole": (expected, Role("r", {}, is_there=False))})
    assert said(gone, "SubmitRole does not exist")


@pytest.mark.parametrize(
    ("answer", "words", "command"),
    [
        ({"provider": "refused", "status": 401, "cause": "key-refused"}, "HTTP 401", "aws secretsmanager put-secret"),
        ({"provider": "refused", "status": 403, "cause": None}, "denies access", "aws secretsmanager put-secret-value"),
        ({"provider": "refused", "status": 400, "cause": "credit-exhausted"}, "no credit left", ""),
        ({"provider": "refused", "status": 404, "cause": None}, "did not find", ""),
        ({"provider": "busy", "status": 529, "cause": None}, "overloaded", ""),
        ({"provider": "unreachable", "reason": "ConnectTimeout"}, "in time", "aws lambda get-function-configuration"),
        ({"provider": "no-credential", "reason": "there is no secret"}, "there is no secret", "aws secretsmanager put"),
        ({"errorType": "Surprise"}, "submit failed", "aws logs tail"),
    ],
)
def test_each_answer_about_the_provider_has_words(answer: dict[str, Any], words: str, command: str) -> None:
    """And what to type, where typing helps."""
    assert said(provider.provider(REGION, "conveyor/api-key", "submit", answer), words, command=command)


def test_a_provider_that_accepts_and_a_secret_that_is_there() -> None:
    """Where calls are signed there is no key."""
    accepted = {"provider": "accepted", "status": 200, "cause": None}
    assert provider.provider(REGION, "s", "submit", accepted).message == "the provider accepts the key"
    assert "role" in provider.provider(REGION, "", "submit", accepted).message
    signed = provider.provider(REGION, "", "submit", {"provider": "refused", "status": 403, "cause": None})
    assert said(signed, "denies access")
    assert signed.commands == ()
    assert provider.secret(REGION, "s", {"Name": "s"}).state is State.OK
    assert said(provider.secret(REGION, "s", {}), "no secret", command="aws secretsmanager create-secret")
    deleted = provider.secret(REGION, "s", {"DeletedDate": datetime.now(UTC)})
    assert said(deleted, "scheduled to be deleted", command="aws secretsmanager restore-secret")


def subscription(arn: str, endpoint: str = "anna@example.org") -> dict[str, str]:
    """Return a subscription by mail."""
    return {"SubscriptionArn": arn, "Protocol": "email", "Endpoint": endpoint}


def test_a_subscription_must_be_confirmed() -> None:
    """One that is pending is named, with the command that sends its mail again."""
    well = messages.subscriptions(REGION, TOPIC, [subscription(f"{TOPIC}:1")])
    assert well.message == "1 confirmed subscription (email)"
    assert said(messages.subscriptions(REGION, TOPIC, []), "nobody", command="aws sns subscribe")
    assert said(messages.subscriptions(REGION, TOPIC, [subscription("Deleted")]), "nobody is subscribed")
    pending = [subscription(f"{TOPIC}:1"), subscription("PendingConfirmation", "x'; rm -rf /")]
    finding = messages.subscriptions(REGION, TOPIC, pending)
    assert said(finding, "not confirmed: x'; rm -rf /", command="aws sns subscribe")
    assert shlex.split(finding.commands[0])[-1] == "x'; rm -rf /"


def test_alarms_are_there_on_and_quiet() -> None:
    """Each of them sends to the topic."""
    alarm = {"AlarmName": "n", "StateValue": "OK", "ActionsEnabled": True, "AlarmActions": [TOPIC]}

    def judge(**changes: Any) -> Finding:
        return messages.alarms(REGION, TOPIC, {"A": messages.Alarm("n", {})}, {"n": alarm | changes})

    assert judge().state is State.OK
    assert said(judge(ActionsEnabled=False), "tells nobody", command="aws cloudwatch enable-alarm-actions")
    assert said(judge(AlarmActions=[]), "does not send to the topic", command="aws cloudwatch put-metric-alarm")
    assert said(judge(StateValue="ALARM"), "A is in ALARM", command="aws cloudwatch describe-alarms")


@pytest.mark.parametrize("name", sorted(template.resources("AWS::CloudWatch::Alarm")))
def test_an_alarm_that_does_not_exist_is_restored_as_it_was_deployed(name: str) -> None:
    """By one line: nothing of it is unknown here, and AWS takes each property by its name in the template."""
    properties = deployed().properties(name)
    finding = messages.alarms(REGION, TOPIC, {name: messages.Alarm("n", properties)}, {})
    assert said(finding, f"{name} does not exist", command="aws cloudwatch put-metric-alarm")
    (command,) = finding.commands
    assert UNKNOWN not in command
    assert "\n" not in command
    assert json.loads(shlex.split(command)[-1]) == {"AlarmName": "n", **properties}


def test_a_drilled_alarm_must_act() -> None:
    """Its history says whether it did."""
    assert messages.drill(REGION, "n", ["Successfully executed action t"]).state is State.OK
    assert said(messages.drill(REGION, "n", []), "no action", command="aws cloudwatch describe-alarm-history")
    assert said(messages.drill(REGION, "n", ["Failed to execute action t"]), "Failed to execute action t")
    assert messages.drill_unasked().state is State.UNASKED


def test_a_queue_that_is_not_empty_is_named() -> None:
    """With the command that shows what is in it."""
    assert messages.queues(REGION, {"Q": ("url", 0)}).message == "1 of 1 empty"
    assert said(messages.queues(REGION, {"Q": ("url", 2)}), "Q has 2 messages", command="aws sqs receive-message")


def test_executions_that_stopped_are_named_with_the_redrive() -> None:
    """The newest three; the others are counted."""
    assert runs.executions(REGION, [], 14).message == "0 failed executions in 14 days"
    arn = "arn:aws:states:eu-central-1:1:execution:m:{}"
    found = [{"name": f"run-{n}", "executionArn": arn.format(n), "status": "TIMED_OUT"} for n in range(5)]
    finding = runs.executions(REGION, found, 14)
    assert said(finding, "5 runs stopped: run-0 timed out, run-1", "and 2 more", command="aws stepfunctions redrive-")


def test_runs_that_are_too_many_to_look_at_are_counted() -> None:
    """Whether they are in trouble is not known."""
    assert runs.troubles({}, 0, 0, 0).message == "0 runs under way"
    assert runs.troubles({}, 0, 500, 7).message == (
        "500 runs under way, requests about their batches are answered; 7 older ones not looked at"
    )
    fact = LastingTrouble("w", NOW, "busy", NOW, "HTTP 429")
    assert said(runs.troubles({"a": fact}, 9, 500, 7), "a: the provider is busy, or a limit", "8 more; 7 older ones")


def test_a_stack_is_complete_and_of_the_release_of_the_command() -> None:
    """Else it says why a deployment failed, waits for its end, or installs the other command."""
    assert stack.stack(PROFILE, "UPDATE_COMPLETE").state is State.OK
    rolled_back = stack.stack(PROFILE, "UPDATE_ROLLBACK_COMPLETE")
    assert said(rolled_back, "UPDATE_ROLLBACK_COMPLETE", command="aws cloudformation describe-stack-events")
    going = stack.stack(PROFILE, "UPDATE_IN_PROGRESS")
    assert going.commands == (
        "aws cloudformation wait stack-update-complete --region eu-central-1 --stack-name conveyor",
    )
    other = Profile("conveyor", REGION, "1", {"Release": "0.0.9"})
    assert said(stack.stack(other, "CREATE_COMPLETE"), "release 0.0.9", command="make command")


def test_who_asks_is_named_without_a_secret() -> None:
    """A role by its name, a user as it is."""
    arn = "arn:aws:sts::1:assumed-role/operator/anna"
    assert stack.credentials(REGION, {"Account": "1", "Arn": arn}).message == f"account 1, role operator, {REGION}"
    user = stack.credentials(REGION, {"Account": "1", "Arn": "arn:aws:iam::1:user/anna"})
    assert user.message == f"account 1, user anna, {REGION}"


def test_parameters_are_judged_beside_each_other() -> None:
    """CloudFormation sees each alone."""
    assert stack.parameters(SETTINGS).state is State.OK
    assert said(stack.parameters(replace(SETTINGS, poll_min_seconds=100, poll_max_seconds=10)), "poll-min-seconds")
    assert said(stack.parameters(replace(SETTINGS, auth="aws", workspace_id="")), "WorkspaceId")


def test_wrong_limits_are_shown_with_their_file() -> None:
    """And how to read it."""
    assert stack.limits("b", (), 2).message == "limits and prices valid, 2 projects"
    finding = stack.limits("b", ("config/budgets.json: unknown field",), 0)
    assert said(finding, "unknown field")
    assert finding.commands == ("aws s3 cp s3://b/config/budgets.json -",)
