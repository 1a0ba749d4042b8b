"""S3 as AWS has it where MiniStack is kinder: objects that are missing, and objects that a key encrypts."""

from __future__ import annotations

import json
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest
from botocore.exceptions import ClientError

from tests.support.company import create_key
from tests.support.people import create_bucket, role_with

if TYPE_CHECKING:
    from collections.abc import Iterator

    from local.stack.local_aws import Aws

OBJECTS = {"Effect": "Allow", "Action": ["s3:GetObject", "s3:GetObjectVersion", "s3:PutObject"], "Resource": "*"}
UNDER_A_PREFIX = {
    "Effect": "Allow", "Action": ["s3:ListBucket", "s3:ListBucketVersions"], "Resource": "*",
    "Condition": {"StringLike": {"s3:prefix": "a/*"}},
}  # fmt: skip
LIST = {name: value for name, value in UNDER_A_PREFIX.items() if name != "Condition"}
BY_POLICIES = {
    "Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::000000000000:root"}, "Action": "kms:*", "Resource": "*",
}  # fmt: skip


@pytest.fixture(scope="module")
def bucket(aws: Aws) -> str:
    """Create a bucket with versions."""
    name = create_bucket(aws)
    aws.client("s3").put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
    return name


@contextmanager
def s3_of(aws: Aws, *statements: dict[str, Any]) -> Iterator[Any]:
    """Yield the S3 client of a role with these statements."""
    document = json.dumps({"Version": "2012-10-17", "Statement": statements})
    policy = aws.client("iam").create_policy(PolicyName=f"p-{uuid4().hex[:8]}", PolicyDocument=document)
    with role_with(aws, policy["Policy"]["Arn"]) as clients:
        yield clients("s3")


def refused(call: Any, **asked: Any) -> tuple[int, str]:
    """Return status and message of a call that is refused."""
    with pytest.raises(ClientError) as caught:
        call(**asked)
    response = caught.value.response
    return response["ResponseMetadata"]["HTTPStatusCode"], response["Error"].get("Message", "")


def test_a_missing_object_is_403_for_who_may_list_under_a_prefix_only(aws: Aws, bucket: str) -> None:
    """A request for an object names no prefix. Who may list everything learns that it is missing."""
    asked = {"Bucket": bucket, "Key": "a/missing"}
    with s3_of(aws, OBJECTS, UNDER_A_PREFIX) as s3:
        status, message = refused(s3.get_object, **asked)
        assert (status, "is not authorized to perform: s3:ListBucket on" in message) == (403, True)
        assert refused(s3.head_object, **asked)[0] == 403
        removed = uuid4().hex
        status, message = refused(s3.get_object, **asked, VersionId=removed)
        assert (status, "s3:ListBucketVersions" in message) == (403, True)
        assert s3.list_objects_v2(Bucket=bucket, Prefix="a/")["KeyCount"] == 0
    with s3_of(aws, OBJECTS, LIST) as s3:
        assert refused(s3.get_object, **asked)[0] == refused(s3.head_object, **asked)[0] == 404


@pytest.mark.parametrize(
    ("actions", "write", "read"),
    [
        ([], "GenerateDataKey", "Decrypt"),
        (["kms:GenerateDataKey"], "", "Decrypt"),
        (["kms:Decrypt"], "GenerateDataKey", ""),
        (["kms:GenerateDataKey", "kms:Decrypt"], "", ""),
    ],
)
def test_an_object_with_a_key_needs_the_key(aws: Aws, bucket: str, actions: list[str], write: str, read: str) -> None:
    """To write, to read and to copy it; HEAD needs none."""
    key = create_key(aws, [BY_POLICIES])
    sse: Any = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": key}
    there = {"Bucket": bucket, "Key": f"x/{uuid4().hex}"}
    aws.client("s3").put_object(**there, Body=b"1", **sse)
    through = {"StringLike": {"kms:ViaService": "s3.us-east-1.*"}}
    allow = {"Effect": "Allow", "Action": actions, "Resource": key, "Condition": through}
    with s3_of(aws, OBJECTS, *([allow] if actions else [])) as s3:
        target = {"Bucket": bucket, "Key": f"x/{uuid4().hex}"}
        tries: list[tuple[str, Any, dict[str, Any]]] = [
            (write, s3.put_object, {**target, "Body": b"1", **sse}),
            (write, s3.create_multipart_upload, {**target, **sse}),
            (read, s3.get_object, there),
            (read, s3.copy_object, {**target, "CopySource": there}),
            ("", s3.head_object, there),
        ]
        for lacks, call, asked in tries:
            if lacks:
                status, message = refused(call, **asked)
                assert (status, f"not authorized to perform: kms:{lacks} on" in message) == (403, True)
            else:
                call(**asked)


def test_the_default_key_of_a_bucket_counts_and_a_disabled_one_is_refused(aws: Aws) -> None:
    """As does one that no longer exists. The key of S3 itself is everybody's."""
    s3, kms, bucket, key = aws.client("s3"), aws.client("kms"), create_bucket(aws), create_key(aws, [BY_POLICIES])
    rule = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key}}
    s3.put_bucket_encryption(Bucket=bucket, ServerSideEncryptionConfiguration={"Rules": [rule]})
    there = {"Bucket": bucket, "Key": "a"}
    s3.put_object(**there, Body=b"1")
    with s3_of(aws, OBJECTS) as denied:
        assert "kms:GenerateDataKey" in refused(denied.put_object, **there, Body=b"1")[1]
        denied.put_object(**there, Body=b"2", ServerSideEncryption="aws:kms")
        assert denied.get_object(**there)["Body"].read() == b"2"
    s3.put_object(**there, Body=b"3")
    kms.disable_key(KeyId=key)
    for call in (s3.get_object, lambda **asked: s3.put_object(Body=b"1", **asked)):
        with pytest.raises(ClientError, match=r"KMS\.DisabledException"):
            call(**there)
