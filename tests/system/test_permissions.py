"""Every statement of every role is needed: without it something is missed, and with it again the work goes on.

Which statements there are is read from the template, and held against what the local AWS's IAM has of them. Each is
taken away from the deployed role in turn, a drop is made that needs it, and AWS's refusal is looked for where an
operator would see it.
"""

from __future__ import annotations

import json
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from local.deployment import STACK_NAME
from tests.unit import template

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from local.stack import Stack

PARAMS = {"model": "claude-haiku-4-5", "max_tokens": 16, "messages": [{"role": "user", "content": "Hello"}]}
LINE = json.dumps({"custom_id": "a", "params": PARAMS})
SECONDS = 30.0
STATEMENTS = [
    (role, statement["Sid"]) for role in template.resources("AWS::IAM::Role") for statement in template.statements(role)
]


@dataclass(frozen=True)
class Scene:
    """A statement of a deployed role, and the drop that is made without it."""

    stack: Stack
    role: str
    """As IAM calls it."""
    sid: str

    @property
    def key(self) -> str:
        """Where the drop goes."""
        return f"inbox/{self.role}/{self.sid}.jsonl"

    @contextmanager
    def without(self, *sids: str) -> Iterator[None]:
        """Take statements away for the length of the block; unless others are named, the one this is about."""
        iam = self.stack.iam
        (name,) = iam.list_role_policies(RoleName=self.role)["PolicyNames"]
        policy = policy_of(self.stack, self.role)
        gone = sids or (self.sid,)
        left = [statement for statement in policy["Statement"] if statement["Sid"] not in gone]
        assert len(left) == len(policy["Statement"]) - len(gone)
        iam.put_role_policy(
            RoleName=self.role, PolicyName=name, PolicyDocument=json.dumps({**policy, "Statement": left})
        )
        try:
            yield
        finally:
            iam.put_role_policy(RoleName=self.role, PolicyName=name, PolicyDocument=json.dumps(policy))

    def drop(self, lines: str = LINE, key: str = "") -> str:
        """Make a drop; answers with its run, once that is written down."""
        version = self.stack.drop(lines.encode(), key or self.key)
        return self.wait(lambda: self.stack.run_of(key or self.key, version), "run")

    def wait[Found](self, look: Callable[[], Found | None], what: str) -> Found:
        """Look until something is found."""
        return self.stack.wait_for(look, SECONDS, what)

    def wait_for_key(self, key: str) -> None:
        """Look until there is an object."""
        self.wait(lambda: key in self.stack.keys(key) or None, key)

    def history(self, run: str) -> list[Any]:
        """Read what happened in the execution of a run."""
        arn = self.stack.outputs["StateMachineArn"].replace(":stateMachine:", ":execution:") + f":{run}"
        return list(self.stack.states.get_execution_history(executionArn=arn, maxResults=1000)["events"])

    def refusal(self, run: str, action: str) -> str | None:
        """Find a failed task of a run whose cause is that the role may not do this."""
        failures = [event for event in self.history(run) if event["type"] == "TaskFailed"]
        causes = [event["taskFailedEventDetails"]["cause"] for event in failures]
        wanted = (f"assumed-role/{self.role}/", f"not authorized to perform: {action}")
        return next((cause for cause in causes if all(words in cause for words in wanted)), None)

    def failed_upload(self) -> dict[str, Any] | None:
        """Take what the failure queue has on the drop: Lambda's account of the event that submit failed on."""
        url = self.stack.outputs["SubmitFailureQueueUrl"]
        for message in self.stack.sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", []):
            self.stack.sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
            account: dict[str, Any] = json.loads(message["Body"])
            if account["requestPayload"]["detail"]["object"]["key"] == self.key:
                return account
        return None

    def submit_again(self, account: dict[str, Any]) -> None:
        """Do what the alarm on the failure queue says: hand the event to submit again."""
        event = json.dumps(account["requestPayload"])
        self.stack.lambdas.invoke(FunctionName=self.stack.functions["submit"], Payload=event)

    def is_silent(self, run: str) -> bool:
        """Whether no message about a run has come."""
        return all(message.run != run for message in self.stack.messages())

    def let_pass(self, run: str, fact: str, minutes: int = 30) -> None:
        """Let a fact be written that many minutes earlier, instead of waiting."""
        key = f"runs/{run}/{fact}"
        self.wait_for_key(key)
        content = json.loads(self.stack.object(key))
        for moment in ("at", "not_after"):
            earlier = datetime.fromisoformat(content[moment]) - timedelta(minutes=minutes)
            content[moment] = earlier.astimezone(UTC).isoformat()
        self.stack.s3.put_object(Bucket=self.stack.bucket, Key=key, Body=json.dumps(content))


def policy_of(stack: Stack, role: str) -> dict[str, Any]:
    """Read the one policy of a deployed role."""
    (name,) = stack.iam.list_role_policies(RoleName=role)["PolicyNames"]
    document: Any = stack.iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]
    return dict(document)


def stops_the_run(
    action: str, lines: str = LINE, status: str = "completed", forgets: str = "", **provider: object
) -> Callable[[Scene], None]:
    """Play: a task of the run fails, and is tried again until it may.

    `forgets`: the fact of the ledger whose writer's time has to be over before. `provider`: its settings meanwhile.
    """

    def play(scene: Scene) -> None:
        scene.stack.provider_settings(provider)
        with scene.without():
            run = scene.drop(lines)
            if forgets:
                scene.let_pass(run, forgets)
            scene.wait(lambda: scene.refusal(run, action), f"task that may not {action}")
            assert scene.is_silent(run)
        scene.stack.provider_settings({"faults": []})
        assert scene.stack.wait_for_message(run).status == status

    return play


def fails_the_upload(action: str) -> Callable[[Scene], None]:
    """Play: no run starts; the event waits in the failure queue, and is handed to submit again once that may."""

    def play(scene: Scene) -> None:
        with scene.without():
            version = scene.stack.drop(LINE.encode(), scene.key)
            account = scene.wait(scene.failed_upload, "failed upload")
            assert action in account["responsePayload"]["errorMessage"]
        assert account["requestPayload"]["detail"]["object"]["version-id"] == version
        scene.submit_again(account)
        run = scene.wait(lambda: scene.stack.run_of(scene.key, version), "run")
        assert scene.stack.wait_for_message(run).status == "completed"

    return play


def leaves_no_log(function: str) -> Callable[[Scene], None]:
    """Play: the run completes, but nothing of it is in the function's log."""

    def play(scene: Scene) -> None:
        with scene.without():
            run = scene.drop()
            assert scene.stack.wait_for_message(run).status == "completed"
            assert not [line for line in scene.stack.logs(function) if run in line]
        run = scene.drop(f"{LINE}\n")  # not the same bytes
        scene.wait(lambda: any(run in line for line in scene.stack.logs(function)) or None, f"log of {function}")
        assert scene.stack.wait_for_message(run).status == "completed"

    return play


def leaves_no_claim(scene: Scene) -> None:
    """Play: the batch is the run's already, so that the run completes; but submit fails, and nobody else is told."""
    with scene.without():
        run = scene.drop()
        account = scene.wait(scene.failed_upload, "failed upload")
        assert "not authorized to perform: s3:PutObject" in account["responsePayload"]["errorMessage"]
        claim = f"claims/batches/{json.loads(scene.stack.object(f'runs/{run}/batches/1/batch.json'))['id']}"
        assert not scene.stack.keys(claim)
    scene.submit_again(account)
    scene.wait_for_key(claim)
    assert scene.stack.wait_for_message(run).status == "completed"


def loses_the_failure(scene: Scene) -> None:
    """Play: what submit fails on is in no queue; Lambda only counts that it could not put it there."""
    metric = {"Namespace": "AWS/Lambda", "MetricName": "DestinationDeliveryFailures"}
    dimensions = [{"Name": "FunctionName", "Value": scene.stack.functions["submit"]}]
    now = datetime.now(UTC)
    period = {"StartTime": now - timedelta(hours=1), "EndTime": now + timedelta(hours=1), "Period": 7200}
    cloudwatch = scene.stack.aws.client("cloudwatch")

    def lost() -> bool | None:
        answer = cloudwatch.get_metric_statistics(**metric, **period, Dimensions=dimensions, Statistics=["Sum"])
        return bool(sum(point["Sum"] for point in answer["Datapoints"])) or None

    with scene.without("ReadDrop"):
        with scene.without():
            scene.stack.drop(LINE.encode(), scene.key)
            scene.wait(lost, "lost failure")
            assert scene.failed_upload() is None
        scene.stack.drop(LINE.encode(), scene.key)
        account = scene.wait(scene.failed_upload, "failed upload")
    scene.submit_again(account)
    scene.wait(lambda: scene.stack.run_of(scene.key), "run")
    assert scene.stack.wait_for_message(scene.key).status == "completed"


def holds_up_a_resend(scene: Scene) -> None:
    """Play: another run's batch, which its claim would rule out, is waited for, since it might be our lost one."""
    lines = "\n".join(LINE.replace('"a"', f'"{number}"') for number in range(7))  # of no other batch
    scene.stack.provider_settings({"seconds": None})
    other = scene.drop(lines, "inbox/another.jsonl")
    scene.wait_for_key(f"runs/{other}/batches/1/batch.json")
    batch = json.loads(scene.stack.object(f"runs/{other}/batches/1/batch.json"))["id"]
    scene.wait_for_key(f"claims/batches/{batch}")
    scene.stack.provider_settings({"faults": [{"call": "create", "do": {"kind": "lose", "when": "before"}}]})
    with scene.without():
        run = scene.drop(lines)
        scene.let_pass(run, "batches/1/attempt-1.json")
        polls = len(scene.history(run))
        scene.wait(lambda: len(scene.history(run)) > polls + 40 or None, "four more polls")
        assert f"runs/{run}/batches/1/absent-1.json" not in scene.stack.keys(f"runs/{run}/")
    scene.wait_for_key(f"runs/{run}/batches/1/attempt-2.json")
    scene.stack.provider_settings({"seconds": 0})
    assert {scene.stack.wait_for_message(each).status for each in (run, other)} == {"completed"}


REFUSED_KEY = {"kind": "answer", "status": 401}  # makes a function read the key anew, which it keeps for minutes
ASKED_OF_POLL = {"call": "retrieve", "do": REFUSED_KEY, "times": None}
ASKED_OF_SPLIT = ASKED_OF_POLL | {"after": 1}

SCENES = {
    ("SubmitRole", "WriteLogs"): leaves_no_log("submit"),
    ("SubmitRole", "ReadDrop"): fails_the_upload("(403) when calling the HeadObject operation"),
    ("SubmitRole", "ReadAndWriteLedger"): fails_the_upload("not authorized to perform: s3:PutObject"),
    ("SubmitRole", "ListLedger"): stops_the_run("s3:ListBucket"),
    ("SubmitRole", "ClaimBatch"): leaves_no_claim,
    ("SubmitRole", "ClaimContent"): stops_the_run("s3:PutObject", forgets="validation.json"),
    ("SubmitRole", "WriteFaults"): stops_the_run("s3:PutObject", "no JSON", "refused", forgets="validation.json"),
    ("SubmitRole", "ReadApiKey"): stops_the_run("secretsmanager:GetSecretValue"),
    ("SubmitRole", "StartRun"): fails_the_upload("not authorized to perform: states:StartExecution"),
    ("SubmitRole", "QueueFailure"): loses_the_failure,
    ("PollRole", "WriteLogs"): leaves_no_log("poll"),
    ("PollRole", "ReadAndWriteLedger"): stops_the_run("s3:GetObject"),
    ("PollRole", "ListLedger"): stops_the_run("s3:ListBucket"),
    ("PollRole", "ReadClaims"): holds_up_a_resend,
    ("PollRole", "ReadApiKey"): stops_the_run("secretsmanager:GetSecretValue", faults=[ASKED_OF_POLL]),
    ("SplitRole", "WriteLogs"): leaves_no_log("split"),
    ("SplitRole", "ReadDrop"): stops_the_run("s3:GetObjectVersion"),
    ("SplitRole", "ReadAndWriteLedger"): stops_the_run("s3:GetObject"),
    ("SplitRole", "ListLedger"): stops_the_run("s3:ListBucket"),
    ("SplitRole", "WriteOutputs"): stops_the_run("s3:PutObject"),
    ("SplitRole", "ReadApiKey"): stops_the_run("secretsmanager:GetSecretValue", faults=[ASKED_OF_SPLIT]),
    ("ReportRole", "WriteLogs"): leaves_no_log("report"),
    ("ReportRole", "ReadLedger"): stops_the_run("s3:GetObject"),
    ("ReportRole", "ListLedger"): stops_the_run("s3:ListBucket"),
    ("ReportRole", "WriteReceipt"): stops_the_run("s3:PutObject"),
    ("MachineRole", "InvokeFunctions"): stops_the_run("lambda:InvokeFunction"),
    ("MachineRole", "PublishMessage"): stops_the_run("sns:Publish"),
    ("MachineRole", "UseTopicKey"): stops_the_run("kms:GenerateDataKey"),
}


@pytest.fixture(scope="module")
def roles(stack: Stack) -> dict[str, str]:
    """Read the names of the deployed roles by those in the template."""
    resources = stack.aws.client("cloudformation").describe_stack_resources(StackName=STACK_NAME)["StackResources"]
    return {
        resource["LogicalResourceId"]: resource["PhysicalResourceId"]
        for resource in resources
        if resource["ResourceType"] == "AWS::IAM::Role"
    }


def test_the_statements_are_those_that_iam_holds(stack: Stack, roles: dict[str, str]) -> None:
    """No statement is left out below: not of the template, and not of the deployed roles."""
    held = {(role, statement["Sid"]) for role in roles for statement in policy_of(stack, roles[role])["Statement"]}
    assert held == set(STATEMENTS) == set(SCENES)


@pytest.mark.parametrize(("role", "sid"), STATEMENTS)
def test_a_statement_is_missed_when_it_is_taken_away(stack: Stack, roles: dict[str, str], role: str, sid: str) -> None:
    """No role has a permission that it does not need, and none lacks one."""
    stack.provider_settings({"seconds": 0})
    SCENES[role, sid](Scene(stack, roles[role], sid))
