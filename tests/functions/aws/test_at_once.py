"""What S3 in memory answers before a call is sent is what it answers to the call that is sent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.exceptions import ClientError

from tests.support.memory_aws.aws import MemoryAws

if TYPE_CHECKING:
    from collections.abc import Iterator

    from botocore.awsrequest import AWSPreparedRequest

type Json = dict[str, Any]


class Crash(BaseException):  # not an Exception, as in the crash suite
    """The function ends."""


KEY = "a folder/ü?&+%41.json"
CALLS: list[tuple[str, Json]] = [
    ("put_object", {"Key": KEY, "Body": b"one"}),
    ("put_object", {"Key": KEY, "Body": b"two", "Metadata": {"Project": "shop", "max-usd": "2.5"}}),
    ("put_object", {"Key": "page.html", "Body": b"<p>", "ContentType": "text/html", "ContentDisposition": "inline"}),
    ("put_object", {"Key": "once", "Body": b"", "IfNoneMatch": "*"}),
    ("put_object", {"Key": "once", "Body": b"again", "IfNoneMatch": "*"}),
    ("put_object", {"Key": "tagged", "Body": b"t", "StorageClass": "GLACIER"}),
    ("get_object", {"Key": KEY}),
    ("get_object", {"Key": KEY, "VersionId": "version000000000001"}),
    ("get_object", {"Key": KEY, "VersionId": "version000000000009"}),
    ("get_object", {"Key": KEY, "Range": "bytes=1-1"}),
    ("get_object", {"Key": KEY, "Range": "bytes=1-900"}),
    ("get_object", {"Key": KEY, "Range": "bytes=3-4"}),
    ("get_object", {"Key": KEY, "Range": "bytes=-2"}),
    ("get_object", {"Key": KEY, "IfMatch": '"another"'}),
    ("get_object", {"Key": "absent"}),
    ("head_object", {"Key": KEY}),
    ("head_object", {"Key": KEY, "VersionId": "version000000000001"}),
    ("head_object", {"Key": "absent"}),
    ("list_objects_v2", {}),
    ("list_objects_v2", {"Prefix": "a folder/ü"}),
    ("list_objects_v2", {"Prefix": "none/"}),
    ("list_objects_v2", {"StartAfter": KEY}),
    ("list_objects_v2", {"Prefix": "a", "Delimiter": "/"}),
    ("list_objects_v2", {"MaxKeys": 1}),
    ("get_object", {"Bucket": "nobodys", "Key": KEY}),
]
UNUSUAL = 11
"""Calls that fail, or are seldom made."""


@pytest.fixture
def memory(monkeypatch: pytest.MonkeyPatch) -> MemoryAws:
    """Return an AWS in memory that clients reach."""
    aws = MemoryAws()
    for name, value in aws.env.items():
        monkeypatch.setenv(name, value)
    aws.install(monkeypatch)
    return aws


def sent(client: Any, log: list[str]) -> None:
    """Let each call of a client be sent, and note it."""

    def note(request: AWSPreparedRequest, **_: Any) -> None:
        log.append(str(request.method))

    client.meta.events.register("before-send.s3", note)


def answers(client: Any) -> Iterator[Json]:
    """Make all calls, and yield what they gave, or their error."""
    client.create_bucket(Bucket="bucket")
    for name, asked in CALLS:
        try:
            answer = getattr(client, name)(**{"Bucket": "bucket"} | asked)
        except ClientError as error:
            answer = {"Error": error.response["Error"]}
        if "Body" in answer:
            answer["Body"] = answer["Body"].read()
        status = answer.pop("ResponseMetadata", {}).get("HTTPStatusCode")
        moments = [answer, *answer.get("Contents", [])]
        yield answer | {"status": status, "dated": [moment.pop("LastModified", None) is not None for moment in moments]}


def test_answers_are_those_that_are_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of calls that succeed, that fail, and that are unusual."""
    found = []
    for is_sent in (True, False):
        log: list[str] = []
        with monkeypatch.context() as patch:
            aws = MemoryAws()
            for name, value in aws.env.items():
                patch.setenv(name, value)
            aws.install(patch)
            client = boto3.client("s3")
            if is_sent:
                sent(client, [])
            client.meta.events.register("before-parse.s3", lambda log=log, **_: log.append("sent"))
            found.append(list(answers(client)))
        assert len(log) == 1 + (len(CALLS) if is_sent else UNUSUAL)
    for asked, first, second in zip(CALLS, *found, strict=True):
        assert first | {"status": None} == second | {"status": None}, asked


def test_who_listens_to_requests_hears_each(memory: MemoryAws) -> None:
    """Faults of S3 are played by such listeners, so that they must never be passed over."""
    client, log = boto3.client("s3"), list[str]()
    client.create_bucket(Bucket="bucket")
    client.put_object(Bucket="bucket", Key="key", Body=b"1")
    sent(client, log)
    client.put_object(Bucket="bucket", Key="key", Body=b"2")
    client.get_object(Bucket="bucket", Key="key")
    client.list_objects_v2(Bucket="bucket")
    assert log == ["PUT", "GET", "GET"]
    assert memory.s3.buckets["bucket"].read("key") == b"2"


def test_calls_are_heard_before_and_after(memory: MemoryAws) -> None:
    """Crashes are played by such listeners: one before a call prevents it, one after it does not."""
    client, heard = boto3.client("s3"), list[str]()
    client.create_bucket(Bucket="bucket")

    def before(model: Any, **_: Any) -> None:
        heard.append(f"before {model.name}")
        if model.name == "PutObject" and "stop" in heard:
            raise Crash

    client.meta.events.register("before-call", before)
    client.meta.events.register("after-call", lambda model, **_: heard.append(f"after {model.name}"))
    client.put_object(Bucket="bucket", Key="key", Body=b"1")
    heard.append("stop")
    with pytest.raises(Crash):
        client.put_object(Bucket="bucket", Key="key", Body=b"2")
    assert heard == ["before PutObject", "after PutObject", "stop", "before PutObject"]
    assert memory.s3.buckets["bucket"].read("key") == b"1"
