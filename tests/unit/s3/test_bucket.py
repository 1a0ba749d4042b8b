"""S3's responses, as they come over the wire."""

import io
from collections.abc import Iterator
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError, IncompleteReadError
from botocore.response import StreamingBody
from botocore.stub import Stubber

from conveyor.domain.drop import Drop
from conveyor.s3.bucket import RANGE_BYTES, Bucket, ObjectReplaced
from tests.support.fake_aws import BadBucket

DROP = Drop("bucket", "inbox/a.jsonl", "v1", "etag", 10, datetime(2026, 11, 22, tzinfo=UTC), {})


@pytest.fixture
def s3() -> Iterator[Any]:
    """Return prepared responses in order, and check each request against S3's own model."""
    client = boto3.client("s3", region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="x")  # noqa: S106
    with Stubber(client) as stubber:
        yield stubber
        stubber.assert_no_pending_responses()


def body(data: bytes, length: int | None = None) -> dict[str, StreamingBody | int]:
    """Write a response whose body may end before its announced length."""
    length = len(data) if length is None else length
    return {"Body": StreamingBody(io.BytesIO(data), length), "ContentLength": length}


def test_the_first_writer_wins_and_the_second_reads_what_was_written(s3: Any) -> None:
    """A fact is written once."""
    s3.add_response("put_object", {}, {"Bucket": "bucket", "Key": "k", "Body": b"mine", "IfNoneMatch": "*"})
    assert Bucket(s3.client, "bucket").put_once("k", b"mine") == b"mine"
    s3.add_client_error("put_object", "PreconditionFailed", http_status_code=412)
    s3.add_response("get_object", body(b"theirs"), {"Bucket": "bucket", "Key": "k"})
    assert Bucket(s3.client, "bucket").put_once("k", b"mine") == b"theirs"


def test_an_existing_claim_is_not_read(s3: Any) -> None:
    """The function that claims a batch may have no permission to read claims."""
    s3.add_client_error("put_object", "PreconditionFailed", http_status_code=412)
    assert Bucket(s3.client, "bucket").put_if_absent("claims/x", b"mine") is False


def test_a_write_that_conflicts_with_another_is_repeated(s3: Any) -> None:
    """S3 answers 409 to one of them, which decides nothing."""
    s3.add_client_error("put_object", "ConditionalRequestConflict", http_status_code=409)
    s3.add_response("put_object", {})
    assert Bucket(s3.client, "bucket").put_once("k", b"mine") == b"mine"


def test_a_write_is_repeated_until_conflicts_end() -> None:
    """A conflict decides nothing, however often it occurs."""
    s3 = BadBucket(conflicts=9)
    assert Bucket(s3.client, "bucket").put_once("k", b"mine") == b"mine"
    assert s3.writes == [409] * 9 + [200]


def test_a_write_that_loses_after_conflicts_returns_what_was_written() -> None:
    """The conflict was with that write."""
    s3 = BadBucket(conflicts=2)
    s3.bucket.objects["k"] = b"theirs"
    assert Bucket(s3.client, "bucket").put_once("k", b"mine") == b"theirs"
    assert s3.writes == [409, 409, 412]


def test_a_write_that_always_conflicts_is_an_error() -> None:
    """It must not count as written: the function fails, and is retried."""
    s3 = BadBucket(conflicts=100)
    with pytest.raises(RuntimeError, match=r"k: gave up after 10 conflicting writes \(HTTP 409\)"):
        Bucket(s3.client, "bucket").put_once("k", b"mine")
    assert s3.writes == [409] * 10


def test_a_write_whose_response_was_lost_is_ours_although_its_retry_is_refused() -> None:
    """The client retries by itself and finds its own object; taken for another's, the batch would never be created."""
    s3 = BadBucket(lost=1)
    assert Bucket(s3.client, "bucket").put_once("k", b"mine") == b"mine"
    assert s3.writes == [200, 412]


def test_a_denied_write_is_an_error_not_a_fact(s3: Any) -> None:
    """Only 409 and 412 mean that the object exists."""
    s3.add_client_error("put_object", "AccessDenied", http_status_code=403)
    with pytest.raises(s3.client.exceptions.ClientError, match="AccessDenied"):
        Bucket(s3.client, "bucket").put_once("k", b"mine")


@pytest.mark.parametrize(("code", "status"), [("NoSuchKey", 404), ("AccessDenied", 403)])
def test_a_missing_hint_is_none(s3: Any, code: str, status: int) -> None:
    """Without permission to list, S3 returns 403 for an object that does not exist."""
    s3.add_client_error("get_object", code, http_status_code=status)
    assert Bucket(s3.client, "bucket").find("claims/x") is None


class Endless(io.BytesIO):
    """An object too large to be read whole."""

    def read(self, size: int | None = None) -> bytes:
        """Return as many bytes as requested."""
        assert size is not None, "the whole object was requested"
        assert size >= 0, "the whole object was requested"
        return b"x" * size


def test_only_the_beginning_of_an_object_of_any_size_is_read(s3: Any) -> None:
    """Anyone who can write under control/ decides its size; the function's memory is small."""
    endless = Endless()
    answer = {"Body": StreamingBody(endless, 10**12), "ContentLength": 10**12}
    s3.add_response("get_object", answer, {"Bucket": "bucket", "Key": "control/run/cancel"})
    assert Bucket(s3.client, "bucket").beginning("control/run/cancel", 1000) == b"x" * 1000
    assert endless.closed, "the connection would be reused with unread bytes on it"


@pytest.mark.parametrize("data", [b"", b"submit again\n"])
def test_an_object_that_is_shorter_is_read_whole(s3: Any, data: bytes) -> None:
    """So is an empty one."""
    s3.add_response("get_object", body(data))
    assert Bucket(s3.client, "bucket").beginning("k", 1000) == data


def test_a_range_that_was_cut_is_read_again(s3: Any) -> None:
    """The client's own retries end once the body begins."""
    expected_request = {"Bucket": "bucket", "Key": "inbox/a.jsonl", "VersionId": "v1", "Range": "bytes=2-9"}
    s3.add_response("get_object", body(b"cut", 8), expected_request)
    s3.add_response("get_object", body(b"complete"), expected_request)
    assert list(Bucket(s3.client, "bucket").stream(DROP.source, 2, DROP.bytes)) == [b"complete"]


def test_more_bytes_than_requested_are_not_taken_for_the_drop(s3: Any) -> None:
    """A server that ignores ranges returns the whole object; only checked bytes may be sent."""
    s3.add_response("get_object", body(b"the whole object"))
    with pytest.raises(RuntimeError, match="16 bytes for 8"):
        list(Bucket(s3.client, "bucket").stream(DROP.source, 2, DROP.bytes))


def test_a_small_output_is_one_request(s3: Any) -> None:
    """So is an empty one, which a multipart upload could not create."""
    s3.add_response("put_object", {}, {"Bucket": "bucket", "Key": "k", "Body": b"a\nb\n", "Metadata": {}})
    with Bucket(s3.client, "bucket").writer("k") as writer:
        writer.write(b"a\n")
        writer.write(b"b\n")
    account = writer.account()
    assert (account.key, account.lines, account.bytes) == ("k", 2, 4)
    assert account.sha256 == sha256(b"a\nb\n").hexdigest()


def test_a_large_output_declares_sends_and_names_its_checksums(s3: Any) -> None:
    """S3 refuses an upload that does so by halves, which no local S3 shows."""
    target = {"Bucket": "bucket", "Key": "k"}
    part = {"ETag": "e", "PartNumber": 1, "ChecksumCRC32": "c"}
    s3.add_response(
        "create_multipart_upload", {"UploadId": "u"}, target | {"Metadata": {"a": "b"}, "ChecksumAlgorithm": "CRC32"}
    )
    sent = {"UploadId": "u", "PartNumber": 1, "Body": b"x" * RANGE_BYTES, "ChecksumAlgorithm": "CRC32"}
    s3.add_response("upload_part", {"ETag": "e", "ChecksumCRC32": "c"}, target | sent)
    s3.add_response("complete_multipart_upload", {}, target | {"UploadId": "u", "MultipartUpload": {"Parts": [part]}})
    with Bucket(s3.client, "bucket").writer("k", {"a": "b"}) as writer:
        writer.write(b"x" * RANGE_BYTES)
    assert writer.account().bytes == RANGE_BYTES


def test_a_large_output_that_fails_leaves_nothing_behind(s3: Any) -> None:
    """Its parts are aborted, and no object appears."""
    s3.add_response("create_multipart_upload", {"UploadId": "u"})
    s3.add_client_error("upload_part", "SlowDown", http_status_code=503)
    s3.add_response("abort_multipart_upload", {}, {"Bucket": "bucket", "Key": "k", "UploadId": "u"})
    with pytest.raises(ClientError, match="SlowDown"), Bucket(s3.client, "bucket").writer("k") as writer:
        writer.write(b"x" * RANGE_BYTES)


def test_a_pinned_content_is_read_or_nothing(s3: Any) -> None:
    """S3 compares the ETag with each read, which needs no permission to read versions."""
    bucket = Bucket(s3.client, "bucket")
    s3.add_response("head_object", {"ETag": '"e1-2"', "ContentLength": 7}, {"Bucket": "bucket", "Key": "k"})
    pinned = bucket.pin("k")
    assert pinned == ("k", "e1-2", 7)
    wanted = {"Bucket": "bucket", "Key": "k", "Range": "bytes=2-6", "IfMatch": '"e1-2"'}
    s3.add_response("get_object", body(b"ab", length=5), wanted)
    s3.add_response("get_object", body(b"abcde"), wanted)
    assert bucket.pinned_range(pinned, 2, 7) == b"abcde", "a response that was cut off is read again"
    s3.add_client_error("get_object", "PreconditionFailed", http_status_code=412)
    with pytest.raises(ObjectReplaced):
        bucket.pinned_range(pinned, 2, 7)
    s3.add_client_error("get_object", "AccessDenied", http_status_code=403)
    with pytest.raises(ClientError):
        bucket.pinned_range(pinned, 2, 7)
    for _ in range(3):
        s3.add_response("get_object", body(b"ab", length=5), wanted)
    with pytest.raises(IncompleteReadError):
        bucket.pinned_range(pinned, 2, 7)


def test_a_missing_object_that_is_hidden_is_not_pinned_and_one_that_is_denied_is_an_error(s3: Any) -> None:
    """The response to a HEAD is 403 in both cases, and has no body; that to a GET says which it is."""
    said = "User: arn:aws:sts::1:assumed-role/x is not authorized to perform: s3:"
    for action in ("ListBucket", "GetObject"):
        s3.add_client_error("head_object", "403", "Forbidden", http_status_code=403)
        s3.add_client_error("get_object", "AccessDenied", f"{said}{action} on resource: x", http_status_code=403)
    assert Bucket(s3.client, "bucket").pin("k") is None
    with pytest.raises(s3.client.exceptions.ClientError, match="s3:GetObject"):
        Bucket(s3.client, "bucket").pin("k")
    s3.add_client_error("head_object", "403", "Forbidden", http_status_code=403)
    s3.add_response("get_object", body(b"x"), {"Bucket": "bucket", "Key": "k", "Range": "bytes=0-0"})
    with pytest.raises(s3.client.exceptions.ClientError, match="Forbidden"):
        Bucket(s3.client, "bucket").pin("k")


def test_an_object_that_does_not_exist_is_not_pinned(s3: Any) -> None:
    """Any other error is one."""
    s3.add_client_error("head_object", "404", http_status_code=404)
    assert Bucket(s3.client, "bucket").pin("k") is None
    s3.add_client_error("head_object", "500", http_status_code=500)
    with pytest.raises(ClientError):
        Bucket(s3.client, "bucket").pin("k")
