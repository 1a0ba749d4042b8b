"""What a run needs the permissions of `submit` for."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from tests.support.system.permissions.checks import (
    PACKED,
    REACHED,
    leaves_no_log,
    limited,
    logged,
    stops_the_run,
    under_a_ceiling,
)
from tests.support.system.runs import LOW_LIMITS, LiveRun
from tests.support.system.scene import LINE, Scene

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.system.permissions.checks import Scenes


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


def claims_later(scene: Scene) -> None:
    """Check that submit fails after creating the batch, and that the batch is claimed and not paid for again.

    Either submit makes the call: for the upload, or for the state machine if that was faster. So the claim may be
    written by poll meanwhile, or by submit once it has the permission.
    """
    before = scene.stack.provider_stats()["calls"]["create"]
    error = "not authorized to perform: s3:PutObject"
    errors = logged(scene, "submit", error)
    with scene.without():
        run = scene.drop()
        batch = run.fact("batches/1/batch-1.json")["id"]
        scene.wait(lambda: logged(scene, "submit", error) > errors or None, "refusal in the log")
    assert run.first_status() == "completed"
    assert scene.stack.keys(f"claims/batches/{batch}")
    assert scene.stack.provider_stats()["calls"]["create"] == before + 1


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


SUBMIT: Scenes = {
    ("SubmitRole", "WriteLogs"): leaves_no_log("submit"),
    ("SubmitRole", "ReadDrop"): fails_the_upload("not authorized to perform: s3:GetObjectVersion"),
    ("SubmitRole", "ReadAndWriteLedger"): fails_the_upload("not authorized to perform: s3:PutObject"),
    ("SubmitRole", "WriteContent"): stops_the_run("s3:PutObject", PACKED, expired="validation.json"),
    ("SubmitRole", "ReadLines"): stops_the_run("s3:GetObject", PACKED, expired="validation.json"),
    ("SubmitRole", "ReadLinesOfRounds"): stops_the_run(
        "s3:GetObject", status="failed", metadata={"retry-rounds": "1"}, outcomes={"1": "expired"}
    ),
    ("SubmitRole", "ListLedger"): stops_the_run("s3:ListBucket"),
    ("SubmitRole", "ClaimBatch"): claims_later,
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
}
"""By role and Sid."""
