"""Every statement of every role is needed: without it a task fails, and with it the run continues.

The statements are read from the template and compared with the local AWS's IAM. Each is removed from the deployed role
in turn, a drop that needs it is made, and the test expects AWS's refusal where an operator would see it.
"""

from __future__ import annotations

import json
import time
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from gzip import compress
from typing import TYPE_CHECKING, Any

import pytest

from local.stack.deployment import STACK_NAME
from tests.support import template
from tests.support.system.runs import BARE, LOW_LIMITS, SHORT_TIMES, WAITING, LiveRun
from tests.support.system.scene import LINE, Scene, policy_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from local.stack.stack import Stack

STATEMENTS = [
    (role, statement["Sid"]) for role in template.resources("AWS::IAM::Role") for statement in template.statements(role)
]


def stops_the_run(
    action: str,
    lines: str | bytes = LINE,
    status: str = "completed",
    expired: str = "",
    metadata: dict[str, str] | None = None,
    **provider: object,
) -> Callable[[Scene], None]:
    """Check that a task of the run fails, and is retried until it has the permission.

    `lines`: bytes for a packed drop. `expired`: a fact whose writer's time limit must be over first. `metadata`: of the
    drop. `provider`: the provider's settings meanwhile.
    """

    def check(scene: Scene) -> None:
        scene.stack.provider_settings(provider)
        with scene.without():
            run = scene.drop(lines, metadata=metadata)
            if expired:
                run.backdate(expired)
            scene.wait(lambda: scene.refusal(run, action), f"task that may not {action}")
            assert not run.messages()
        scene.stack.provider_settings({"faults": []})
        assert run.first_status() == status

    return check


def fails_the_upload(action: str) -> Callable[[Scene], None]:
    """Check that no run starts: the event is in the failure queue until submit has the permission and gets it again."""

    def check(scene: Scene) -> None:
        with scene.without():
            version = scene.stack.drop(LINE.encode(), scene.key)
            account = scene.wait(scene.failed_upload, "failed upload")
            assert action in account["responsePayload"]["errorMessage"]
        assert account["requestPayload"]["detail"]["object"]["version-id"] == version
        scene.submit_again(account)
        assert scene.run_of(version).first_status() == "completed"

    return check


def logged(scene: Scene, function: str, text: str) -> int:
    """Count the lines of a function's log that contain a text."""
    return len(scene.stack.logs(function, text))


def leaves_no_log(function: str) -> Callable[[Scene], None]:
    """Check that the run completes, but the function's log has no line about it."""

    def check(scene: Scene) -> None:
        with scene.without():
            run = scene.drop()
            assert run.first_status() == "completed"
            assert not logged(scene, function, run.run)
        run = scene.drop(f"{LINE}\n")  # other content than the first drop
        run.wait(lambda: logged(scene, function, run.run) or None, f"log of {function}")
        assert run.first_status() == "completed"

    return check


def leaves_the_claim_to_poll(scene: Scene) -> None:
    """Check that submit fails after creating the batch, that poll writes the claim, and that the run completes."""
    with scene.without():
        run = scene.drop()
        account = scene.wait(scene.failed_upload, "failed upload")
        assert "not authorized to perform: s3:PutObject" in account["responsePayload"]["errorMessage"]
        scene.wait_for_key(f"claims/batches/{run.fact('batches/1/batch-1.json')['id']}")
    scene.submit_again(account)
    assert run.first_status() == "completed"


def keeps_from_paying(scene: Scene) -> None:
    """Check that the attempt is recorded without a call, and a new attempt follows after its time limit."""
    before = scene.stack.provider_stats()["calls"]["create"]
    error = "not authorized to perform: s3:PutObject"
    errors = logged(scene, "submit", error)
    with scene.without():
        run = scene.drop()
        scene.wait(lambda: logged(scene, "submit", error) > errors or None, "refusal in the log")
        assert run.has("batches/1/attempt-1.json")
        assert not scene.stack.keys(f"claims/attempts/{run.run}/")
    run.backdate("batches/1/attempt-1.json")
    assert run.first_status() == "completed"
    assert scene.stack.keys(f"claims/attempts/{run.run}/") == [f"claims/attempts/{run.run}/1-2"]
    assert scene.stack.provider_stats()["calls"]["create"] == before + 1


def loses_the_failure(scene: Scene) -> None:
    """Check that a failed event is in no queue; Lambda only counts the failed delivery in a metric."""
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
    """Check that poll waits for another run's batch, since it cannot read the claim and the batch may be ours."""
    lines = "\n".join(LINE.replace('"a"', f'"{number}"') for number in range(7))  # a size that no other batch has
    scene.stack.provider_settings({"seconds": None} | BARE)
    other = scene.drop(lines, "inbox/another.jsonl")
    scene.wait_for_key(f"claims/batches/{other.fact('batches/1/batch-1.json')['id']}")
    scene.stack.provider_settings({"faults": [{"call": "create", "do": {"kind": "lose", "when": "before"}}]})
    with scene.without():
        run = scene.drop(lines)
        over = datetime.fromisoformat(run.fact("batches/1/unknown-1.json")["at"])
        settled = over + timedelta(seconds=int(SHORT_TIMES["settle-seconds"]))
        scene.wait(lambda: datetime.now(UTC) > settled or None, "end of the settle time")
        events = len(run.events())
        scene.wait(lambda: len(run.events()) > events + 40 or None, "four more polls")
        assert not run.has("batches/1/absent-1.json")
    run.fact("batches/1/attempt-2.json")
    scene.stack.provider_settings({"seconds": 0})
    assert {one.first_status() for one in (run, other)} == {"completed"}


def cannot_mark_itself_as_waiting(scene: Scene) -> None:
    """Check that with a full queue a run that cannot write its wait mark fails; with the permission it waits."""
    scene.stack.provider_settings({"seconds": None})
    full = "\n".join(LINE.replace('"a"', f'"{number}"') for number in range(int(LOW_LIMITS["MaxQueuedRequests"])))
    other = scene.drop(full, "inbox/full.jsonl")
    other.fact("batches/2/batch-1.json")
    with scene.without():
        run = scene.drop()
        scene.wait(lambda: scene.refusal(run, "s3:PutObject"), "task that may not write")
    scene.wait(lambda: [key for key in scene.stack.keys("claims/waiting/") if run.run in key] or None, "wait mark")
    assert not run.has("batches/1/attempt-1.json")
    scene.stack.provider_settings({"seconds": 0})
    assert {one.first_status() for one in (run, other)} == {"completed"}


def gives_turns_by_age(scene: Scene) -> None:
    """Check that a project that has half of the queue goes first, since its run is older; and last with the permission.

    Each drop is one batch, which takes half of the queue.
    """
    scene.stack.provider_settings({"seconds": None})

    def drop(name: str, project: str) -> LiveRun:
        time.sleep(1)  # runs are ordered by seconds
        lines = "\n".join(
            LINE.replace('"a"', f'"{name}-{n}"') for n in range(int(LOW_LIMITS["max-requests-per-batch"]))
        )
        run = scene.drop(lines, f"inbox/turns/{name}.jsonl", {"project": project})
        run.wait(lambda: run.has("batches/1/batch-1.json") or marks(run) or None, "batch or wait mark")
        return run

    def marks(run: LiveRun) -> list[str]:
        return [key for key in scene.stack.keys("claims/waiting/") if run.run in key]

    running = [drop(f"running-{number}", "team-a") for number in range(2)]
    older = [drop(f"older-{number}", "team-a") for number in range(2)]
    younger = drop("younger", "team-b")
    assert not any(run.has("batches/1/attempt-1.json") for run in (*older, younger))
    with scene.without():
        running[0].write_control("cancel", "stop")
        older[0].fact("batches/1/batch-1.json")
        assert not younger.has("batches/1/attempt-1.json")
    running[1].write_control("cancel", "stop")
    younger.fact("batches/1/batch-1.json")
    assert not older[1].has("batches/1/attempt-1.json")
    scene.stack.provider_settings({"seconds": 0})
    assert {run.ended() for run in (*running, *older, younger)} == {"SUCCEEDED"}


def counts_as_a_fault(scene: Scene) -> None:
    """Check that a run is told that the limits cannot be read, and does not go on as if there were none."""
    with limited(scene, {}):
        with scene.without():
            run = scene.drop()
            (fault,) = run.fact("run.json")["config_faults"]
            assert "HTTP 403" in fault
        other = scene.drop(f"{LINE}\n", "inbox/readable.jsonl")
        assert other.fact("run.json")["config_faults"] == []
        run.write_control("cancel", "stop")
        assert run.ended() == other.ended() == "SUCCEEDED"


@contextmanager
def limited(scene: Scene, limits: Any) -> Iterator[None]:
    """Write limits of projects for the length of the block."""
    s3, bucket, key = scene.stack.s3, scene.stack.bucket, "config/budgets.json"
    s3.put_object(Bucket=bucket, Key=key, Body=json.dumps(limits))
    try:
        yield
    finally:
        s3.delete_object(Bucket=bucket, Key=key)


def under_a_ceiling(check: Callable[[Scene], None]) -> Callable[[Scene], None]:
    """Run a check with a drop whose project may spend little more in a day than the drop may cost."""

    def checked(scene: Scene) -> None:
        other = scene.drop(f"{LINE}\n", "inbox/priced.jsonl", {"dry-run": "yes"})
        most = other.receipt()["at_most_usd"]
        with limited(scene, {"projects": {scene.role: {"usd_per_day": round(most * 1.1, 9)}}}):
            check(scene)

    return checked


def keeps_the_gate_closed(scene: Scene) -> None:
    """Check that a run which waits for right limits waits until poll can read that they are."""
    run = scene.drop(metadata={"hold": "always"})
    assert run.first_status() == WAITING
    with limited(scene, "no limits"):
        run.write_control("approve-1", "approve")
        assert [reason["code"] for reason in run.fact("gate-2.json")["reasons"]] == ["budgets-unread"]
        with scene.without(), limited(scene, {}):
            events = len(run.events())
            scene.wait(lambda: len(run.events()) > events + 40 or None, "four more polls")
            assert not run.has("passed-2.json")
    assert run.fact("passed-2.json")["how"] == "repaired"
    assert run.receipt()["status"] == "completed"


def cannot_claim_what_it_adopts(scene: Scene) -> None:
    """Check that a lost batch is adopted only after its claim is written."""
    stops_the_run("s3:PutObject", faults=[LOST_ANSWER])(scene)
    batch = scene.stack.provider_stats()["batches"][-1]["id"]
    scene.wait_for_key(f"claims/batches/{batch}")


def cannot_read_a_decision(scene: Scene) -> None:
    """Check that poll fails while it cannot read an operator's decision, and then follows it."""
    scene.stack.provider_settings({"seconds": None, "faults": [LOST_ANSWER]} | BARE)
    with scene.without():
        run = scene.drop()
        run.fact("batches/1/unknown-1.json")
        batch = scene.stack.provider_stats()["batches"][-1]["id"]
        run.write_control("batches/1/attempt-1", f"adopt {batch}")
        scene.wait(lambda: scene.refusal(run, "s3:GetObject"), "task that may not read")
        assert not run.messages()
        assert not run.has("batches/1/batch-1.json")
    adopted = run.fact("batches/1/batch-1.json")
    assert (adopted["id"], adopted["released"]) == (batch, True)
    scene.stack.provider_settings({"seconds": 0})
    assert run.first_status() == "completed"


def sends_the_message_alone(scene: Scene) -> None:
    """Check that the message comes without the permission, and the event as soon as there is one; never twice."""
    aws, name = scene.stack.aws, "events-of-runs"
    sqs, events = aws.client("sqs"), aws.client("events")
    statement = {"Effect": "Allow", "Principal": "*", "Action": "sqs:SendMessage", "Resource": "*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    url = sqs.create_queue(QueueName=name, Attributes={"Policy": policy})["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    pattern = {"source": ["conveyor"], "detail": {"name": [scene.key.removeprefix("inbox/").removesuffix(".jsonl")]}}
    events.put_rule(Name=name, EventPattern=json.dumps(pattern))
    events.put_targets(Rule=name, Targets=[{"Id": "1", "Arn": arn}])

    def came() -> list[Any] | None:
        return sqs.receive_message(QueueUrl=url).get("Messages") or None

    with scene.without():
        run = scene.drop()
        assert run.first_status() == "completed"
        scene.wait(lambda: scene.refusal(run, "events:PutEvents"), "task that may not send")
        assert came() is None
    (event,) = scene.wait(came, "event")
    detail = json.loads(event["Body"])["detail"]
    assert (detail["id"], detail["status"], detail["results"]) == (f"{run.run}/ended", "completed", 1)
    assert run.ended() == "SUCCEEDED"
    assert len(run.messages()) == 1


def cannot_log(scene: Scene) -> None:
    """Check that Step Functions refuses a machine that logs; it tries the role whenever the machine is written."""
    states = scene.stack.states
    names = [each["stateMachineArn"] for each in states.list_state_machines()["stateMachines"]]
    machines: list[Any] = [states.describe_state_machine(stateMachineArn=arn) for arn in names]
    (machine,) = [each for each in machines if each["roleArn"].endswith(f"/{scene.role}")]
    assert machine["loggingConfiguration"]["level"] == "ERROR"
    assert machine["loggingConfiguration"]["includeExecutionData"] is False
    asked: Any = {key: machine[key] for key in ("stateMachineArn", "loggingConfiguration")}
    with scene.without(), pytest.raises(states.exceptions.ClientError, match="not authorized to access the Log"):
        states.update_state_machine(**asked)
    states.update_state_machine(**asked)


def does_not_report_an_aborted_run(scene: Scene) -> None:
    """Check that an aborted run is reported, but not while the statement is missing."""

    def abort() -> str:
        machine, name = scene.stack.outputs["StateMachineArn"], f"aborted-{time.time_ns()}"
        started = scene.stack.states.start_execution(
            stateMachineArn=machine, name=name, input='{"wait_seconds": 60000}'
        )
        scene.stack.states.stop_execution(executionArn=started["executionArn"])
        return name

    def is_reported(name: str) -> bool:
        return any(name in message.text and message.subject for message in scene.stack.messages())

    with scene.without():
        name = abort()
        time.sleep(1)
        assert not is_reported(name)
    other = abort()
    scene.wait(lambda: is_reported(other) or None, "message about an aborted run")


def cannot_continue_a_join(scene: Scene) -> None:
    """Check that the run fails where another invocation began to join a file, until it may see what was written."""
    scene.stack.provider_settings({"seconds": 2})
    with scene.without():
        run = scene.drop(LARGE_RESULTS)
        key = f"results/{scene.role}/{scene.sid}/{run.run}/results.jsonl"
        begun = scene.stack.s3.create_multipart_upload(Bucket=scene.stack.bucket, Key=key, ChecksumAlgorithm="CRC32")
        joining = {"writer": "test", "at": datetime.now(UTC).isoformat(), "upload_id": begun["UploadId"]}
        fact = f"runs/{run.run}/joining-results-1.json"
        scene.stack.s3.put_object(Bucket=scene.stack.bucket, Key=fact, Body=json.dumps(joining))
        scene.wait(lambda: scene.refusal(run, "s3:ListMultipartUploadParts"), "task that may not list parts")
    assert run.first_status() == "completed"
    assert run.has("joining-results-2.json"), "that upload does not say for which pieces it is"


def in_turn(*checks: Callable[[Scene], None]) -> Callable[[Scene], None]:
    """Run several checks, for a statement that allows several actions."""

    def check(scene: Scene) -> None:
        for one in checks:
            one(scene)
            scene.stack.provider_settings({"seconds": 0, "faults": []})

    return check


REACHED = "budget-reached"
PACKED = compress(LINE.encode(), mtime=0)
TWO_BATCHES = "\n".join(
    LINE.replace('"a"', f'"{number}"') for number in range(int(LOW_LIMITS["max-requests-per-batch"]) + 1)
)
LARGE_RESULTS = "\n".join(json.dumps(json.loads(line) | {"note": 14_000 * "x"}) for line in TWO_BATCHES.splitlines())
"""More than 5 MiB, so that they are joined in an upload of several parts."""
LOST_ANSWER = {"call": "create", "do": {"kind": "lose", "when": "after"}}
REFUSED_KEY = {"kind": "answer", "status": 401}  # makes a function read the key again, which it caches for minutes
ASKED_OF_POLL = {"call": "retrieve", "do": REFUSED_KEY, "times": None}
ASKED_OF_SPLIT = ASKED_OF_POLL | {"after": 1}

SCENES = {
    ("SubmitRole", "WriteLogs"): leaves_no_log("submit"),
    ("SubmitRole", "ReadDrop"): fails_the_upload("not authorized to perform: s3:GetObjectVersion"),
    ("SubmitRole", "ReadAndWriteLedger"): fails_the_upload("not authorized to perform: s3:PutObject"),
    ("SubmitRole", "WriteContent"): stops_the_run("s3:PutObject", PACKED, expired="validation.json"),
    ("SubmitRole", "ReadLines"): stops_the_run("s3:GetObject", PACKED, expired="validation.json"),
    ("SubmitRole", "ReadLinesOfRounds"): stops_the_run(
        "s3:GetObject", status="failed", metadata={"retry-rounds": "1"}, outcomes={"1": "expired"}
    ),
    ("SubmitRole", "ListLedger"): stops_the_run("s3:ListBucket"),
    ("SubmitRole", "ClaimBatch"): leaves_the_claim_to_poll,
    ("SubmitRole", "ReadClaims"): gives_turns_by_age,
    ("SubmitRole", "ClaimContent"): stops_the_run("s3:PutObject", expired="validation.json"),
    ("SubmitRole", "ClaimAttempt"): keeps_from_paying,
    ("SubmitRole", "WriteIndex"): fails_the_upload("not authorized to perform: s3:PutObject"),
    ("SubmitRole", "MarkWaiting"): cannot_mark_itself_as_waiting,
    ("SubmitRole", "ListWaiting"): stops_the_run("s3:ListBucket"),
    ("SubmitRole", "ClaimSpending"): under_a_ceiling(stops_the_run("s3:PutObject", status=REACHED)),
    ("SubmitRole", "ListSpending"): under_a_ceiling(stops_the_run("s3:ListBucket", status=REACHED)),
    ("SubmitRole", "ReadConfig"): counts_as_a_fault,
    ("SubmitRole", "ListConfig"): counts_as_a_fault,
    ("SubmitRole", "WriteFaults"): stops_the_run(
        "s3:PutObject", f"{LINE}\nno JSON", "refused", expired="validation.json"
    ),
    ("SubmitRole", "ReadApiKey"): stops_the_run("secretsmanager:GetSecretValue"),
    ("SubmitRole", "StartRun"): fails_the_upload("not authorized to perform: states:StartExecution"),
    ("SubmitRole", "QueueFailure"): loses_the_failure,
    ("PollRole", "WriteLogs"): leaves_no_log("poll"),
    ("PollRole", "ReadAndWriteLedger"): stops_the_run("s3:GetObject"),
    ("PollRole", "ListLedger"): stops_the_run("s3:ListBucket"),
    ("PollRole", "ReadAndWriteClaims"): in_turn(holds_up_a_resend, cannot_claim_what_it_adopts),
    ("PollRole", "TellOfSpending"): under_a_ceiling(stops_the_run("s3:PutObject", status=REACHED)),
    ("PollRole", "ListIndex"): under_a_ceiling(stops_the_run("s3:ListBucket", status=REACHED)),
    ("PollRole", "ReadConfig"): keeps_the_gate_closed,
    ("PollRole", "ListConfig"): keeps_the_gate_closed,
    ("PollRole", "ReadControl"): cannot_read_a_decision,
    ("PollRole", "ListControl"): stops_the_run("s3:ListBucket"),
    ("PollRole", "ReadApiKey"): stops_the_run("secretsmanager:GetSecretValue", faults=[ASKED_OF_POLL]),
    ("SplitRole", "WriteLogs"): leaves_no_log("split"),
    ("SplitRole", "ReadDrop"): stops_the_run("s3:GetObjectVersion"),
    ("SplitRole", "ReadAndWriteLedger"): stops_the_run("s3:GetObject"),
    ("SplitRole", "WriteContent"): stops_the_run("s3:PutObject", TWO_BATCHES, outcomes={"1": "expired"}),
    ("SplitRole", "ReadLines"): stops_the_run("s3:GetObject", PACKED),
    ("SplitRole", "ReadLegs"): stops_the_run("s3:GetObject", metadata={"probe": "yes"}),
    ("SplitRole", "ListLedger"): stops_the_run("s3:ListBucket"),
    ("SplitRole", "WriteOutputs"): stops_the_run("s3:PutObject"),
    ("SplitRole", "ReadApiKey"): stops_the_run("secretsmanager:GetSecretValue", faults=[ASKED_OF_SPLIT]),
    ("ReportRole", "WriteLogs"): leaves_no_log("report"),
    ("ReportRole", "ReadLedger"): stops_the_run("s3:GetObject"),
    ("ReportRole", "ListLedger"): stops_the_run("s3:ListBucket"),
    ("ReportRole", "NoteJoins"): stops_the_run("s3:PutObject", LARGE_RESULTS),
    ("ReportRole", "ContinueJoins"): cannot_continue_a_join,
    ("ReportRole", "ReadContent"): stops_the_run("s3:GetObject", TWO_BATCHES),
    ("ReportRole", "ListContent"): stops_the_run("s3:ListBucket"),
    ("ReportRole", "LetContentExpire"): stops_the_run("s3:PutObjectTagging", TWO_BATCHES),
    ("ReportRole", "WriteOutputs"): stops_the_run("s3:PutObject"),
    ("ReportRole", "WriteIndex"): stops_the_run("s3:PutObject"),
    ("MachineRole", "InvokeFunctions"): stops_the_run("lambda:InvokeFunction"),
    ("MachineRole", "PublishMessage"): stops_the_run("sns:Publish"),
    ("MachineRole", "UseTopicKey"): stops_the_run("kms:GenerateDataKey"),
    ("MachineRole", "SendEvent"): sends_the_message_alone,
    ("MachineRole", "DeliverLogs"): cannot_log,
    ("RedRuleRole", "StartTelling"): does_not_report_an_aborted_run,
    ("RedMachineRole", "PublishMessage"): does_not_report_an_aborted_run,
    ("RedMachineRole", "UseTopicKey"): does_not_report_an_aborted_run,
    ("RedMachineRole", "DeliverLogs"): cannot_log,
}


pytestmark = pytest.mark.parametrize("stack", ["messages"], indirect=True)
"""Permissions do not depend on the dialect; the other tests show that no role lacks one in the file dialect."""


@pytest.fixture(scope="module")
def roles(stack: Stack) -> dict[str, str]:
    """Read the names of the deployed roles by those in the template."""
    resources = stack.aws.client("cloudformation").describe_stack_resources(StackName=STACK_NAME)["StackResources"]
    return {
        resource["LogicalResourceId"]: resource["PhysicalResourceId"]
        for resource in resources
        if resource["ResourceType"] == "AWS::IAM::Role"
    }


def test_the_statements_are_those_deployed_in_iam(stack: Stack, roles: dict[str, str]) -> None:
    """The test below covers every statement of the template and of the deployed roles."""
    deployed = {(role, statement["Sid"]) for role in roles for statement in policy_of(stack, roles[role])["Statement"]}
    assert deployed == set(STATEMENTS) == set(SCENES)


@pytest.mark.parametrize(("role", "sid"), STATEMENTS)
def test_a_run_needs_every_statement(stack: Stack, roles: dict[str, str], role: str, sid: str) -> None:
    """No role has a permission that it does not need, and none lacks one that it needs."""
    stack.provider_settings({"seconds": 0})
    SCENES[role, sid](Scene(stack, roles[role], sid))
