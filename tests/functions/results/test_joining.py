"""Parts of any size are joined into one file, although S3 accepts no part below 5 MiB except the last."""

import random
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from hashlib import sha256
from typing import Any

import pytest

from conveyor.s3.bucket import Bucket
from conveyor.s3.concatenate import concatenate
from tests.functions.conftest import Services

MIB = 1024 * 1024
LEAST = 5 * MIB
SIZES = [
    (0, 0, 0),
    (1, 0, 1),
    (LEAST - 1, 0),
    (LEAST - 1, 1),
    (LEAST - 1, 1, 1),
    (LEAST,),
    (LEAST, 0, LEAST),
    (LEAST, 1),
    (1, LEAST),
    (LEAST - 1, LEAST),
    (LEAST - 1, LEAST - 1, LEAST - 1),
    (6 * MIB, 6 * MIB, 6 * MIB),
    (1, 6 * MIB, 1, 6 * MIB, 1),
    (11 * MIB, 0, 11 * MIB),
    (0, 11 * MIB, LEAST - 1),
    (LEAST - 1, 11 * MIB, 1, 0),
    (*[MIB] * 4, 1, 6 * MIB),
    (*[2 * MIB] * 8, 0),
    (3 * MIB, 3 * MIB, 11 * MIB, 3 * MIB, 3 * MIB),
]


@cache
def some() -> bytes:
    """Return bytes that are the same in each run."""
    return random.Random(0).randbytes(11 * MIB + 1000)  # noqa: S311 # test data, no secret


def put(s3: Any, bucket: str, sizes: tuple[int, ...]) -> tuple[dict[str, int], bytes]:
    """Write parts of these sizes; return their keys with the sizes, and the joined content."""
    contents = [some()[number : number + size] for number, size in enumerate(sizes)]
    for number, content in enumerate(contents):
        s3.put_object(Bucket=bucket, Key=f"runs/r/{number}", Body=content)
    parts = {f"runs/r/{number}": len(each) for number, each in enumerate(contents)}
    return parts, b"".join(contents)


@contextmanager
def before(s3: Any, call: str, action: Any) -> Iterator[None]:
    """Run an action before each call of a kind."""
    event = f"provide-client-params.s3.{call}"
    s3.meta.events.register(event, action)
    try:
        yield
    finally:
        s3.meta.events.unregister(event, action)


@pytest.mark.parametrize("sizes", SIZES, ids=str)
def test_a_joined_file_is_its_parts_one_after_the_other(
    services: Services, bucket: str, sizes: tuple[int, ...]
) -> None:
    """Its content and metadata are right, and AWS, which is stricter than the local S3, would accept every part."""
    parts, whole = put(services.s3, bucket, sizes)
    added = dict[int, int]()

    def note(params: dict[str, Any], **_: Any) -> None:
        first, _, last = params.get("CopySourceRange", "").removeprefix("bytes=").partition("-")
        added[params["PartNumber"]] = int(last) - int(first) + 1 if last else len(params["Body"])

    with before(services.s3, "UploadPart", note), before(services.s3, "UploadPartCopy", note):
        concatenate(Bucket(services.s3, bucket), "failures/a", parts, {"on-invalid": "skip"})
    found = services.s3.get_object(Bucket=bucket, Key="failures/a")
    assert sha256(found["Body"].read()).hexdigest() == sha256(whole).hexdigest()
    assert found["Metadata"] == {"on-invalid": "skip"}
    lengths = [size for _, size in sorted(added.items())]
    assert sum(lengths) == (len(whole) if len(whole) >= LEAST else 0)
    assert all(size >= LEAST for size in lengths[:-1])
    assert all(lengths), "a part is empty"


@pytest.mark.parametrize("call", ["UploadPartCopy", "UploadPart", "CompleteMultipartUpload"])
def test_nothing_appears_when_a_call_fails_and_nothing_is_left(services: Services, bucket: str, call: str) -> None:
    """An incomplete file would look complete."""
    parts, whole = put(services.s3, bucket, (6 * MIB, 1, 6 * MIB, 1))

    def fail(**_: Any) -> None:
        raise ConnectionError(call)

    with before(services.s3, call, fail), pytest.raises(ConnectionError, match=call):
        concatenate(Bucket(services.s3, bucket), "results/a", parts, {})
    assert services.s3.list_objects_v2(Bucket=bucket, Prefix="results/")["KeyCount"] == 0
    assert not services.s3.list_multipart_uploads(Bucket=bucket).get("Uploads")
    concatenate(Bucket(services.s3, bucket), "results/a", parts, {})
    assert services.s3.get_object(Bucket=bucket, Key="results/a")["Body"].read() == whole


@pytest.mark.parametrize("sizes", [(2, 1), (1, 6 * MIB, 2), (6 * MIB, LEAST - 1)], ids=str)
def test_parts_that_differ_from_their_recorded_size_are_not_joined(
    services: Services, bucket: str, sizes: tuple[int, ...]
) -> None:
    """Missing data might be noticed only much later."""
    parts, _ = put(services.s3, bucket, sizes)
    last, size = list(parts.items())[-1]
    services.s3.put_object(Bucket=bucket, Key=last, Body=some()[: size - 1])
    with pytest.raises(RuntimeError, match="bytes"):
        concatenate(Bucket(services.s3, bucket), "results/a", parts, {})
    assert services.s3.list_objects_v2(Bucket=bucket, Prefix="results/")["KeyCount"] == 0


def test_joining_a_file_again_gives_the_same_file(services: Services, bucket: str) -> None:
    """Report is retried if its response is lost."""
    parts, whole = put(services.s3, bucket, (6 * MIB, 1))
    for _ in range(2):
        concatenate(Bucket(services.s3, bucket), "results/a", parts, {})
        assert services.s3.get_object(Bucket=bucket, Key="results/a")["Body"].read() == whole
