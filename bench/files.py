"""S3 in a directory, so that no server's time and memory are measured. It has the methods that `Bucket` calls."""

import hashlib
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

from botocore.exceptions import ClientError

_PIECE = 1 << 16


class Body(BytesIO):
    """The body of a GET."""


class FileS3:
    """One bucket; each object is a file named after its quoted key. Billed calls are counted."""

    def __init__(self, root: Path) -> None:
        """Use this directory."""
        self._root = root
        self.calls: Counter[str] = Counter()
        self._parts: dict[str, Any] = {}

    def _path(self, key: str) -> Path:
        return self._root / quote(key, safe="")

    def head_object(self, Key: str, **_: Any) -> dict[str, Any]:  # noqa: N803  # S3's own names
        """Describe an object."""
        self.calls["get"] += 1
        stat = self._path(Key).stat()
        moment = datetime.fromtimestamp(int(stat.st_mtime), UTC)
        etag = hashlib.sha256(Key.encode()).hexdigest()[:32]
        return {
            "VersionId": "1", "ETag": etag, "ContentLength": stat.st_size, "LastModified": moment, "Metadata": {},
        }  # fmt: skip

    def get_object(self, Key: str, Range: str | None = None, **_: Any) -> dict[str, Any]:  # noqa: N803
        """Read an object, or a range of it."""
        self.calls["get"] += 1
        path = self._path(Key)
        if not path.exists():
            raise _error("GetObject", 404)
        with path.open("rb") as file:
            if Range is None:
                data = file.read()
            else:
                start, end = (int(number) for number in Range.removeprefix("bytes=").split("-"))
                file.seek(start)
                data = file.read(end - start + 1)
        return {"ContentLength": len(data), "Body": Body(data)}

    def put_object(self, Key: str, Body: bytes, IfNoneMatch: str | None = None, **_: Any) -> dict[str, Any]:  # noqa: N803
        """Write an object."""
        self.calls["put"] += 1
        if IfNoneMatch and self._path(Key).exists():
            raise _error("PutObject", 412)
        self._path(Key).write_bytes(Body)
        return {"VersionId": "1"}

    def create_multipart_upload(self, Key: str, **_: Any) -> dict[str, Any]:  # noqa: N803
        """Start a multipart upload."""
        self.calls["put"] += 1
        self._parts[Key] = self._path(Key + ".part").open("wb")
        return {"UploadId": Key}

    def upload_part(self, UploadId: str, Body: bytes, **_: Any) -> dict[str, Any]:  # noqa: N803
        """Add a part."""
        self.calls["put"] += 1
        self._parts[UploadId].write(Body)
        return {"ETag": "e", "ChecksumCRC32": "c"}

    def upload_part_copy(self, UploadId: str, CopySource: Any, CopySourceRange: str, **_: Any) -> dict[str, Any]:  # noqa: N803
        """Add a part of another object."""
        self.calls["put"] += 1
        self.calls["get"] += 1
        start, end = (int(number) for number in CopySourceRange.removeprefix("bytes=").split("-"))
        with self._path(CopySource["Key"]).open("rb") as source:  # in small pieces: S3 copies without our memory
            source.seek(start)
            while data := source.read(min(_PIECE, end + 1 - source.tell())):
                self._parts[UploadId].write(data)
        return {"CopyPartResult": {"ETag": "e"}}

    def complete_multipart_upload(self, UploadId: str, **_: Any) -> dict[str, Any]:  # noqa: N803
        """Create the object."""
        self.calls["put"] += 1
        self._parts.pop(UploadId).close()
        self._path(UploadId).unlink(missing_ok=True)  # replacing a file would make the file system flush it
        self._path(UploadId + ".part").rename(self._path(UploadId))
        return {}

    def abort_multipart_upload(self, UploadId: str, **_: Any) -> dict[str, Any]:  # noqa: N803
        """Discard the parts."""
        self._parts.pop(UploadId).close()
        self._path(UploadId + ".part").unlink()
        return {}

    def get_paginator(self, _: str) -> "FileS3":
        """Return the paginator of a listing."""
        return self

    def paginate(self, Prefix: str, **_: Any) -> Iterator[dict[str, Any]]:  # noqa: N803
        """List keys."""
        self.calls["list"] += 1
        keys = sorted(unquote(path.name) for path in self._root.iterdir() if not path.name.endswith(".part"))
        yield {"Contents": [{"Key": key} for key in keys if key.startswith(Prefix)]}


def _error(operation: str, status: int) -> ClientError:
    answer: Any = {"Error": {"Code": str(status)}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(answer, operation)
