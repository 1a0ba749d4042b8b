"""One versioned bucket: objects with all their versions, and multipart uploads."""

from __future__ import annotations

from base64 import b64encode
from bisect import bisect_left, insort
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from hashlib import md5
from itertools import count
from typing import TYPE_CHECKING
from zlib import crc32

from tests.support.memory_aws.answers import Refused

if TYPE_CHECKING:
    from collections.abc import Callable

SMALLEST_PART = 5 * 1024**2
_NEVER = datetime.min.replace(tzinfo=UTC)


@dataclass
class Version:
    """One version of an object, or a delete marker."""

    data: bytes
    etag: str
    metadata: dict[str, str] = field(default_factory=dict)
    is_marker: bool = False
    tags: dict[str, str] = field(default_factory=dict)
    id: str = ""
    """Given when it is stored, as the moment below."""
    modified: datetime = _NEVER
    """In whole seconds, as in S3."""


@dataclass
class Parts:
    """A multipart upload that is not completed."""

    key: str
    metadata: dict[str, str]
    data: dict[int, bytes] = field(default_factory=dict)


class BucketInMemory:
    """Objects by key; the newest version is the last one."""

    def __init__(self) -> None:
        """Start empty."""
        self.now: Callable[[], datetime] = partial(datetime.now, UTC)
        self._numbers = count(1)
        self.versions: dict[str, list[Version]] = {}
        self._sorted: list[str] = []
        """The keys of `versions`. Python sorts text as S3 sorts its UTF-8."""
        self.uploads: dict[str, Parts] = {}
        """Multipart uploads that are not completed, by id."""
        self.locked: set[str] = set()
        """Keys whose versions S3 Object Lock keeps: DeleteObjects refuses them."""

    def current(self, key: str) -> Version | None:
        """Return the version that a read without a version id gets; None if there is none or it is deleted."""
        newest = self.versions.get(key, [None])[-1]
        return None if newest is None or newest.is_marker else newest

    def find(self, key: str, version_id: str | None) -> Version:
        """Return a version. Raises Refused."""
        if version_id is None:
            found = self.current(key)
        else:
            every = self.versions.get(key, [])
            found = next((version for version in every if version.id == version_id), None)
            if found is None:
                raise Refused(404, "NoSuchVersion", Key=key, VersionId=version_id)
            if found.is_marker:
                raise Refused(405, "MethodNotAllowed", Method="GET", ResourceType="DeleteMarker")
        if found is None:
            raise Refused(404, "NoSuchKey", Key=key)
        return found

    def put(self, key: str, data: bytes, metadata: dict[str, str], *, if_absent: bool = False) -> Version:
        """Write a version. Raises Refused if `if_absent` is set and the object exists."""
        if if_absent and self.current(key):
            raise Refused(412, "PreconditionFailed", Condition="If-None-Match")
        return self._add(key, Version(data, etag(data), metadata))

    def delete(self, key: str, version_id: str | None) -> Version:
        """Delete a version, or add a delete marker; return the deleted version or the marker."""
        every = self.versions.get(key, [])
        if version_id is None:
            return self._add(key, Version(b"", "", is_marker=True))
        gone = next((version for version in every if version.id == version_id), None)
        if gone is None:
            raise Refused(501, "NotImplemented", Header="deleting a version that is not there")
        every.remove(gone)
        if not every:
            del self.versions[key]
            self._sorted.remove(key)
        return gone

    def keys(self, prefix: str) -> list[str]:
        """Return the keys of existing objects, in the order of their bytes."""
        return [key for key in self.all_keys(prefix) if self.current(key)]

    def all_keys(self, prefix: str) -> list[str]:
        """Return the keys of which there is a version, or a delete marker, in the order of their bytes."""
        begin = bisect_left(self._sorted, prefix)
        end = bisect_left(self._sorted, x=True, lo=begin, key=lambda key: not key.startswith(prefix))
        return self._sorted[begin:end]

    def read(self, key: str) -> bytes:
        """Return the content of an object. Raises Refused."""
        return self.find(key, None).data

    def begin(self, key: str, metadata: dict[str, str]) -> str:
        """Begin a multipart upload; return its id."""
        name = f"upload{next(self._numbers):012}"
        self.uploads[name] = Parts(key, metadata)
        return name

    def upload(self, name: str, key: str) -> Parts:
        """Return a multipart upload. Raises Refused."""
        found = self.uploads.get(name)
        if found is None or found.key != key:
            raise Refused(404, "NoSuchUpload", UploadId=name)
        return found

    def complete(self, name: str, key: str, parts: list[tuple[int, str, str | None]]) -> Version:
        """Make an object of parts, each given by number, ETag and CRC32 (None if not given). Raises Refused."""
        upload = self.upload(name, key)
        for place, (number, named, checksum) in enumerate(parts, 1):
            data = upload.data.get(number)
            if data is None or named.strip('"') != etag(data).strip('"') or checksum not in {None, crc(data)}:
                raise Refused(400, "InvalidPart", UploadId=name, PartNumber=str(number))
            if len(data) < SMALLEST_PART and place < len(parts):
                raise Refused(400, "EntityTooSmall", PartNumber=str(number), ETag=named)
        every = [upload.data[number] for number, _, _ in parts]
        digest = md5(b"".join(md5(data).digest() for data in every)).hexdigest()  # noqa: S324  # as S3 does
        del self.uploads[name]
        return self._add(key, Version(b"".join(every), f'"{digest}-{len(every)}"', upload.metadata))

    def abort(self, name: str, key: str) -> None:
        """Abort a multipart upload. Raises Refused."""
        self.upload(name, key)
        del self.uploads[name]

    def _add(self, key: str, version: Version) -> Version:
        version.id = f"version{next(self._numbers):012}"
        version.modified = self.now().replace(microsecond=0)
        if key not in self.versions:
            self.versions[key] = []
            insort(self._sorted, key)
        self.versions[key].append(version)
        return version


def etag(data: bytes) -> str:
    """Return the ETag of an object that was not uploaded in parts."""
    return f'"{md5(data).hexdigest()}"'  # noqa: S324  # as S3 does


def crc(data: bytes) -> str:
    """Return the CRC32 in S3's encoding."""
    return b64encode(crc32(data).to_bytes(4, "big")).decode()
