"""All versions of objects: what nobody else sees or deletes."""

from collections.abc import Iterable, Iterator
from itertools import batched
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_MOST_AT_ONCE = 1000
"""Keys that S3 deletes in one request."""


class Version(NamedTuple):
    """A version of an object, or a delete marker."""

    key: str
    id: str
    bytes: int
    is_marker: bool


class Left(NamedTuple):
    """A version that could not be deleted, and S3's code for the reason."""

    key: str
    code: str


class Versions:
    """The versions of the objects of a bucket. Its errors are botocore's: see `explained`."""

    def __init__(self, client: "S3Client", bucket: str) -> None:
        """Take a client, which retries single calls, and the bucket's name."""
        self._client = client
        self._bucket = bucket

    def under(self, prefix: str) -> list[Version]:
        """Return all versions and delete markers of keys under a prefix."""
        pages = self._client.get_paginator("list_object_versions").paginate(Bucket=self._bucket, Prefix=prefix)
        found = list[Version]()
        for page in pages:
            found += [
                Version(each["Key"], each["VersionId"], each["Size"], is_marker=False)
                for each in page.get("Versions", [])
            ]
            found += [
                Version(each["Key"], each["VersionId"], 0, is_marker=True) for each in page.get("DeleteMarkers", [])
            ]
        return found

    def delete(self, versions: Iterable[Version]) -> Iterator[tuple[int, list[Left]]]:
        """Delete versions, and yield after each request how many are gone, and which could not be deleted.

        One that does not exist any more counts as deleted.
        """
        for some in batched(versions, _MOST_AT_ONCE, strict=False):
            named = [{"Key": each.key, "VersionId": each.id} for each in some]
            answer = self._client.delete_objects(Bucket=self._bucket, Delete={"Objects": named, "Quiet": True})  # type: ignore[typeddict-item]
            left = [Left(each.get("Key", ""), each.get("Code", "")) for each in answer.get("Errors", [])]
            yield len(some) - len(left), left
