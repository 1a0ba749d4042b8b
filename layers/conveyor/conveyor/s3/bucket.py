"""The only access to S3: whole small objects, ranged reads of large ones, and multipart uploads."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

from botocore.exceptions import ClientError, HTTPClientError, IncompleteReadError

from conveyor.domain.drop import NO_VERSION, Drop, Source
from conveyor.s3.multipart import MultipartUpload, NumberedUpload, Writer
from conveyor.s3.read_errors import ReadRefused, is_hidden, is_permanent, unreadable_drop

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import HeadObjectRequestTypeDef, TagTypeDef

RANGE_BYTES = 8 * 1024 * 1024
"""One ranged GET."""
MOST_READS = 16
"""Objects read at the same time; the client keeps a connection for each."""
_READS = 3
_CONFLICTS = 10


class Pinned(NamedTuple):
    """One content of an object: reads of it give these bytes, or fail."""

    key: str
    etag: str
    bytes: int


class ObjectReplaced(Exception):
    """An object has another content than the one that was pinned."""


class Bucket:
    """One bucket."""

    def __init__(self, client: "S3Client", bucket: str) -> None:
        """Take a client, which retries single calls, and the bucket's name."""
        self._client = client
        self._pages = client.get_paginator("list_objects_v2").paginate
        self.bucket = bucket

    def describe(self, key: str, version: str | None) -> Drop:
        """Return one version of an object, by default the current one. Raises DropUnreadable."""
        wanted: HeadObjectRequestTypeDef = {"Bucket": self.bucket, "Key": key}
        try:
            head = self._client.head_object(**wanted, **({"VersionId": version} if version else {}))
        except ClientError:
            self.touch(Source(key, version))  # the response to a HEAD has no body that says why
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

    def touch(self, source: Source, position: int = 0) -> None:
        """Read one byte of a drop, to see whether it can be read. Raises DropUnreadable."""
        self._range(source, position, position + 1)

    def get(self, key: str) -> bytes:
        """Return a small object, which must exist."""
        return self._client.get_object(Bucket=self.bucket, Key=key)["Body"].read()

    def range(self, key: str, start: int, end: int) -> bytes:
        """Return some bytes of an object that never changes."""
        return self._client.get_object(Bucket=self.bucket, Key=key, Range=f"bytes={start}-{end - 1}")["Body"].read()

    def pin(self, key: str) -> Pinned | None:
        """Return the content that an object has now; None if it does not exist."""
        try:
            head = self._client.head_object(Bucket=self.bucket, Key=key)
        except ClientError as error:
            if self._is_absent(key, error):
                return None
            raise
        return Pinned(key, head["ETag"].strip('"'), head["ContentLength"])

    def _is_absent(self, key: str, error: ClientError) -> bool:
        """Return whether an object does not exist, after a HEAD that failed. Raises the error of a GET that says more.

        The response to a HEAD has no body that tells a missing object from one that may not be read.
        """
        if _status(error) == 403:  # noqa: PLR2004
            try:
                self._client.get_object(Bucket=self.bucket, Key=key, Range="bytes=0-0")
            except ClientError as denied:
                if not is_hidden(denied.response["Error"].get("Message") or ""):
                    raise
                return True
        return _status(error) == 404  # noqa: PLR2004

    def pinned_range(self, pinned: Pinned, start: int, end: int) -> bytes:
        """Return some bytes of a pinned content. A range that was cut off is read again.

        It needs no permission to read versions. Raises ObjectReplaced.
        """
        wanted = f"bytes={start}-{end - 1}"
        for left in reversed(range(_READS)):
            try:
                return self._client.get_object(
                    Bucket=self.bucket, Key=pinned.key, Range=wanted, IfMatch=f'"{pinned.etag}"'
                )["Body"].read()
            except ClientError as error:
                if _status(error) == 412:  # noqa: PLR2004
                    raise ObjectReplaced(pinned.key) from None
                raise
            except (HTTPClientError, IncompleteReadError):  # cut off while it was read, which the client does not retry
                if not left:
                    raise
        raise AssertionError

    def beginning(self, key: str, count: int) -> bytes:
        """Return the first bytes of an object of any size."""
        with self._client.get_object(Bucket=self.bucket, Key=key)["Body"] as body:
            return body.read(count)

    def version(self, key: str) -> str | None:
        """Return the version of an object; None if it does not exist any more."""
        try:
            version: str = self._client.head_object(Bucket=self.bucket, Key=key).get("VersionId", NO_VERSION)
        except ClientError as error:
            if _status(error) in (403, 404):
                return None
            raise
        return version

    def find(self, key: str) -> bytes | None:
        """Return a small object, or None if it does not exist or may not exist.

        Without permission to list, S3 answers 403 for a missing object, so use this for hints only.
        """
        try:
            return self.get(key)
        except ClientError as error:
            if _status(error) in (403, 404):
                return None
            raise

    def put_once(self, key: str, data: bytes) -> bytes:
        """Write an object unless it exists, and return its content: ours, or what another wrote first."""
        return data if self.put_if_absent(key, data) else self.get(key)

    def put_if_absent(self, key: str, data: bytes) -> bool:
        """Write an object unless it exists; tell whether it was written. Needs no permission to read."""
        for _ in range(_CONFLICTS):
            try:
                self._client.put_object(Bucket=self.bucket, Key=key, Body=data, IfNoneMatch="*")
            except ClientError as error:
                if _status(error) == 412:  # noqa: PLR2004
                    return False
                if _status(error) != 409:  # noqa: PLR2004  # two writers at the same time: try again
                    raise
            else:
                return True
        raise RuntimeError(f"{key}: gave up after {_CONFLICTS} conflicting writes (HTTP 409)")

    def put(self, key: str, data: bytes, metadata: Mapping[str, str] | None = None) -> None:
        """Write an object. Its content must follow from facts, so that writing it again changes nothing."""
        self._client.put_object(Bucket=self.bucket, Key=key, Body=data, Metadata=metadata or {})

    def put_page(self, key: str, html: str) -> None:
        """Do the same for a page of HTML, which browsers show, whatever the user's system makes of its name."""
        self._client.put_object(
            Bucket=self.bucket,
            Key=key,
            Body=html.encode(),
            ContentType="text/html; charset=utf-8",
            ContentDisposition="inline",
        )

    def tag(self, key: str, tags: Mapping[str, str]) -> None:
        """Replace the tags of an object, which the rules of the bucket's lifecycle select by."""
        named: list[TagTypeDef] = [{"Key": name, "Value": value} for name, value in tags.items()]
        self._client.put_object_tagging(Bucket=self.bucket, Key=key, Tagging={"TagSet": named})

    def list(self, prefix: str, after: str = "") -> list[str]:
        """Return all keys under a prefix. `after`: only those that sort after this rest of a key."""
        start: Any = {"StartAfter": prefix + after} if after else {}
        pages = self._pages(Bucket=self.bucket, Prefix=prefix, **start)
        return [item["Key"] for page in pages for item in page.get("Contents", [])]

    def folders(self, prefix: str, after: str) -> Iterator[str]:
        """Yield the names directly under a prefix, up to the next slash, that sort after `after`, in order."""
        pages = self._pages(Bucket=self.bucket, Prefix=prefix, Delimiter="/", StartAfter=prefix + after)
        yield from (
            item["Prefix"].removeprefix(prefix).rstrip("/") for page in pages for item in page.get("CommonPrefixes", [])
        )

    def stream(self, source: Source, start: int, end: int) -> Iterator[bytes]:
        """Yield bytes `start` to `end` of an object, a range at a time. A range that was cut off is read again.

        Raises DropUnreadable.
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
                details = error.response["Error"]
                code, message = details.get("Code") or "", details.get("Message") or ""
                raise (unreadable_drop(_status(error), code, message) or error) from None
            except (HTTPClientError, IncompleteReadError):  # cut off while it was read, which the client does not retry
                if not left:
                    raise
        raise AssertionError

    def begin_upload(self, key: str, metadata: Mapping[str, str]) -> NumberedUpload:
        """Begin a multipart upload that several functions may go on with."""
        return NumberedUpload.begin(self._client, self.bucket, key, metadata)

    def resume_upload(self, key: str, upload_id: str, sizes: Mapping[int, int] | None) -> NumberedUpload | None:
        """Return an upload that another function began; None if it is gone, or it was for other parts.

        `sizes`: of all parts, by number; None if it is known to be for others.
        """
        upload = NumberedUpload(self._client, self.bucket, key, upload_id)
        try:
            found = upload.find_written()
        except ClientError as error:
            if _status(error) == 404:  # noqa: PLR2004  # completed, or removed by the bucket's lifecycle
                return None
            raise
        if sizes is not None and found.items() <= sizes.items():
            return upload
        upload.abort()
        return None

    @contextmanager
    def upload(self, key: str, metadata: Mapping[str, str]) -> Iterator[MultipartUpload]:
        """Yield a multipart upload that is completed when the block ends, and aborted when it raises."""
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
        """Yield a writer whose object appears when the block ends, and not at all when it raises.

        `keep_empty=False`: no object appears if nothing was written.
        """
        writer = Writer(self._client, self.bucket, key, metadata or {})
        try:
            yield writer
            if keep_empty or writer.account().lines:
                writer.finish()
        except BaseException:
            writer.abort()
            raise


@contextmanager
def naming_refusals() -> Iterator[None]:
    """Raise ReadRefused for a read that S3 would refuse again, missing permissions of the role included."""
    try:
        yield
    except ClientError as error:
        status, code = _status(error), error.response["Error"].get("Code") or ""
        if not is_permanent(status, code):
            raise
        raise ReadRefused(f"HTTP {status} {code}") from None


def _status(error: ClientError) -> int:
    return error.response["ResponseMetadata"]["HTTPStatusCode"]
