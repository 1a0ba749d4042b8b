"""The inbox of a bucket, as a person writes into it: uploads in parts, and copies."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Protocol

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


class Inbox:
    """Writes drops. Its errors are botocore's: see `explained`. No object appears if a call raises."""

    def __init__(self, client: "S3Client", bucket: str) -> None:
        """Take a client, which retries single calls, and the bucket's name."""
        self._client = client
        self._bucket = bucket

    def upload(self, stream: Stream, key: str, metadata: Mapping[str, str], tell: Callable[[int], None]) -> str:
        """Upload an object, in parts if it is large, and return its version. `tell`: hears of bytes that were sent.

        Ctrl-C, and an error of the stream, abort it.
        """
        from boto3.s3.transfer import TransferConfig  # noqa: PLC0415  # takes long, and only an upload needs it

        config = TransferConfig(
            multipart_threshold=_PART_BYTES, multipart_chunksize=_PART_BYTES, max_concurrency=_AT_ONCE
        )
        versions = list[str]()

        def note(parsed: Mapping[str, Any], **_: Any) -> None:  # noqa: ANN401 - botocore's
            versions.append(parsed.get("VersionId", NO_VERSION))

        named = [f"after-call.s3.{operation}" for operation in ("PutObject", "CompleteMultipartUpload")]
        for each in named:
            self._client.meta.events.register(each, note)
        try:
            extra = {"Metadata": dict(metadata)}
            self._client.upload_fileobj(stream, self._bucket, key, extra, tell, config)  # type: ignore[arg-type] # only read() is used
        finally:
            for each in named:
                self._client.meta.events.unregister(each, note)
        return versions[-1]

    def copy(self, source: Source, key: str, metadata: Mapping[str, str]) -> str:
        """Copy a version of an object of the bucket, up to 5 GiB, and return the version of the copy."""
        copied: CopySourceTypeDef = {"Bucket": self._bucket, "Key": source.key}
        if source.version:
            copied["VersionId"] = source.version
        answer = self._client.copy_object(
            Bucket=self._bucket, Key=key, Metadata=metadata, MetadataDirective="REPLACE", TaggingDirective="REPLACE",
            CopySource=copied,
        )  # fmt: skip
        return answer.get("VersionId", NO_VERSION)

    def metadata(self, key: str) -> dict[str, str]:
        """Return the metadata of an object."""
        found: dict[str, str] = self._client.head_object(Bucket=self._bucket, Key=key)["Metadata"]
        return found
