"""What S3 in memory answers without a request is what it answers to the request."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.exceptions import ClientError, ParamValidationError
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.memory_aws.aws import MemoryAws
from tests.support.memory_aws.bucket import BucketInMemory

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

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
    ("put_object", {"Key": "text", "Body": "ü"}),
    ("put_object", {"Key": "array", "Body": bytearray(b"a")}),
    ("put_object", {"Key": "nothing"}),
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
    ("put_object_tagging", {"Key": KEY, "Tagging": {"TagSet": [{"Key": "ended", "Value": "yes <&>"}]}}),
    ("put_object_tagging", {"Key": KEY, "Tagging": {"TagSet": []}}),
    ("put_object_tagging", {"Key": "absent", "Tagging": {"TagSet": []}}),
    ("head_object", {"Key": KEY, "PartNumber": 1}),
    ("list_objects_v2", {}),
    ("list_objects_v2", {"Prefix": "a folder/ü"}),
    ("list_objects_v2", {"Prefix": "none/"}),
    ("list_objects_v2", {"StartAfter": KEY}),
    ("list_objects_v2", {"Prefix": "a", "Delimiter": "/"}),
    ("list_objects_v2", {"MaxKeys": 1}),
    ("get_object", {"Bucket": "nobodys", "Key": KEY}),
]
UNUSUAL = 13
"""Calls that fail, or are seldom made."""
INVALID: list[tuple[str, Json]] = [
    ("put_object", {"Key": "", "Body": b"1"}),
    ("put_object", {"Key": 1, "Body": b"1"}),
    ("put_object", {"Key": "key", "Body": 1}),
    ("put_object", {"Key": "key", "Body": b"1", "Metadata": {"name": "ü"}}),
    ("put_object", {"Key": "key", "Body": b"1", "Metadata": {"ü": "value"}}),
    ("put_object", {"Key": "key", "Body": b"1", "Metadata": "name"}),
    ("put_object", {"Key": "key", "Body": b"1", "ContentType": None}),
    ("put_object", {"Key": "key", "Body": b"1", "Unknown": "1"}),
    ("put_object", {"Body": b"1"}),
    ("get_object", {"Key": ""}),
    ("get_object", {"Key": "key", "VersionId": None}),
    ("head_object", {}),
    ("put_object_tagging", {"Key": "key", "Tagging": {"TagSet": [{"Key": "ended"}]}}),
    ("put_object_tagging", {"Key": "key", "Tagging": {"TagSet": [{"Key": "", "Value": "yes"}]}}),
    ("put_object_tagging", {"Key": "key", "Tagging": {"TagSet": [{"Key": "ended", "Value": 1}]}}),
    ("put_object_tagging", {"Key": "key", "Tagging": {"TagSet": {"Key": "ended", "Value": "yes"}}}),
    ("put_object_tagging", {"Key": "key", "Tagging": {}}),
    ("put_object_tagging", {"Key": "key"}),
    ("list_objects_v2", {"Prefix": b""}),
    ("list_objects_v2", {"Key": "key"}),
]
EVENTS = ["provide-client-params", "before-parameter-build", "before-call", "before-send", "after-call"]


@pytest.fixture
def memory(monkeypatch: pytest.MonkeyPatch) -> MemoryAws:
    """Return an AWS in memory that clients reach."""
    aws = MemoryAws()
    aws.use(monkeypatch)
    return aws


def sent(client: Any, log: list[str]) -> None:
    """Let each call of a client be sent, and note it."""

    def note(request: AWSPreparedRequest, **_: Any) -> None:
        log.append(str(request.method))

    client.meta.events.register("before-send.s3", note)


def counted(serve: Any, log: list[str]) -> Any:
    """Return what answers requests, and notes each."""

    def served(request: AWSPreparedRequest) -> Any:
        log.append(str(request.method))
        return serve(request)

    return served


def made(client: Any, name: str, asked: Json) -> Json:
    """Make a call, and return what it gave, or its error."""
    try:
        answer: Json = getattr(client, name)(**{"Bucket": "bucket"} | asked)
    except ClientError as error:
        answer = {"error": type(error).__name__, "words": str(error), "at": error.operation_name} | error.response
    except Exception as error:  # noqa: BLE001 - whatever botocore raises of a call that it cannot send
        return {"error": type(error).__name__}
    if "Body" in answer:
        answer["Body"] = answer["Body"].read()
    about = answer.pop("ResponseMetadata")
    answer |= {name: about[name] for name in ("HTTPStatusCode", "RetryAttempts")}
    moments = [answer, *answer.get("Contents", [])]
    return answer | {"dated": [moment.pop("LastModified", None) is not None for moment in moments]}


@pytest.fixture(scope="module")
def place() -> Iterator[tuple[MemoryAws, Any]]:
    """Return an AWS in memory, and a client of it."""
    aws = MemoryAws()
    with pytest.MonkeyPatch.context() as patch:
        aws.use(patch)
        yield aws, boto3.client("s3")


def nothing(**_: Any) -> None:
    """Listen to each request."""


def played(place: tuple[MemoryAws, Any], calls: Iterable[tuple[str, Json]], *, is_sent: bool) -> tuple[list[Json], int]:
    """Make calls to an empty bucket; return what they gave, and how many of them were sent."""
    aws, client = place
    aws.s3.buckets = {"bucket": BucketInMemory()}
    requests = list[str]()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(aws.s3, "serve", counted(aws.s3.serve, requests))
        if is_sent:
            client.meta.events.register("before-send.s3", nothing)
        try:
            return [made(client, *call) for call in calls], len(requests)
        finally:
            client.meta.events.unregister("before-send.s3", nothing)


def test_answers_are_those_that_are_sent(place: tuple[MemoryAws, Any]) -> None:
    """Of calls that succeed, that fail, and that are unusual."""
    (first, every), (second, some) = (played(place, CALLS, is_sent=is_sent) for is_sent in (True, False))
    for asked, one, other in zip(CALLS, first, second, strict=True):
        assert one == other, asked
    assert (every, some) == (len(CALLS), UNUSUAL)


SOME_TEXTS = ["key", "a/b", "/a", "", "ü", "a b+%41?&#", "*", " a ", "bytes=0-1", "version000000000001"]
TEXTS = st.sampled_from(SOME_TEXTS) | st.text()
VALUES = TEXTS | st.none() | st.integers() | st.binary(max_size=3) | st.dictionaries(TEXTS, TEXTS, max_size=2)
KEYS = st.just("key") | TEXTS | VALUES
METADATA = st.dictionaries(TEXTS | st.sampled_from(["Name", "name"]), TEXTS, max_size=3) | VALUES
TAGS = st.lists(st.fixed_dictionaries({}, optional={"Key": VALUES, "Value": VALUES, "key": TEXTS}), max_size=2)
TAGGINGS = st.fixed_dictionaries({"TagSet": TAGS | VALUES}, optional={"Version": TEXTS}) | VALUES
DRAWN = st.one_of(
    st.tuples(
        st.just("put_object"),
        st.fixed_dictionaries(
            {"Key": KEYS, "Body": st.binary(max_size=9) | VALUES},
            optional={"Metadata": METADATA, "IfNoneMatch": st.just("*") | VALUES, "ContentType": VALUES},
        ),
    ),
    st.tuples(
        st.just("get_object"), st.fixed_dictionaries({"Key": KEYS}, optional={"VersionId": VALUES, "Range": VALUES})
    ),
    st.tuples(st.just("head_object"), st.fixed_dictionaries({"Key": KEYS}, optional={"VersionId": VALUES})),
    st.tuples(st.just("put_object_tagging"), st.fixed_dictionaries({"Key": KEYS, "Tagging": TAGGINGS})),
    st.tuples(st.just("list_objects_v2"), st.fixed_dictionaries({}, optional={"Prefix": VALUES, "StartAfter": VALUES})),
)


@settings(max_examples=200)
@given(st.lists(DRAWN, min_size=1, max_size=12))
def test_any_call_is_answered_as_when_it_is_sent(place: tuple[MemoryAws, Any], calls: list[tuple[str, Json]]) -> None:
    """So a function cannot pass its tests with a call that botocore would not make, or make otherwise."""
    calls = [("put_object", {"Key": "key", "Body": b"content"}), *calls]
    at_once, as_sent = (played(place, calls, is_sent=is_sent)[0] for is_sent in (False, True))
    assert at_once == as_sent


@pytest.mark.parametrize(("name", "asked"), INVALID, ids=str)
def test_what_botocore_refuses_is_refused(memory: MemoryAws, name: str, asked: Json) -> None:
    """Else a function could pass its tests with a call that fails in AWS."""
    client = boto3.client("s3")
    client.create_bucket(Bucket="bucket")
    memory.s3.buckets["bucket"].put("key", b"content", {})
    with pytest.raises(ParamValidationError):
        getattr(client, name)(**{"Bucket": "bucket"} | asked)
    assert memory.s3.buckets["bucket"].keys("") == ["key"]
    assert memory.s3.buckets["bucket"].read("key") == b"content"


@pytest.mark.parametrize("event", EVENTS)
def test_who_listens_to_calls_hears_each(memory: MemoryAws, event: str) -> None:
    """Faults of S3 and crashes are played by such listeners, so that they must never be passed over."""
    client, log = boto3.client("s3"), list[str]()
    client.create_bucket(Bucket="bucket")

    def note(event_name: str, **_: Any) -> None:
        log.append(event_name.rpartition(".")[2])

    def calls(body: bytes) -> None:
        client.put_object(Bucket="bucket", Key="key", Body=body)
        client.get_object(Bucket="bucket", Key="key")
        client.head_object(Bucket="bucket", Key="key")
        client.list_objects_v2(Bucket="bucket")

    calls(b"1")
    for heard in (f"{event}.s3", f"{event}.s3.*"):
        client.meta.events.register(heard, note)
        calls(b"2")
        client.meta.events.unregister(heard, note)
        assert log == ["PutObject", "GetObject", "HeadObject", "ListObjectsV2"]
        log.clear()
    calls(b"3")
    assert log == []
    assert memory.s3.buckets["bucket"].read("key") == b"3"


def test_who_changes_errors_hears_each(memory: MemoryAws) -> None:
    """The crash suite makes "denied" of "absent" there, as S3 does."""
    client, log = boto3.client("s3"), list[str]()
    client.create_bucket(Bucket="bucket")

    def deny(response_dict: Json, **_: Any) -> None:
        log.append(str(response_dict["status_code"]))
        response_dict["status_code"] = 403

    client.put_object(Bucket="bucket", Key="key", Body=b"1")
    client.meta.events.register("before-parse.s3", deny)
    more: list[tuple[str, Json]] = [("get_object", {}), ("put_object_tagging", {"Tagging": {"TagSet": []}})]
    for name, asked in more:
        with pytest.raises(ClientError) as denied:
            getattr(client, name)(Bucket="bucket", Key="absent", **asked)
        assert denied.value.response["ResponseMetadata"]["HTTPStatusCode"] == 403
    with pytest.raises(ClientError):
        client.put_object(Bucket="bucket", Key="key", Body=b"2", IfNoneMatch="*")
    assert log == ["404", "404", "412"]
    assert memory.s3.buckets["bucket"].read("key") == b"1"


def test_a_listener_prevents_a_call(memory: MemoryAws) -> None:
    """One that raises before it."""
    client = boto3.client("s3")
    client.create_bucket(Bucket="bucket")
    client.put_object(Bucket="bucket", Key="key", Body=b"1")

    def stop(**_: Any) -> None:
        raise Crash

    client.meta.events.register("before-call.s3.PutObject", stop)
    with pytest.raises(Crash):
        client.put_object(Bucket="bucket", Key="key", Body=b"2")
    assert memory.s3.buckets["bucket"].read("key") == b"1"
