"""The inbox of a bucket, as a person writes into it: uploads in parts, and copies."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from conveyor.domain.drop import NO_VERSION, Source

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import CopySourceTypeDef

_PART_BYTES = 8 * 1024 * 1024
"""At most 10,000 parts make 80 GB."""
_AT_ONCE = 8


class Stream(Protocol):
    """Bytes that are read once, in order."""

    def read(self, count: int = -1, /) -> bytes:
        """Return the next bytes."""


class Written(NamedTuple):
    """An object that was written."""

    version: str
    is_resent: bool
    """Whether the client has sent the last request more than once: an earlier one may have written a version, too."""


class Inbox:
    """Writes drops. Its errors are botocore's: see `explained`.

    No object appears if a call raises, unless `is_ending`: then an answer may have been lost.
    """

    def __init__(self, client: "S3Client", bucket: str) -> None:
        """Take a client, which retries single calls, and the bucket's name."""
        self._client = client
        self._bucket = bucket
        self.is_ending = False
        """Whether the request was sent by which the object appears."""

    def upload(self, stream: Stream, key: str, metadata: Mapping[str, str], tell: Callable[[int], None]) -> Written:
        """Upload an object, in parts if it is large. `tell`: hears of bytes that were sent.

        Ctrl-C, and an error of the stream, abort it.
        """
        from boto3.s3.transfer import TransferConfig  # noqa: PLC0415  # takes long, and only an upload needs it

        config = TransferConfig(
            multipart_threshold=_PART_BYTES, multipart_chunksize=_PART_BYTES, max_concurrency=_AT_ONCE
        )
        answers = list[Mapping[str, Any]]()

        def begins(**_: Any) -> None:  # noqa: ANN401 - botocore's
            self.is_ending = True

        def ends(parsed: Mapping[str, Any], **_: Any) -> None:  # noqa: ANN401 - botocore's
            answers.append(parsed)

        operations = ("PutObject", "CompleteMultipartUpload")
        moments = (("before-call", begins), ("after-call", ends))
        heard = [(f"{when}.s3.{each}", hear) for each in operations for when, hear in moments]
        for event, hear in heard:
            self._client.meta.events.register(event, hear)
        try:
            extra = {"Metadata": dict(metadata)}
            self._client.upload_fileobj(stream, self._bucket, key, extra, tell, config)  # type: ignore[arg-type] # only read() is used
        finally:
            for event, hear in heard:
                self._client.meta.events.unregister(event, hear)
        return _written(answers[-1])

    def copy(self, source: Source, key: str, metadata: Mapping[str, str]) -> Written:
        """Copy a version of an object of the bucket, up to 5 GiB."""
        self.is_ending = True
        copied: CopySourceTypeDef = {"Bucket": self._bucket, "Key": source.key}
        if source.version:
            copied["VersionId"] = source.version
        answer = self._client.copy_object(
            Bucket=self._bucket, Key=key, Metadata=metadata, MetadataDirective="REPLACE", TaggingDirective="REPLACE",
            CopySource=copied,
        )  # fmt: skip
        return _written(answer)

    def metadata(self, key: str) -> dict[str, str]:
        """Return the metadata of an object."""
        found: dict[str, str] = self._client.head_object(Bucket=self._bucket, Key=key)["Metadata"]
        return found


def _written(answer: Mapping[str, Any]) -> Written:
    is_resent = answer["ResponseMetadata"].get("RetryAttempts", 0) > 0
    return Written(answer.get("VersionId", NO_VERSION), is_resent)
