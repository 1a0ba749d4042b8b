"""The AWS in memory responds as the local AWS does: each call is made to both, and the responses are compared."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.exceptions import ClientError

from local.stack.local_aws import REGION
from tests.functions.conftest import DEFINITION
from tests.support.memory_aws.aws import MemoryAws

if TYPE_CHECKING:
    from tests.functions.conftest import Services

pytestmark = pytest.mark.local_aws

PART = 5 * 1024**2
GENERATED = {"ETag", "VersionId", "UploadId", "LastModified", "CopySourceVersionId", "NextContinuationToken"}
"""Values that each AWS generates itself: only their presence is compared, except for ETags."""
COMPARED = {
    "AcceptRanges", "Body", "Code", "CommonPrefixes", "ContentLength", "ContentRange", "Contents",
    "CopyObjectResult", "CopyPartResult", "DeleteMarker", "DeleteMarkers", "IsLatest", "IsTruncated", "Key",
    "KeyCount", "Metadata", "Parts", "Prefix", "Size", "Status", "TagSet", "Uploads", "Versions",
} | GENERATED  # fmt: skip


@pytest.fixture
def both(bucket: str, services: Services, monkeypatch: pytest.MonkeyPatch) -> Both:
    """Return a versioned bucket in each AWS."""
    memory = MemoryAws()
    in_memory: Any = boto3.client(
        "s3",
        endpoint_url="https://localhost",
        aws_access_key_id="x",
        aws_secret_access_key="x",  # noqa: S106  # it is not checked
        region_name=REGION,
    )
    monkeypatch.setattr(in_memory._endpoint, "http_session", Sender(memory))  # noqa: SLF001
    in_memory.create_bucket(Bucket=bucket)
    return Both(bucket, services.s3, in_memory)


class Sender:
    """Replaces botocore's HTTP session."""

    def __init__(self, memory: MemoryAws) -> None:
        """Send requests to this AWS."""
        self.send = memory.serve

    def close(self) -> None:
        """Do nothing, since nothing is open."""


class Both:
    """Two buckets with the same name, which get the same calls."""

    def __init__(self, bucket: str, local: Any, memory: Any) -> None:
        """Start with empty buckets."""
        self.bucket = bucket
        self._clients = [local, memory]
        self._names: list[dict[str, str]] = [{}, {}]

    def __call__(self, call: str, *, keep: str = "", **asked: Any) -> Any:
        """Make a call to both, compare the responses, and return one.

        Text such as `<first.VersionId>` is replaced by a value from the earlier call that had `keep="first"`.
        """
        answers = [self._call(place, call, keep, asked) for place in range(2)]
        assert _compared(answers[0]) == _compared(answers[1])
        return answers[1]

    def _call(self, place: int, call: str, keep: str, asked: dict[str, Any]) -> dict[str, Any]:
        names = self._names[place]
        try:
            answer = getattr(self._clients[place], call)(Bucket=self.bucket, **_filled(asked, names))
        except ClientError as error:
            failure = error.response
            return {"Status": failure["ResponseMetadata"]["HTTPStatusCode"], "Code": failure["Error"].get("Code")}
        for name in ("VersionId", "UploadId", "NextContinuationToken", "ETag"):
            if keep and name in answer:
                names[f"<{keep}.{name}>"] = answer[name]
        if "Body" in answer:
            answer["Body"] = answer["Body"].read()
        return {"Status": answer["ResponseMetadata"]["HTTPStatusCode"], **answer}


def _filled(asked: Any, names: dict[str, str]) -> Any:
    if isinstance(asked, dict):
        return {key: _filled(value, names) for key, value in asked.items()}
    if isinstance(asked, list):
        return [_filled(value, names) for value in asked]
    if isinstance(asked, str):
        for name, value in names.items():
            asked = asked.replace(name, value)
    return asked


def _compared(answer: Any) -> Any:
    if isinstance(answer, list):
        return [_compared(item) for item in answer]
    if not isinstance(answer, dict):
        return answer
    generated = {name: value if name == "ETag" else "there" for name, value in answer.items() if name in GENERATED}
    return {name: _compared(value) for name, value in answer.items() if name in COMPARED} | generated


def test_writes_and_reads(both: Both) -> None:
    """Whole objects and ranges, with and without a version, with metadata."""
    both("put_object", Key="a b/ü+&.txt", Body=b"first", Metadata={"on-invalid": "skip"}, keep="first")
    both("put_object", Key="a b/ü+&.txt", Body=b"second one")
    both("put_object", Key="empty", Body=b"")
    assert both("get_object", Key="a b/ü+&.txt")["Body"] == b"second one"
    assert both("get_object", Key="a b/ü+&.txt", VersionId="<first.VersionId>")["Metadata"] == {"on-invalid": "skip"}
    both("head_object", Key="a b/ü+&.txt")
    both("head_object", Key="a b/ü+&.txt", VersionId="<first.VersionId>")
    both("get_object", Key="empty")
    assert both("get_object", Key="a b/ü+&.txt", Range="bytes=1-3")["ContentRange"] == "bytes 1-3/10"
    both("get_object", Key="a b/ü+&.txt", Range="bytes=8-100")
    assert both("get_object", Key="a b/ü+&.txt", Range="bytes=10-12")["Code"] == "InvalidRange"
    assert both("get_object", Key="a b/ü+&.txt", Range="bytes=1-2", VersionId="<first.VersionId>")["Body"] == b"ir"


def test_missing_objects(both: Both) -> None:
    """Missing keys and versions, and deleted objects."""
    assert both("get_object", Key="none")["Code"] == "NoSuchKey"
    assert both("head_object", Key="none")["Status"] == 404
    both("put_object", Key="some", Body=b"1", keep="some")
    both("put_object", Key="other", Body=b"1", keep="other")
    assert both("get_object", Key="some", VersionId="<other.VersionId>")["Code"] == "NoSuchVersion"
    assert both("head_object", Key="some", VersionId="<other.VersionId>")["Status"] == 404
    both("delete_object", Key="some", keep="mark")
    assert both("get_object", Key="some")["Code"] == "NoSuchKey"
    assert both("get_object", Key="some", VersionId="<some.VersionId>")["Body"] == b"1"
    assert both("get_object", Key="some", VersionId="<mark.VersionId>")["Code"] == "MethodNotAllowed"
    assert len(both("list_object_versions", Prefix="s")["Versions"]) == 1
    both("delete_object", Key="some", VersionId="<mark.VersionId>")
    both("get_object", Key="some")
    both("delete_object", Key="some", VersionId="<some.VersionId>")
    both("get_object", Key="some")


def test_many_versions_are_deleted_at_once(both: Both) -> None:
    """Those that do not exist any more count as deleted. Delete markers are versions, too."""
    both("put_object", Key="a b/1", Body=b"1", keep="first")
    both("put_object", Key="a b/1", Body=b"2")
    both("delete_object", Key="a b/1", keep="mark")
    first, mark = ({"Key": "a b/1", "VersionId": f"<{name}.VersionId>"} for name in ("first", "mark"))
    for quiet in (False, True):
        both("delete_objects", Delete={"Objects": [first, mark], "Quiet": quiet})
        listed = both("list_object_versions", Prefix="a b/")
        assert [each["Key"] for each in listed["Versions"]] == ["a b/1"]
        assert "DeleteMarkers" not in listed


def test_conditional_writes(both: Both) -> None:
    """One writer wins; a deleted key can be written again."""
    assert both("put_object", Key="fact", Body=b"1", IfNoneMatch="*")["Status"] == 200
    assert both("put_object", Key="fact", Body=b"2", IfNoneMatch="*")["Code"] == "PreconditionFailed"
    assert both("get_object", Key="fact")["Body"] == b"1"
    both("delete_object", Key="fact")
    assert both("put_object", Key="fact", Body=b"3", IfNoneMatch="*")["Status"] == 200


def test_listings(both: Both) -> None:
    """Prefixes, delimiters, StartAfter, and pages."""
    for key in ("a", "a/1", "a/2/x", "a/2/y", "a/3", "a b/ü", "b+c/1", "b", "z", "Z", "ä"):
        both("put_object", Key=key, Body=key.encode())
    both("delete_object", Key="a/3")
    for asked in (
        {},
        {"Prefix": "a/"},
        {"Prefix": "a/", "Delimiter": "/"},
        {"Delimiter": "/"},
        {"Delimiter": "/", "StartAfter": "a/2"},
        {"Prefix": "a/", "Delimiter": "/", "StartAfter": "a/1"},
        {"StartAfter": "b"},
        {"Prefix": "nothing"},
        {"Prefix": "a b/"},
    ):
        assert both("list_objects_v2", **asked)["IsTruncated"] is False
    assert both("list_objects_v2", MaxKeys=2, keep="page")["IsTruncated"] is True
    both("list_objects_v2", MaxKeys=2, ContinuationToken="<page.NextContinuationToken>")
    both("list_objects_v2", MaxKeys=1, Prefix="a/", Delimiter="/", keep="folder")
    both("list_objects_v2", MaxKeys=1, Prefix="a/", Delimiter="/", ContinuationToken="<folder.NextContinuationToken>")


def test_tags(both: Both) -> None:
    """Tags are replaced; a new version has none."""
    both("put_object", Key="a", Body=b"1")
    assert both("get_object_tagging", Key="a")["TagSet"] == []
    for value in ("1", "2"):
        both("put_object_tagging", Key="a", Tagging={"TagSet": [{"Key": "run", "Value": value}]})
    assert both("get_object_tagging", Key="a")["TagSet"] == [{"Key": "run", "Value": "2"}]
    both("put_object", Key="a", Body=b"2")
    assert both("get_object_tagging", Key="a")["TagSet"] == []
    assert both("put_object_tagging", Key="none", Tagging={"TagSet": []})["Code"] == "NoSuchKey"


def test_copies(both: Both) -> None:
    """Of a version or the newest one, with its own metadata or new metadata."""
    both("put_object", Key="a b", Body=b"one", Metadata={"x": "1"}, keep="one")
    both("put_object", Key="a b", Body=b"two")
    place = f"{both.bucket}/a b"
    both("copy_object", Key="copy", CopySource=f"{place}?versionId=<one.VersionId>")
    assert both("get_object", Key="copy")["Metadata"] == {"x": "1"}
    both("copy_object", Key="copy", CopySource=place, MetadataDirective="REPLACE", Metadata={"y": "2"})
    assert both("get_object", Key="copy")["Metadata"] == {"y": "2"}
    assert both("copy_object", Key="copy", CopySource=f"{both.bucket}/none")["Code"] == "NoSuchKey"


def test_multipart_uploads(both: Both) -> None:
    """Uploaded and copied parts; uploads with small or forged parts, and aborted ones, create no object."""
    both("create_multipart_upload", Key="big", Metadata={"m": "1"}, ChecksumAlgorithm="CRC32", keep="up")
    data = bytes(PART) + b"end"
    parts = [
        both(
            "upload_part", Key="big", UploadId="<up.UploadId>", PartNumber=number, Body=body, ChecksumAlgorithm="CRC32"
        )
        for number, body in enumerate((data, b"last"), 1)
    ]
    named = [{"PartNumber": number, "ETag": part["ETag"]} for number, part in enumerate(parts, 1)]
    forged = [named[0], named[1] | {"ETag": named[0]["ETag"]}]

    def complete(upload: str, key: str, made: list[dict[str, Any]]) -> Any:
        return both("complete_multipart_upload", Key=key, UploadId=upload, MultipartUpload={"Parts": made})

    assert complete("<up.UploadId>", "big", forged)["Code"] == "InvalidPart"
    assert [upload["Key"] for upload in both("list_multipart_uploads")["Uploads"]] == ["big"]
    assert both("get_object", Key="big")["Code"] == "NoSuchKey"
    complete("<up.UploadId>", "big", named)
    assert "Uploads" not in both("list_multipart_uploads")
    assert both("get_object", Key="big")["Body"] == data + b"last"
    both("head_object", Key="big")

    both("create_multipart_upload", Key="joined", keep="join")
    copied = both(
        "upload_part_copy", Key="joined", UploadId="<join.UploadId>", PartNumber=1,
        CopySource=f"{both.bucket}/big", CopySourceRange="bytes=2-7",
    )  # fmt: skip
    part = {"PartNumber": 1, "ETag": copied["CopyPartResult"]["ETag"]}
    second = both("upload_part", Key="joined", UploadId="<join.UploadId>", PartNumber=2, Body=b"2")
    both_parts = [part, {"PartNumber": 2, "ETag": second["ETag"]}]
    listed = both("list_parts", Key="joined", UploadId="<join.UploadId>")
    assert [(each["PartNumber"], each["Size"]) for each in listed["Parts"]] == [(1, 6), (2, 1)]
    assert complete("<join.UploadId>", "joined", both_parts)["Code"] == "EntityTooSmall"
    both("abort_multipart_upload", Key="joined", UploadId="<join.UploadId>")
    assert complete("<join.UploadId>", "joined", [part])["Code"] == "NoSuchUpload"
    assert both("list_parts", Key="joined", UploadId="<join.UploadId>")["Code"] == "NoSuchUpload"


def test_executions_and_secrets(services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    """A name can be used once; the latest execution is listed first."""
    memory = MemoryAws()
    outcomes = [_executions(services.states, "one")]
    with monkeypatch.context() as patch:
        memory.use(patch)
        outcomes.append(_executions(boto3.client("stepfunctions"), "one"))
    assert outcomes[0] == outcomes[1]
    assert outcomes[0][1] == "ExecutionAlreadyExists"


def _executions(states: Any, name: str) -> list[Any]:
    role = "arn:aws:iam::000000000000:role/machine"
    arn = states.create_state_machine(name=f"machine-{name}", definition=DEFINITION, roleArn=role)["stateMachineArn"]

    def start(name: str) -> Any:
        return states.start_execution(stateMachineArn=arn, name=name, input='{"run":1}')["executionArn"]

    first = start("run")
    while states.describe_execution(executionArn=first)["status"] == "RUNNING":
        pass
    with pytest.raises(ClientError) as again:
        states.start_execution(stateMachineArn=arn, name="run", input='{"run":2}')
    second = start("run-2")
    names = [execution["name"] for execution in states.list_executions(stateMachineArn=arn, maxResults=3)["executions"]]
    described = states.describe_execution(executionArn=second)
    return [first, again.value.response["Error"]["Code"], names, described["input"], described["name"]]
