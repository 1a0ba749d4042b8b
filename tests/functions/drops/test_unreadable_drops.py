"""A drop that cannot be read is refused in words; once it is paid for, its results come back all the same."""

import gzip
import tracemalloc
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from msgspec.structs import replace

from tests.functions.sending.test_pay_once import executions
from tests.support.belt import Belt, Task, drop_of, request
from tests.support.faults.hostile_s3 import refusing_drops
from tests.support.faults.taps import At, meanwhile
from tests.support.promises import plain
from tests.unit.s3.test_read_errors import KEYS_WORDS, SSE_C

KEY = "inbox/three.jsonl"
REFUSED = [
    (404, "NoSuchVersion", "", "drop-gone", "was deleted"),
    (405, "MethodNotAllowed", "", "drop-gone", "was deleted"),
    (403, "AccessDenied", "Access Denied", "drop-denied", "this version was deleted, or"),
    (403, "AccessDenied", KEYS_WORDS, "drop-key-refused", "kms:Decrypt"),
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
    """Run a drop to its refusal, hold that nothing was paid, and return the message."""
    notice = belt.finish(belt.submit(event)["run"])
    receipt = belt.receipt(notice["run"])
    assert notice["status"] == receipt["status"] == "refused"
    assert notice["subject"].startswith("Conveyor: refused three (")
    assert f"was refused: {receipt['reason']}" in plain(notice["message"])
    assert belt.creates() == (0, 0)
    return notice | {"code": receipt["code"]}


@pytest.mark.parametrize(("status", "code", "told", "kind", "words"), REFUSED)
def test_a_drop_that_s3_does_not_give_is_refused_at_once(  # noqa: PLR0913, PLR0917  # a row of the table
    belt: Belt, status: int, code: str, told: str, kind: str, words: str
) -> None:
    """Each kind with its own code, words and next step; nothing is tried for a day."""
    event = belt.drop(drop_of(2))
    _ = belt.clients.bucket
    began = belt.moment
    with refusing_drops(belt.clients, status, code, told):
        notice = refusal(belt, event)
    assert notice["code"] == kind
    assert words in plain(notice["message"])
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
def test_a_drop_that_is_stored_in_another_way_is_refused_at_once(belt: Belt, more: dict[str, Any], kind: str) -> None:
    """As the local S3 answers for such an object by itself."""
    put = belt.s3.put_object(Bucket=belt.bucket, Key=KEY, Body=drop_of(2), **more)
    assert refusal(belt, belt.event_of(KEY, put, len(drop_of(2))))["code"] == kind


@pytest.mark.local_aws
def test_an_archived_drop_runs_when_the_commands_of_its_message_were_typed(belt: Belt) -> None:
    """Restored, and copied onto itself with another storage class; its own settings stay."""
    own = {"on-invalid": "skip"}
    put = belt.s3.put_object(
        Bucket=belt.bucket, Key=KEY, Body=drop_of(2) + b"[]\n", StorageClass="GLACIER", Metadata=own
    )
    message = refusal(belt, belt.event_of(KEY, put, 9))["message"]
    restore, copy, again = [line.strip() for line in message.splitlines() if line.startswith("  aws")]
    named = {"Bucket": belt.bucket, "Key": KEY}
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
    belt.s3.restore_object(**named, VersionId=put["VersionId"], RestoreRequest={"Days": 7})
    answer = belt.s3.copy_object(**named, CopySource=source, StorageClass="STANDARD")
    notice = belt.finish(belt.submit(belt.event_of(KEY, answer, 9))["run"])
    assert (notice["status"], notice["results"]) == ("completed", 2)


def test_a_version_that_is_gone_before_submit_looks_is_a_refusal(belt: Belt, machine: str) -> None:
    """Also if the event comes again: one run, one execution."""
    event = belt.drop(drop_of(2))
    delete(belt)
    run = refusal(belt, event)["run"]
    assert belt.submit(event)["run"] == run
    assert executions(belt, machine) == [run]


def test_a_delete_marker_hides_no_version(belt: Belt) -> None:
    """An object that was deleted in the usual way can still be read by its version."""
    event = belt.drop(drop_of(2))
    belt.s3.delete_object(Bucket=belt.bucket, Key=KEY)
    assert belt.finish(belt.submit(event)["run"])["status"] == "completed"


def test_an_event_without_a_version_and_without_an_object_is_ignored(belt: Belt) -> None:
    """Nothing is left that could be told apart from another upload."""
    event = belt.drop(drop_of(2))
    del event["detail"]["object"]["version-id"]
    delete(belt)
    assert belt.submit(event) == {"ignored": KEY}
    assert belt.stored("runs/") == []


@pytest.mark.parametrize("is_over", [False, True])
def test_an_event_that_is_repeated_when_its_drop_is_gone_finds_its_run(
    belt: Belt, machine: str, *, is_over: bool
) -> None:
    """The run is named after what S3 said while the drop was there, and the event was made some time later."""
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


def test_an_event_that_is_repeated_when_its_drop_can_be_read_again_finds_the_run_that_was_refused(belt: Belt) -> None:
    """That run is named after the event, since S3 had told no moment; a second one would be paid for in silence."""
    event = belt.drop(drop_of(2), KEY)
    event["time"] = (belt.moment + timedelta(seconds=7)).isoformat()
    _ = belt.clients.bucket
    with refusing_drops(belt.clients, 400, "KMS.DisabledException", "disabled"):
        first = belt.finish(belt.submit(event)["run"])
    assert first["status"] == "refused"
    assert belt.submit(event)["run"] == first["run"]
    assert belt.creates() == (0, 0)


def test_an_object_without_a_version_is_told_apart_by_the_moment_it_came(belt: Belt) -> None:
    """Where versioning is off, every object of a key has the same name: another one is no repetition."""
    events = [belt.drop(drop_of(2)) for _ in range(2)]
    for day, event in enumerate(events):
        event["detail"]["object"]["version-id"] = "null"
        event["time"] = (belt.moment + timedelta(days=day)).isoformat()
    delete(belt)
    assert len({refusal(belt, event)["run"] for event in events}) == 2


def test_another_upload_of_the_key_is_not_taken_for_the_one_that_is_gone(belt: Belt) -> None:
    """Only the very version is the same drop."""
    other = belt.finish(belt.upload(drop_of(3)))["run"]
    event = belt.drop(drop_of(2))
    delete(belt)
    run = belt.submit(event)["run"]
    assert run != other
    assert belt.finish(run)["status"] == "refused"


def test_a_drop_that_is_gone_before_it_is_sent_is_refused_without_an_intent(belt: Belt) -> None:
    """Ten attempts would be announced, and none of them could be made."""
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


def test_batches_that_were_sent_are_collected_when_the_drop_is_gone_before_the_next(
    belt: Belt, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The rest is refused; all outcomes stand under line numbers, and the numbers add up."""
    monkeypatch.setenv("CONVEYOR_MAX_REQUESTS_PER_BATCH", "3")
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


def test_a_drop_that_is_gone_in_the_middle_of_the_call_ends_in_a_refusal(belt: Belt) -> None:
    """Nobody knows what became of the call: it is looked for, and then there is nothing left to send."""
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


@pytest.fixture
def paid(belt: Belt, monkeypatch: pytest.MonkeyPatch) -> str:
    """Give a run whose batch has ended: 6 lines, of which the 2nd expired and the 4th failed."""
    monkeypatch.setenv("CONVEYOR_POLL_MAX_SECONDS", "3600")
    belt.provider.configure(outcomes={"2": "expired", "4": "errored:invalid_request_error"})
    return belt.upload(drop_of(6))


def test_results_come_back_when_the_drop_is_gone(belt: Belt, paid: str) -> None:
    """Every paid answer, in the order of line numbers; nothing can be sent again, and the message says so."""
    delete(belt)
    began = belt.moment
    notice = belt.finish(paid)
    assert belt.moment - began < timedelta(minutes=10)
    assert notice["status"] == "completed"
    results, failures = belt.lines("results/", "results.jsonl"), belt.lines("failures/", "failures.jsonl")
    assert [(line["custom_id"], line["line"]) for line in results] == [(None, number) for number in (1, 3, 5, 6)]
    assert all(line["response"]["content"] and line["error"] is None for line in results)
    told = [(line["custom_id"], line["line"], line["outcome"], line["retryable"]) for line in failures]
    assert told == [(None, 2, "expired", False), (None, 4, "errored", False)]
    receipt = belt.receipt()
    assert (receipt["requests"], receipt["results"], receipt["failures"], receipt["retryable"]) == (6, 4, 2, 0)
    assert "was deleted" in receipt["drop_unreadable"]
    assert "was deleted" in plain(notice["message"])
    assert "None of these can be sent again" in plain(notice["message"])
    assert "worth sending again" not in plain(notice["message"])
    assert [key for key in belt.stored("failures/") if key.endswith("retry.jsonl")] == []


def test_a_run_whose_drop_can_be_read_says_nothing_of_it(belt: Belt, paid: str) -> None:
    """And its lines are as ever."""
    notice = belt.finish(paid)
    assert belt.receipt()["drop_unreadable"] is None
    assert "could not be read" not in plain(notice["message"])
    assert all("line" not in line for line in belt.lines("results/", "results.jsonl"))


BLANKS = b"\n".join([b"", *drop_of(3).splitlines(), b"", b"nonsense", *drop_of(6).splitlines()[3:], b""])
"""Requests on lines 2, 3, 4, 7, 8 and 9; line 6 is left out."""


@pytest.mark.parametrize("spool_bytes", [9_500_000_000, 900])
def test_numbers_add_up_although_nobody_knows_which_lines_were_blank(belt: Belt, spool_bytes: int) -> None:
    """A request without a result has no line then; also where results are written as they come."""
    belt.provider.configure(outcomes={"2": "missing", "6": "expired"})
    belt.clients.environment = replace(belt.clients.environment, spool_bytes=spool_bytes)
    run = belt.upload(BLANKS, metadata={"on-invalid": "skip"})
    delete(belt)
    assert belt.finish(run)["status"] == "completed"
    assert sorted(line["line"] for line in belt.lines("results/", "results.jsonl")) == [2, 4, 7, 8]
    failures = belt.lines("failures/", "failures.jsonl")
    assert {(line["line"], line["outcome"]) for line in failures} == {(6, "invalid"), (9, "expired"), (None, "missing")}
    receipt = belt.receipt()
    assert (receipt["requests"], receipt["results"], receipt["failures"], receipt["retryable"]) == (7, 4, 3, 0)
    assert receipt["ordered"] == (spool_bytes > 900)
    assert receipt["unaccounted"] == []


@pytest.mark.parametrize("spool_bytes", [9_500_000_000, 0])
def test_millions_of_blank_lines_of_a_drop_that_is_gone_take_no_memory(belt: Belt, spool_bytes: int) -> None:
    """Nobody knows which lines they are, and nobody needs a list of them."""
    belt.provider.configure(outcomes={"1": "missing"})
    belt.clients.environment = replace(belt.clients.environment, spool_bytes=spool_bytes)
    run = belt.upload(request("r-1") + b"\n" * 500_000 + request("r-2"))
    delete(belt)
    most = list[int]()

    def traced(task: Task) -> dict[str, Any]:
        if not (isinstance(task, partial) and task.func == belt.split):
            return task()
        tracemalloc.start()
        told: dict[str, Any] = task()
        most.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        return told

    belt.finish(run, traced)
    assert [line["line"] for line in belt.lines("results/", "results.jsonl")] == [500_001]
    assert [line["line"] for line in belt.lines("failures/", "failures.jsonl")] == [None]
    assert max(most) < 10_000_000


@pytest.mark.parametrize("spool_bytes", [9_500_000_000, 900])
def test_a_missing_result_has_its_line_where_no_line_was_blank(belt: Belt, spool_bytes: int) -> None:
    """The lines of a batch without blank ones are known from its plan."""
    belt.provider.configure(outcomes={"2": "missing", "5": "missing"})
    belt.clients.environment = replace(belt.clients.environment, spool_bytes=spool_bytes)
    run = belt.upload(drop_of(6))
    delete(belt)
    assert belt.finish(run)["status"] == "completed"
    failures = belt.lines("failures/", "failures.jsonl")
    assert [(line["line"], line["outcome"], line["retryable"]) for line in failures] == [
        (2, "missing", False),
        (5, "missing", False),
    ]
    assert len(belt.facts(run, "read-")) == 2, "three complete reads, as ever"


def test_a_drop_that_goes_while_results_are_written_leaves_no_half_files(
    belt: Belt, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whichever batches are split before and after: each says by itself how its lines are named."""
    monkeypatch.setenv("CONVEYOR_MAX_REQUESTS_PER_BATCH", "3")
    run = belt.upload(drop_of(6))
    belt.poll(run)
    belt.submit({"run": run})
    assert belt.split(run, 1)["status"] == "split"
    with meanwhile(belt.clients, At("before", f"GetObject {KEY}", partial(delete, belt), nth=2)):
        assert belt.split(run, 2)["status"] == "unread"
    assert belt.finish(run)["status"] == "completed"
    named = [(line["custom_id"], line.get("line")) for line in belt.lines("results/three/", "results.jsonl")]
    assert named == [("r-1", None), ("r-2", None), ("r-3", None), (None, 4), (None, 5), (None, 6)]
    assert belt.receipt()["results"] == 6


def test_results_of_a_packed_drop_come_back_when_its_lines_are_gone(belt: Belt) -> None:
    """They are read from where they were unpacked; the drop itself is not needed any more."""
    key = "inbox/packed.jsonl.gz"
    run = belt.upload(gzip.compress(drop_of(3)), key)
    delete(belt, key)
    belt.s3.delete_object(Bucket=belt.bucket, Key=f"runs/{run}/unpacked.jsonl")
    assert belt.finish(run)["status"] == "completed"
    assert [line["line"] for line in belt.lines("results/", "results.jsonl")] == [1, 2, 3]


@pytest.mark.parametrize(("status", "code"), [(400, "KMS.DisabledException"), (403, "AccessDenied")])
def test_results_wait_a_day_for_a_drop_that_a_person_may_make_readable(
    belt: Belt, paid: str, status: int, code: str
) -> None:
    """A key that was disabled can be enabled: a message asks for it, and then the ids are known as ever."""
    with refusing_drops(belt.clients, status, code):
        for _ in range(400):
            state = belt.poll(paid)
            if state["next"] == "split":
                assert belt.split(paid)["status"] == "unread"
            else:
                belt.pass_time(state["wait_seconds"])
            if belt.notices:
                break
    (notice,) = belt.notices
    assert notice["status"] == "troubled"
    assert "the drop cannot be read" in plain(notice["message"])
    assert "within a day" in plain(notice["message"])
    belt.finish(paid)
    assert [line["custom_id"] for line in belt.lines("results/", "results.jsonl")] == ["r-1", "r-3", "r-5", "r-6"]
    assert belt.receipt()["retryable"] == 1


def test_batches_that_are_never_sent_wait_a_day_for_their_lines_too(
    belt: Belt, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They are looked at ever more rarely, and then told by line number; the first one was sent and is collected."""
    monkeypatch.setenv("CONVEYOR_MAX_REQUESTS_PER_BATCH", "3")
    monkeypatch.setenv("CONVEYOR_POLL_MAX_SECONDS", "3600")
    run, began = belt.upload(drop_of(8)), belt.moment
    assert belt.split(run, 1)["status"] == "split"
    with refusing_drops(belt.clients, 403, "AccessDenied"):
        notice = belt.finish(run)
    assert timedelta(hours=24) <= belt.moment - began <= timedelta(hours=27)
    receipt = belt.receipt()
    assert (notice["status"], receipt["code"]) == ("completed", "drop-denied")
    assert [line["custom_id"] for line in belt.lines("results/three/", "results.jsonl")] == ["r-1", "r-2", "r-3"]
    assert [line["line"] for line in belt.lines("failures/three/", "failures.jsonl")] == [4, 5, 6, 7, 8]
    assert len(belt.facts(run, "split-")) < 80
    assert [told["status"] for told in belt.notices] == ["troubled"]


def test_results_come_back_without_ids_when_nobody_makes_the_drop_readable(belt: Belt, paid: str) -> None:
    """After a day, and long before the provider deletes them."""
    began = belt.moment
    with refusing_drops(belt.clients, 400, "KMS.DisabledException"):
        notice = belt.finish(paid)
    assert timedelta(hours=24) <= belt.moment - began <= timedelta(hours=27)
    assert notice["status"] == "completed"
    assert [line["line"] for line in belt.lines("results/", "results.jsonl")] == [1, 3, 5, 6]
    assert "KMS key" in belt.receipt()["drop_unreadable"]
