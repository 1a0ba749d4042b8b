"""The only door to S3: whole small objects, ranged streams in, whole large objects out."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError, HTTPClientError, IncompleteReadError

from conveyor.domain.drop import NO_VERSION, Drop, Source
from conveyor.s3.multipart import MultipartUpload, Writer
from conveyor.s3.read_errors import unreadable

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import HeadObjectRequestTypeDef

RANGE_BYTES = 8 * 1024 * 1024
"""One ranged GET."""
MOST_READS = 16
"""Objects that may be read at the same time: the client keeps a connection for each."""
_READS = 3
_CONFLICTS = 10


class Bucket:
    """One bucket."""

    def __init__(self, client: "S3Client", bucket: str) -> None:
        """Take a client, whose retries cover single calls, and the bucket's name."""
        self._client = client
        self.bucket = bucket

    def describe(self, key: str, version: str | None) -> Drop:
        """Return the version of an object, the current one where none is named. Raises DropUnreadable."""
        question: HeadObjectRequestTypeDef = {"Bucket": self.bucket, "Key": key}
        try:
            head = self._client.head_object(**question, **({"VersionId": version} if version else {}))
        except ClientError:
            self.touch(Source(key, version))  # the answer to a HEAD has a status, and no words that tell why
            raise
        return Drop(
            self.bucket,
            key,
            head.get("VersionId", NO_VERSION),
            head["ETag"].strip('"'),
            head["ContentLength"],
            head["LastModified"],
            head["Metadata"],
        )

    def touch(self, source: Source, place: int = 0) -> None:
        """Read one byte of an object that never changes. Raises DropUnreadable."""
        self._range(source, place, place + 1)

    def get(self, key: str) -> bytes:
        """Return a small object that is known to exist."""
        return self._client.get_object(Bucket=self.bucket, Key=key)["Body"].read()

    def range(self, key: str, start: int, end: int) -> bytes:
        """Return some bytes of an object that never changes."""
        return self._client.get_object(Bucket=self.bucket, Key=key, Range=f"bytes={start}-{end - 1}")["Body"].read()

    def beginning(self, key: str, count: int) -> bytes:
        """Return the first bytes of an object that may be of any size."""
        with self._client.get_object(Bucket=self.bucket, Key=key)["Body"] as body:
            return body.read(count)

    def find(self, key: str) -> bytes | None:
        """Return a small object, or None where it surely or perhaps does not exist.

        Without permission to list, S3 answers 403 for an object that is not there: use this for hints only.
        """
        try:
            return self.get(key)
        except ClientError as error:
            if _status(error) in (403, 404):
                return None
            raise

    def put_once(self, key: str, data: bytes) -> bytes:
        """Write an object unless there is one, and return what is there now: ours, or what another wrote first."""
        return data if self.put_if_absent(key, data) else self.get(key)

    def put_if_absent(self, key: str, data: bytes) -> bool:
        """Write an object unless there is one; tell whether it was written. Needs no permission to read."""
        for _ in range(_CONFLICTS):
            try:
                self._client.put_object(Bucket=self.bucket, Key=key, Body=data, IfNoneMatch="*")
            except ClientError as error:
                if _status(error) == 412:  # noqa: PLR2004
                    return False
                if _status(error) != 409:  # noqa: PLR2004  # two writers at the same moment: ask again
                    raise
            else:
                return True
        raise RuntimeError(f"{key}: gave up after {_CONFLICTS} conflicting writes (HTTP 409)")

    def put(self, key: str, data: bytes, metadata: Mapping[str, str] | None = None) -> None:
        """Write an object whose content follows from facts, so that writing it again changes nothing."""
        self._client.put_object(Bucket=self.bucket, Key=key, Body=data, Metadata=metadata or {})

    def list(self, prefix: str) -> list[str]:
        """Return all keys under a prefix."""
        pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=prefix)
        return [item["Key"] for page in pages for item in page.get("Contents", [])]

    def folders(self, prefix: str, after: str) -> Iterator[str]:
        """Yield what lies right under a prefix, up to the next slash, in order, of names that sort behind `after`."""
        pages = self._client.get_paginator("list_objects_v2").paginate(
            Bucket=self.bucket, Prefix=prefix, Delimiter="/", StartAfter=prefix + after
        )
        yield from (
            item["Prefix"].removeprefix(prefix).rstrip("/") for page in pages for item in page.get("CommonPrefixes", [])
        )

    def stream(self, source: Source, start: int, end: int) -> Iterator[bytes]:
        """Yield bytes `start` to `end` of an object, a range at a time, each read again where it was cut.

        Raises DropUnreadable where S3 will not give them, however often it is asked.
        """
        for begin in range(start, end, RANGE_BYTES):
            yield self._range(source, begin, min(begin + RANGE_BYTES, end))

    def _range(self, source: Source, start: int, end: int) -> bytes:
        version: Any = {"VersionId": source.version} if source.version else {}
        for left in reversed(range(_READS)):
            try:
                answer = self._client.get_object(
                    Bucket=self.bucket, Key=source.key, Range=f"bytes={start}-{end - 1}", **version
                )
                if answer["ContentLength"] != end - start:
                    raise RuntimeError(f"S3 gave {answer['ContentLength']} bytes for {end - start} of {source.key}")
                return answer["Body"].read()
            except ClientError as error:
                about = error.response["Error"]
                why = unreadable(_status(error), about.get("Code") or "", about.get("Message") or "")
                raise (why or error) from None
            except (HTTPClientError, IncompleteReadError):  # cut while reading, which the client does not retry
                if not left:
                    raise
        raise AssertionError

    @contextmanager
    def upload(self, key: str, metadata: Mapping[str, str]) -> Iterator[MultipartUpload]:
        """Give an upload of parts that is completed when the block ends, and aborted when it raises."""
        upload = MultipartUpload(self._client, self.bucket, key, metadata)
        try:
            yield upload
            upload.complete()
        except BaseException:
            upload.abort()
            raise

    @contextmanager
    def writer(
        self, key: str, metadata: Mapping[str, str] | None = None, *, keep_empty: bool = True
    ) -> Iterator[Writer]:
        """Give a writer whose object appears whole when the block ends, and not at all when it raises.

        `keep_empty=False`: nor when nothing was written.
        """
        writer = Writer(self._client, self.bucket, key, metadata or {})
        try:
            yield writer
            if keep_empty or writer.account().lines:
                writer.finish()
        except BaseException:
            writer.abort()
            raise


def _status(error: ClientError) -> int:
    return error.response["ResponseMetadata"]["HTTPStatusCode"]
