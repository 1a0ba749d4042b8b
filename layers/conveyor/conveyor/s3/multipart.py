"""Multipart uploads: an object appears when its upload is completed, and not at all otherwise."""

from collections.abc import Mapping
from hashlib import sha256
from typing import TYPE_CHECKING

from conveyor.domain.output_file import OutputFile

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import CompletedPartTypeDef, CopyPartResultTypeDef, UploadPartOutputTypeDef

PART_BYTES = 8 * 1024 * 1024
"""At most 10,000 parts make 80 GB."""


class MultipartUpload:
    """One multipart upload. Checksums are declared, sent, and repeated at the end, so S3 accepts no partial object."""

    def __init__(self, client: "S3Client", bucket: str, key: str, metadata: Mapping[str, str]) -> None:
        """Start the upload."""
        self._client = client
        self._bucket = bucket
        self._key = key
        self.bytes = 0
        self._parts: list[CompletedPartTypeDef] = []
        self._id = client.create_multipart_upload(Bucket=bucket, Key=key, Metadata=metadata, ChecksumAlgorithm="CRC32")[
            "UploadId"
        ]

    def add(self, data: bytes) -> None:
        """Add a part; only the last one may have fewer than 5 MiB."""
        number = len(self._parts) + 1
        self.bytes += len(data)
        self._add_part(
            self._client.upload_part(
                Bucket=self._bucket, Key=self._key, UploadId=self._id, PartNumber=number, Body=data,
                ChecksumAlgorithm="CRC32",
            )
        )  # fmt: skip

    def copy(self, source: str, start: int, end: int) -> None:
        """Let S3 copy bytes of another object of the bucket as a part."""
        answer = self._client.upload_part_copy(
            Bucket=self._bucket, Key=self._key, UploadId=self._id, PartNumber=len(self._parts) + 1,
            CopySource={"Bucket": self._bucket, "Key": source}, CopySourceRange=f"bytes={start}-{end - 1}",
        )  # fmt: skip
        self.bytes += end - start
        self._add_part(answer["CopyPartResult"])

    def complete(self) -> None:
        """Make the object appear."""
        self._client.complete_multipart_upload(
            Bucket=self._bucket, Key=self._key, UploadId=self._id, MultipartUpload={"Parts": self._parts}
        )

    def abort(self) -> None:
        """Discard what was uploaded."""
        self._client.abort_multipart_upload(Bucket=self._bucket, Key=self._key, UploadId=self._id)

    def _add_part(self, answer: "UploadPartOutputTypeDef | CopyPartResultTypeDef") -> None:
        part: CompletedPartTypeDef = {"ETag": answer["ETag"], "PartNumber": len(self._parts) + 1}
        if "ChecksumCRC32" in answer:
            part["ChecksumCRC32"] = answer["ChecksumCRC32"]
        self._parts.append(part)


class Writer:
    """Collects lines and uploads them part by part; holds one part in memory."""

    def __init__(self, client: "S3Client", bucket: str, key: str, metadata: Mapping[str, str]) -> None:
        """Write nothing yet."""
        self._client = client
        self._bucket = bucket
        self._key = key
        self._metadata = metadata
        self._buffer: list[bytes] = []
        self._buffered_bytes = 0
        self._upload: MultipartUpload | None = None
        self._digest = sha256()
        self._bytes = 0
        self._lines = 0

    def write(self, line: bytes) -> None:
        """Add a line, which ends with its line feed."""
        self._buffer.append(line)
        self._buffered_bytes += len(line)
        self._lines += 1
        if self._buffered_bytes >= PART_BYTES:
            self._flush()

    def account(self) -> OutputFile:
        """Describe the finished object."""
        return OutputFile(self._key, self._lines, self._bytes, self._digest.hexdigest())

    def finish(self) -> None:
        """Make the object appear."""
        if self._upload is None:
            data = self._empty_buffer()
            self._client.put_object(Bucket=self._bucket, Key=self._key, Body=data, Metadata=self._metadata)
            return
        if self._buffer:
            self._flush()
        self._upload.complete()
        self._upload = None

    def abort(self) -> None:
        """Discard what was uploaded."""
        if self._upload is not None:
            self._upload.abort()

    def _flush(self) -> None:
        if self._upload is None:
            self._upload = MultipartUpload(self._client, self._bucket, self._key, self._metadata)
        self._upload.add(self._empty_buffer())

    def _empty_buffer(self) -> bytes:
        """Return the buffered lines, and empty the buffer."""
        data = b"".join(self._buffer)
        self._buffer.clear()
        self._buffered_bytes = 0
        self._digest.update(data)
        self._bytes += len(data)
        return data
