"""A drop that cannot be read before it is sent is refused with the reason."""

from datetime import timedelta
from functools import partial
from typing import Any

import pytest

from tests.functions.sending.test_pay_once import executions
from tests.support.belt import Belt, drop_of, request
from tests.support.faults.hostile_s3 import refusing_drops
from tests.support.faults.taps import At, meanwhile
from tests.support.promises import plain
from tests.support.settings import tune
from tests.unit.s3.test_read_errors import KMS_DENIED, SSE_C

KEY = "inbox/three.jsonl"
REFUSED = [
    (404, "NoSuchVersion", "", "drop-gone", "was deleted"),
    (405, "MethodNotAllowed", "", "drop-gone", "was deleted"),
    (403, "AccessDenied", "Access Denied", "drop-denied", "this version was deleted, or"),
    (403, "AccessDenied", KMS_DENIED, "drop-key-refused", "kms:Decrypt"),
    (400, "KMS.DisabledException", "It is disabled.", "drop-key-refused", "enable the key"),
    (400, "InvalidRequest", SSE_C, "drop-encrypted", "SSE-C"),
    (403, "InvalidObjectState", "", "drop-archived", "restore the object"),
    (400, "Odd", "", "drop-unreadable", "HTTP 400 Odd"),
]


def delete(belt: Belt, key: str = KEY) -> None:
    """Delete every version of an object."""
    for version in belt.s3.list_object_versions(Bucket=belt.bucket, Prefix=key)["Versions"]:
        belt.s3.delete_object(Bucket=belt.bucket, Key=key, VersionId=version["VersionId"])


def refusal(belt: Belt, event: dict[str, Any]) -> dict[str, Any]:
    """Run a drop to its refusal, check that nothing was charged, and return the message."""
    notice = belt.finish(belt.submit(event)["run"])
    receipt = belt.receipt(notice["run"])
    assert notice["status"] == receipt["status"] == "refused"
    assert notice["subject"].startswith("Conveyor: refused three (")
    assert f"was refused: {receipt['reason']}" in plain(notice["message"])
    assert belt.creates() == (0, 0)
    return notice | {"code": receipt["code"]}


@pytest.mark.parametrize(("status", "error", "detail", "code", "reason"), REFUSED)
def test_a_drop_that_s3_does_not_give_is_refused_at_once(  # noqa: PLR0913, PLR0917  # a row of the table
    belt: Belt, status: int, error: str, detail: str, code: str, reason: str
) -> None:
    """Each S3 error has its own code, reason and next step, and is not retried for a day."""
    event = belt.drop(drop_of(2))
    _ = belt.clients.bucket
    began = belt.moment
    with refusing_drops(belt.clients, status, error, detail):
        notice = refusal(belt, event)
    assert notice["code"] == code
    assert reason in plain(notice["message"])
    assert "arn:" not in plain(notice["message"])
    assert belt.moment - began < timedelta(minutes=1)
    drop = belt.receipt()["drop"]
    assert (drop["version"], drop["bytes"]) == (event["detail"]["object"]["version-id"], len(drop_of(2)))


@pytest.mark.local_aws
@pytest.mark.parametrize(
    ("more", "kind"),
    [
        ({"SSECustomerAlgorithm": "AES256", "SSECustomerKey": b"k" * 32}, "drop-encrypted"),
        ({"StorageClass": "GLACIER"}, "drop-archived"),
        ({"StorageClass": "DEEP_ARCHIVE"}, "drop-archived"),
    ],
    ids=["SSE-C", "GLACIER", "DEEP_ARCHIVE"],
)
def test_a_drop_stored_encrypted_or_archived_is_refused_at_once(belt: Belt, more: dict[str, Any], kind: str) -> None:
    """The local S3 itself gives these errors."""
    put = belt.s3.put_object(Bucket=belt.bucket, Key=KEY, Body=drop_of(2), **more)
    assert refusal(belt, belt.event_of(KEY, put, len(drop_of(2))))["code"] == kind


@pytest.mark.local_aws
def test_an_archived_drop_runs_after_the_commands_of_its_message(belt: Belt) -> None:
    """It is restored and copied onto itself with another storage class; its metadata stays."""
    metadata = {"on-invalid": "skip"}
    put = belt.s3.put_object(
        Bucket=belt.bucket, Key=KEY, Body=drop_of(2) + b"[]\n", StorageClass="GLACIER", Metadata=metadata
    )
    message = refusal(belt, belt.event_of(KEY, put, 9))["message"]
    restore, copy, again = [line.strip() for line in message.splitlines() if line.startswith("    aws")]
    target = {"Bucket": belt.bucket, "Key": KEY}
    assert restore == (
        f"aws s3api restore-object --bucket {belt.bucket} --key {KEY} --version-id={put['VersionId']} "
        f"--restore-request Days=7"
    )
    source = f"{belt.bucket}/{KEY}?versionId={put['VersionId']}"
    assert copy == (
        f"aws s3api copy-object --bucket {belt.bucket} --key {KEY} --copy-source '{source}' --storage-class STANDARD "
        "--tagging-directive REPLACE"
    )
    assert again.startswith("aws s3 cp three.jsonl s3://")
    belt.s3.restore_object(**target, VersionId=put["VersionId"], RestoreRequest={"Days": 7})
    answer = belt.s3.copy_object(**target, CopySource=source, StorageClass="STANDARD")
    notice = belt.finish(belt.submit(belt.event_of(KEY, answer, 9))["run"])
    assert (notice["status"], notice["results"]) == ("completed", 2)


def test_a_version_deleted_before_submit_reads_it_is_refused(belt: Belt, machine: str) -> None:
    """A repeated event changes nothing: one run, one execution."""
    event = belt.drop(drop_of(2))
    delete(belt)
    run = refusal(belt, event)["run"]
    assert belt.submit(event)["run"] == run
    assert executions(belt, machine) == [run]


def test_a_delete_marker_hides_no_version(belt: Belt) -> None:
    """The object can still be read by its version id."""
    event = belt.drop(drop_of(2))
    belt.s3.delete_object(Bucket=belt.bucket, Key=KEY)
    assert belt.finish(belt.submit(event)["run"])["status"] == "completed"


def test_an_event_without_a_version_and_without_an_object_is_ignored(belt: Belt) -> None:
    """Nothing distinguishes it from another upload of the key."""
    event = belt.drop(drop_of(2))
    del event["detail"]["object"]["version-id"]
    delete(belt)
    assert belt.submit(event) == {"ignored": KEY}
    assert belt.stored("runs/") == []


@pytest.mark.parametrize("is_over", [False, True])
def test_a_repeated_event_finds_its_run_after_the_drop_was_deleted(belt: Belt, machine: str, *, is_over: bool) -> None:
    """The run's name has the object's time from S3, which can differ from the event's time."""
    belt.provider.configure(seconds=0 if is_over else None)
    event = belt.drop(drop_of(2)) | {"time": (belt.moment + timedelta(hours=3)).isoformat()}
    run = belt.submit(event)["run"]
    if is_over:
        belt.finish(run)
    delete(belt)
    assert belt.submit(event)["run"] == run
    assert {key.split("/")[1] for key in belt.stored("runs/")} == {run}
    assert executions(belt, machine) == [run]
    assert belt.creates() == (1, 1)


def test_a_repeated_event_finds_the_refused_run_after_the_drop_became_readable(belt: Belt) -> None:
    """That run's name has the event's time, since S3 gave none; a second run would be charged unexpectedly."""
    event = belt.drop(drop_of(2), KEY)
    event["time"] = (belt.moment + timedelta(seconds=7)).isoformat()
    _ = belt.clients.bucket
    with refusing_drops(belt.clients, 400, "KMS.DisabledException", "disabled"):
        first = belt.finish(belt.submit(event)["run"])
    assert first["status"] == "refused"
    assert belt.submit(event)["run"] == first["run"]
    assert belt.creates() == (0, 0)


def test_objects_without_a_version_are_distinguished_by_time(belt: Belt) -> None:
    """Without versioning, every upload of a key has the same identity: a later event is a new upload."""
    events = [belt.drop(drop_of(2)) for _ in range(2)]
    for day, event in enumerate(events):
        event["detail"]["object"]["version-id"] = "null"
        event["time"] = (belt.moment + timedelta(days=day)).isoformat()
    delete(belt)
    assert len({refusal(belt, event)["run"] for event in events}) == 2


def test_another_upload_of_the_key_is_not_taken_for_the_deleted_one(belt: Belt) -> None:
    """Only the same version is the same drop."""
    other = belt.finish(belt.upload(drop_of(3)))["run"]
    event = belt.drop(drop_of(2))
    delete(belt)
    run = belt.submit(event)["run"]
    assert run != other
    assert belt.finish(run)["status"] == "refused"


def test_a_drop_deleted_before_it_is_sent_is_refused_without_an_attempt(belt: Belt) -> None:
    """Otherwise ten attempts would be recorded, none of which could succeed."""
    belt.function_seconds = 659  # checked, and no time left to send
    run = belt.upload(drop_of(2))
    delete(belt)
    belt.function_seconds = 900
    began = belt.moment
    notice = belt.finish(run)
    assert (notice["status"], belt.receipt()["code"]) == ("refused", "drop-gone")
    assert belt.facts(run, "attempt") == []
    assert belt.creates() == (0, 0)
    assert belt.moment - began < timedelta(minutes=10)


def test_sent_batches_are_collected_when_the_drop_is_deleted_before_the_next(
    belt: Belt, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The rest is never sent; all outcomes have line numbers, and the counts add up."""
    tune(monkeypatch, max_requests_per_batch=3)
    run = belt.upload(drop_of(8))
    delete(belt)
    notice = belt.finish(run)
    receipt = belt.receipt()
    assert (notice["status"], receipt["code"]) == ("completed", "drop-gone")
    assert (receipt["requests"], receipt["results"], receipt["failures"], receipt["retryable"]) == (8, 3, 5, 0)
    assert [line["line"] for line in belt.lines("results/", "results.jsonl")] == [1, 2, 3]
    failures = belt.lines("failures/", "failures.jsonl")
    assert [(line["line"], line["error"]["type"]) for line in failures] == [(n, "never_sent") for n in range(4, 9)]
    assert not any(line["retryable"] for line in failures)
    assert belt.creates() == (1, 1)


def test_a_drop_deleted_during_the_create_call_is_refused(belt: Belt) -> None:
    """The call's outcome is unknown, so a batch is searched; after that there is nothing left to send."""
    data = b"".join(request(f"r-{number}", system="x" * 1_000_000) + b"\n" for number in range(10))
    belt.function_seconds = 659
    run = belt.upload(data)
    belt.function_seconds = 900
    belt.poll(run)
    belt.pass_time(900)
    gone = At("before", f"GetObject {KEY} bytes=8388608-", partial(delete, belt))
    with meanwhile(belt.clients, gone):
        belt.submit({"run": run})
    assert belt.fact(run, "batches/1/unknown-1.json")["reason"] == "drop-gone while the batch was sent"
    notice = belt.finish(run)
    assert (notice["status"], belt.receipt()["code"]) == ("refused", "drop-gone")
    assert belt.creates()[1] == 0
    assert belt.facts(run, "attempt") == ["batches/1/attempt-1.json"]
