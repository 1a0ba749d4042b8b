"""A tap names each call by what is sent, and hears when it is over."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import boto3
import httpx
import pytest
from botocore.exceptions import ClientError, ConnectionClosedError

from tests.support.faults.taps import Call, Crash, When, tapped
from tests.support.memory_aws.aws import MemoryAws

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conveyor.clients import Clients

type Json = dict[str, Any]

KEY = "/a folder/ü?&+%41~$.json"
CALLS: list[tuple[str, Json]] = [
    ("put_object", {"Key": KEY, "Body": b"content"}),
    ("put_object_tagging", {"Key": KEY, "Tagging": {"TagSet": []}}),
    ("get_object", {"Key": KEY, "Range": "bytes=1-2"}),
    ("get_object", {"Key": KEY, "VersionId": "version000000000001"}),
    ("head_object", {"Key": KEY}),
    ("head_object", {"Key": "absent"}),
    ("list_objects_v2", {}),
    ("list_objects_v2", {"Prefix": "a folder/ü"}),
    ("list_object_versions", {"Prefix": "a"}),
    ("create_multipart_upload", {"Key": KEY}),
    ("copy_object", {"Key": "copy", "CopySource": {"Bucket": "bucket", "Key": KEY}}),
    ("delete_objects", {"Delete": {"Objects": [{"Key": KEY, "VersionId": "version000000000001"}]}}),
]


@pytest.fixture
def s3(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return a client of an AWS in memory."""
    aws = MemoryAws()
    aws.use(monkeypatch)
    client = boto3.client("s3")
    client.create_bucket(Bucket="bucket")
    return client


@pytest.fixture
def clients(s3: Any) -> Iterator[Any]:
    """Return what taps use of the clients of a function."""
    bucket, machine = (SimpleNamespace(_client=client) for client in (s3, boto3.client("stepfunctions")))
    with httpx.Client() as http:
        yield SimpleNamespace(bucket=bucket, machine=machine, connector=SimpleNamespace(http=http))


def sent_names(s3: Any) -> list[str]:
    """Return the list of the names of calls, as far as they go, by what botocore sends."""
    names = list[str]()

    def note(model: Any, params: Json, **_: Any) -> None:
        path = params["url_path"].partition("?")[0].strip("/")
        prefix = dict(params["query_string"] or {}).get("prefix", "")
        names.append(" ".join(filter(None, (model.name, path or prefix, params["headers"].get("Range")))))

    s3.meta.events.register("before-call.s3", note)
    return names


def test_calls_have_the_names_of_what_is_sent(s3: Any, clients: Clients) -> None:
    """Of objects by their path, of lists by their prefix, before and after each."""
    sent, heard = sent_names(s3), list[tuple[str, When]]()
    with tapped(clients, lambda call, when: heard.append((call.name, when))):
        for name, asked in CALLS:
            try:
                getattr(s3, name)(Bucket="bucket", **asked)
            except ClientError:
                assert asked["Key"] == "absent"
    assert len(sent) == len(CALLS)
    assert heard == [(name, when) for name in sent for when in ("before", "after")]


def test_taps_are_heard_in_their_order_until_they_end(s3: Any, clients: Clients) -> None:
    """One inside another hears a call after it, before the call and after it."""
    heard = list[str]()
    with (
        tapped(clients, lambda _, when: heard.append(f"first {when}")),
        tapped(clients, lambda _, when: heard.append(f"second {when}")),
    ):
        s3.list_objects_v2(Bucket="bucket")
    s3.list_objects_v2(Bucket="bucket")
    assert heard == ["first before", "second before", "first after", "second after"]


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_crash_is_before_or_after_what_the_call_does(s3: Any, clients: Clients, when: When) -> None:
    """Of a call that writes."""

    def crash(_: Call, at: When) -> None:
        if at == when:
            raise Crash

    with tapped(clients, crash), pytest.raises(Crash):
        s3.put_object(Bucket="bucket", Key="key", Body=b"content")
    assert len(s3.list_objects_v2(Bucket="bucket").get("Contents", [])) == (when == "after")


def test_a_call_whose_answer_is_lost_does_not_end(s3: Any, clients: Clients) -> None:
    """So a history has no point after it."""
    heard = list[When]()

    def lose(request: Any, **_: Any) -> None:
        raise ConnectionClosedError(endpoint_url=request.url)

    s3.meta.events.register("before-send.s3.PutObject", lose)
    with tapped(clients, lambda _, when: heard.append(when)), pytest.raises(ConnectionClosedError):
        s3.put_object(Bucket="bucket", Key="key", Body=b"content")
    assert heard == ["before"]
