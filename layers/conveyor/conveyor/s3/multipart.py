"""Multipart uploads: an object appears when its upload is completed, and not at all otherwise."""

from collections.abc import Mapping
from hashlib import sha256
from typing import TYPE_CHECKING, Self, TypedDict

from conveyor.domain.output_file import OutputFile

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import (
        CompletedPartTypeDef,
        CopyPartResultTypeDef,
        PartTypeDef,
        UploadPartOutputTypeDef,
    )

PART_BYTES = 8 * 1024 * 1024
"""At most 10,000 parts make 80 GB."""


class _Name(TypedDict):
    """Which upload it is."""

    Bucket: str
    Key: str
    UploadId: str


class NumberedUpload:
    """One multipart upload, whose parts are written in any order, by several threads, and by several functions.

    Checksums are declared, sent, and repeated at the end, so S3 accepts no partial object.
    """

    def __init__(self, client: "S3Client", bucket: str, key: str, upload_id: str) -> None:
        """Take an upload that was begun."""
        self._client = client
        self._upload: _Name = {"Bucket": bucket, "Key": key, "UploadId": upload_id}
        self.key = key
        self.id = upload_id
        self.written: dict[int, CompletedPartTypeDef] = {}
        """The parts by number."""

    @classmethod
    def begin(cls, client: "S3Client", bucket: str, key: str, metadata: Mapping[str, str]) -> Self:
        """Begin an upload."""
        begun = client.create_multipart_upload(Bucket=bucket, Key=key, Metadata=metadata, ChecksumAlgorithm="CRC32")
        return cls(client, bucket, key, begun["UploadId"])

    def find_written(self) -> dict[int, int]:
        """Note which parts S3 has; return their bytes by number. Raises ClientError if the upload is gone."""
        found = dict[int, int]()
        for page in self._client.get_paginator("list_parts").paginate(**self._upload):
            for part in page.get("Parts", []):
                found[part["PartNumber"]] = part["Size"]
                self._note(part["PartNumber"], part)
        return found

    def put(self, number: int, data: bytes) -> None:
        """Write a part."""
        self._note(
            number,
            self._client.upload_part(**self._upload, PartNumber=number, Body=data, ChecksumAlgorithm="CRC32"),
        )

    def copy(self, number: int, source: str, start: int, end: int) -> None:
        """Let S3 copy bytes of another object of the bucket as a part."""
        answer = self._client.upload_part_copy(
            **self._upload, PartNumber=number,
            CopySource={"Bucket": self._upload["Bucket"], "Key": source}, CopySourceRange=f"bytes={start}-{end - 1}",
        )  # fmt: skip
        self._note(number, answer["CopyPartResult"])

    def complete(self) -> None:
        """Make the object appear."""
        parts = [self.written[number] for number in sorted(self.written)]
        self._client.complete_multipart_upload(**self._upload, MultipartUpload={"Parts": parts})

    def abort(self) -> None:
        """Discard what was uploaded."""
        self._client.abort_multipart_upload(**self._upload)

    def _note(self, number: int, answer: "UploadPartOutputTypeDef | CopyPartResultTypeDef | PartTypeDef") -> None:
        part: CompletedPartTypeDef = {"ETag": answer["ETag"], "PartNumber": number}
        if "ChecksumCRC32" in answer:
            part["ChecksumCRC32"] = answer["ChecksumCRC32"]
        self.written[number] = part


class MultipartUpload:
    """A multipart upload whose parts come one after the other."""

    def __init__(self, client: "S3Client", bucket: str, key: str, metadata: Mapping[str, str]) -> None:
        """Start the upload."""
        self._upload = NumberedUpload.begin(client, bucket, key, metadata)

    def add(self, data: bytes) -> None:
        """Add a part; only the last one may have fewer than 5 MiB."""
        self._upload.put(len(self._upload.written) + 1, data)

    def complete(self) -> None:
        """Make the object appear."""
        self._upload.complete()

    def abort(self) -> None:
        """Discard what was uploaded."""
        self._upload.abort()


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
