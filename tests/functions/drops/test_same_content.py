"""The same content under the same key is paid for once, however it was uploaded: an ETag does not identify it."""

import gzip
import hashlib
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Any

import pytest

from tests.support.belt import Belt, drop_of, request
from tests.support.faults.taps import together
from tests.support.promises import plain

MIB = 1 << 20
KEY = "inbox/large.jsonl"

pytestmark = pytest.mark.local_aws
"""The ways to store the same content in S3: in parts, as a copy, encrypted, in another storage class."""


@cache
def large() -> bytes:
    """Return a drop of nine lines of 1 MiB."""
    return b"".join(request(f"r-{number}", system="x" * MIB) + b"\n" for number in range(9))


def put_in_parts(belt: Belt, data: bytes, part_bytes: int, key: str = KEY) -> dict[str, Any]:
    """Put an object as `aws s3 cp` puts a large one, and return its upload event."""
    target = {"Bucket": belt.bucket, "Key": key}
    upload = target | {"UploadId": belt.s3.create_multipart_upload(**target)["UploadId"]}
    parts = []
    for number, begin in enumerate(range(0, len(data), part_bytes), 1):
        answer = belt.s3.upload_part(**upload, PartNumber=number, Body=data[begin : begin + part_bytes])
        parts.append({"PartNumber": number, "ETag": answer["ETag"]})
    return belt.event_of(key, belt.s3.complete_multipart_upload(**upload, MultipartUpload={"Parts": parts}), len(data))


def copy_onto_itself(belt: Belt, metadata: dict[str, str], key: str = KEY, **more: Any) -> dict[str, Any]:
    """Edit an object's metadata as the console does, and return its upload event."""
    source = {"Bucket": belt.bucket, "Key": key}
    answer = belt.s3.copy_object(**source, CopySource=source, MetadataDirective="REPLACE", Metadata=metadata, **more)
    return belt.event_of(key, answer, belt.s3.head_object(**source)["ContentLength"])


def etag(belt: Belt, key: str = KEY) -> str:
    """Return the ETag of the newest version."""
    tag: str = belt.s3.head_object(Bucket=belt.bucket, Key=key)["ETag"]
    return tag.strip('"')


def end(belt: Belt, event: dict[str, Any]) -> dict[str, Any]:
    """Run a drop to its end, and return its message."""
    return belt.finish(belt.submit(event)["run"])


def test_the_local_s3_gives_a_copy_the_etag_of_its_content(belt: Belt) -> None:
    """As S3 does, even if the source was uploaded in parts; version, response and listing agree."""
    put_in_parts(belt, large(), 8 * MIB)
    before = etag(belt)
    assert before.endswith("-2")
    plain = hashlib.md5(large(), usedforsecurity=False).hexdigest()
    answer = belt.s3.copy_object(
        Bucket=belt.bucket, Key="copy", CopySource={"Bucket": belt.bucket, "Key": KEY}, MetadataDirective="COPY"
    )
    assert answer["CopyObjectResult"]["ETag"].strip('"') == etag(belt, "copy") == plain
    listed = belt.s3.list_object_versions(Bucket=belt.bucket, Prefix="copy")["Versions"]
    assert [version["ETag"].strip('"') for version in listed] == [plain]
    copy_onto_itself(belt, {"a": "b"})
    assert etag(belt) == plain
    tags = {version["ETag"].strip('"') for version in belt.s3.list_object_versions(Bucket=belt.bucket)["Versions"]}
    assert tags == {before, plain}, "the copied version must keep its ETag"


@pytest.mark.parametrize(
    "again",
    [
        lambda belt: put_in_parts(belt, large(), 5 * MIB),
        lambda belt: belt.drop(large(), KEY),
        lambda belt: copy_onto_itself(belt, {"edited": "in the console"}),
        lambda belt: copy_onto_itself(belt, {}, ServerSideEncryption="aws:kms", SSEKMSKeyId="alias/aws/s3"),
    ],
    ids=["other parts", "one piece", "metadata edited", "encrypted otherwise"],
)
def test_the_same_bytes_uploaded_in_another_way_are_not_paid_for_again(belt: Belt, again: Any) -> None:
    """Each of these changes the ETag, but not the content."""
    event = put_in_parts(belt, large(), 8 * MIB)
    first = belt.submit(event)["run"]
    assert belt.finish(first)["status"] == "completed"
    refused = end(belt, again(belt))
    assert refused["status"] == "refused"
    assert f"run {first} already" in plain(refused["message"])
    assert belt.creates() == (1, 1)


def test_the_same_packed_bytes_are_not_paid_for_again(belt: Belt) -> None:
    """The compressed content counts: the same lines compressed differently are another drop."""
    key = "inbox/packed.jsonl.gz"
    packed, otherwise = (gzip.compress(drop_of(3), level, mtime=0) for level in (9, 0))
    assert end(belt, belt.drop(packed, key))["status"] == "completed"
    assert end(belt, belt.drop(packed, key))["status"] == "refused"
    assert end(belt, copy_onto_itself(belt, {"a": "b"}, key))["status"] == "refused"
    assert end(belt, belt.drop(otherwise, key))["status"] == "completed"
    assert belt.creates() == (2, 2)


def test_a_file_that_is_moved_inside_the_inbox_runs_again(belt: Belt) -> None:
    """Another key is another drop: tomorrow's file may have the same lines on purpose."""
    event = put_in_parts(belt, large(), 8 * MIB)
    assert end(belt, event)["status"] == "completed"
    moved = "inbox/done/large.jsonl"
    source = {"Bucket": belt.bucket, "Key": KEY}
    answer = belt.s3.copy_object(Bucket=belt.bucket, Key=moved, CopySource=source)
    assert end(belt, belt.event_of(moved, answer, len(large())))["status"] == "completed"
    assert belt.creates() == (2, 2)


def test_content_refused_for_invalid_lines_can_be_dropped_again(belt: Belt) -> None:
    """Nothing was charged, and the message says how to send the valid lines."""
    data = drop_of(2) + b"nonsense\n"
    assert end(belt, belt.drop(data, KEY))["status"] == "refused"
    assert belt.stored("claims/drops/") == [], "a refused drop must have no claim"
    assert end(belt, belt.drop(data, KEY, {"on-invalid": "skip"}))["status"] == "completed"
    again = end(belt, belt.drop(data, KEY, {"on-invalid": "skip"}))
    assert again["status"] == "refused"
    assert "already" in plain(again["message"])
    assert belt.stored("failures/large/" + again["run"]) == [], "files that no receipt lists"
    assert belt.creates() == (1, 1)


def test_content_that_was_run_again_on_purpose_is_not_run_a_third_time_by_itself(belt: Belt) -> None:
    """The first run is stopped while the provider is busy, the second runs and is paid, the third is refused."""
    belt.provider.fail("create", {"kind": "answer", "status": 429, "headers": {"retry-after": "9000"}}, times=1)
    first = belt.upload(drop_of(2), KEY)
    paid = belt.upload(drop_of(2), KEY, {"again": "yes"})
    assert belt.finish(paid)["status"] == "completed"
    belt.s3.put_object(Bucket=belt.bucket, Key=f"control/{first}/cancel", Body=b"stop\n")
    assert belt.finish(first)["status"] == "stopped"
    third = belt.finish(belt.upload(drop_of(2), KEY))
    assert third["status"] == "refused"
    assert f"run {paid} already" in plain(third["message"])
    assert belt.creates() == (2, 1)


def test_a_copy_with_the_same_value_of_again_is_not_run_again(belt: Belt) -> None:
    """A change of the storage class in the console also copies the metadata: each value counts once."""
    end(belt, belt.drop(drop_of(2), KEY))
    assert end(belt, belt.drop(drop_of(2), KEY, {"again": "yes"}))["status"] == "completed"
    source = {"Bucket": belt.bucket, "Key": KEY}
    answer = belt.s3.copy_object(**source, CopySource=source, MetadataDirective="COPY", StorageClass="STANDARD_IA")
    refused = end(belt, belt.event_of(KEY, answer, len(drop_of(2))))
    assert (refused["status"], belt.creates()) == ("refused", (2, 2))
    word = f"again={refused['run']}"
    assert word in plain(refused["message"])
    for status, calls in (("completed", 3), ("refused", 3)):
        assert end(belt, belt.drop(drop_of(2), KEY, {"again": refused["run"]}))["status"] == status
        assert belt.creates() == (calls, calls)


def test_the_same_content_uploaded_in_three_ways_at_once_is_run_once(belt: Belt) -> None:
    """All of them read the drop before one claims the content."""
    belt.finish(belt.upload(drop_of(1), "inbox/first.jsonl"))
    events = [put_in_parts(belt, large(), 8 * MIB), put_in_parts(belt, large(), 5 * MIB), belt.drop(large(), KEY)]
    with together(belt.clients, 3, "PutObject claims/drops/"), ThreadPoolExecutor(3) as pool:
        runs = [state["run"] for state in pool.map(belt.submit, events)]
    statuses = {run: belt.finish(run)["status"] for run in sorted(runs)}
    assert sorted(statuses.values()) == ["completed", "refused", "refused"]
    assert belt.creates() == (2, 2)
