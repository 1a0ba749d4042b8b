"""What the end of a run needs permissions for: those of `split`, `report` and the state machines."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.system.permissions.checks import (
    ASKED_OF_SPLIT,
    LARGE_RESULTS,
    PACKED,
    TWO_BATCHES,
    leaves_no_log,
    stops_the_run,
)

if TYPE_CHECKING:
    from tests.support.system.permissions.checks import Scenes
    from tests.support.system.scene import Scene


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


ENDS: Scenes = {
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
"""By role and Sid."""
