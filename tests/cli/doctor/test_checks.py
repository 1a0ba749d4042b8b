"""Verdicts and words of each check, of things that are well and of each that is not."""

import json
import shlex
from datetime import UTC, datetime
from decimal import Decimal
from functools import cache
from typing import Any

import pytest
from msgspec.structs import replace

from conveyor import __version__
from conveyor_cli.doctor.checks import bucket, functions, policies, provider, stack, uploads
from conveyor_cli.doctor.checks.functions import Function
from conveyor_cli.doctor.checks.policies import Expected, Role
from conveyor_cli.doctor.finding import Finding, State
from conveyor_cli.doctor.reading.drop import Small
from conveyor_cli.stacks.profiles import Profile
from tests.cli.doctor.judged import REGION, said
from tests.cli.doctor.test_template import deployed
from tests.support.examples import SETTINGS
from tests.support.template import Json

RULE = "arn:aws:events:eu-central-1:1:rule/r"
SUBMIT = "arn:aws:lambda:eu-central-1:1:function:submit"
PROFILE = Profile("conveyor", REGION, "1", {"BucketName": "b", "Release": __version__})
PRIVATE = dict.fromkeys(("BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets"), True)
ENCRYPTED = {"Rules": [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}, "BucketKeyEnabled": False}]}


@cache
def as_deployed() -> Json:
    """Return the bucket as deployed."""
    return deployed().properties("Bucket")


@cache
def tls() -> Json:
    """Return its policy."""
    document: Json = deployed().properties("BucketPolicy")["PolicyDocument"]
    return document


@cache
def upload_rule() -> Json:
    """Return the rule for uploads."""
    return deployed().properties("SubmitUpload") | {"Targets": [{"Id": "submit", "Arn": SUBMIT}]}


def healthy(**changes: Any) -> Finding:
    """Judge a bucket in which some things are otherwise than they should be."""
    answers: Json = {"versioning": {"Status": "Enabled"}, "encryption": ENCRYPTED, "block": PRIVATE, "found": tls()}
    return bucket.bucket("b", REGION, as_deployed(), tls(), **(answers | changes))


def test_a_bucket_as_deployed_is_well() -> None:
    """S3 adds what nobody asked for, and IAM's order of a list means nothing."""
    assert healthy().state is State.OK
    (statement,) = tls()["Statement"]
    reordered = {**tls(), "Statement": [{**statement, "Resource": statement["Resource"][::-1]}]}
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
    rules = json.loads(shlex.split(bucket.lifecycle("b", REGION, as_deployed(), {}).commands[0])[-1])["Rules"]
    assert bucket.lifecycle("b", REGION, as_deployed(), {"Rules": rules}).state is State.OK
    plain = [{**rules[0], "Prefix": rules[0]["Filter"]["Prefix"]}, *rules[1:]]
    del plain[0]["Filter"]
    assert bucket.lifecycle("b", REGION, as_deployed(), {"Rules": plain}).state is State.OK
    changed = [{**rules[0], "Expiration": {"Days": 1}}, *rules[2:], {"ID": "Mine", "Status": "Enabled", "Prefix": "x"}]
    finding = bucket.lifecycle("b", REGION, as_deployed(), {"Rules": changed})
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
    described = {"State": "ENABLED", "Arn": RULE, "EventPattern": json.dumps(upload_rule()["EventPattern"])}
    answers = {
        "DescribeRule": described if found is None else described | found if found else {},
        "ListTargetsByRule": {"Targets": upload_rule()["Targets"]} if targets is None else targets,
        "GetPolicy": {"Policy": json.dumps({"Statement": [allowed]})} if policy is None else policy,
    }
    return uploads.rule(REGION, "r", upload_rule(), SUBMIT, answers)


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


@pytest.mark.parametrize(("usd", "price"), [("0.0042", "at most $0.01"), ("1.231", "at most $1.24")])
def test_what_the_test_drop_costs_at_most_is_rounded_up(usd: str, price: str) -> None:
    """A person agrees to it."""
    assert Small(None, Decimal(usd)).price == price  # type: ignore[arg-type] # the price needs no file
