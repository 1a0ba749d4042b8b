"""A run as a release has left it, in one file: the objects of its bucket, and the calls that changed the provider."""

import bz2
from base64 import b64decode, b64encode
from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any, Self

import msgspec
from msgspec.structs import replace

from tests.support.memory_aws.bucket import BucketInMemory, Version

FOLDER = Path(__file__).parent
RUNS = "runs"
"""The folder of the runs of a release, in its own."""
BUCKET = "golden"
"""The name of the bucket: it is in the id of each run."""
LONGEST_TEXT = 100_000
"""Bytes; larger objects are packed."""
LARGEST = ("report.html",)
"""Files that follow from the receipt, and are not kept for their size."""


class Object(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One version of an object. Its content is text, or base64 if it is not UTF-8 or is packed by bzip2."""

    key: str
    version: str
    modified: datetime
    etag: str
    metadata: dict[str, str] = {}
    tags: dict[str, str] = {}
    text: str | None = None
    base64: str | None = None
    is_packed: bool = False

    @classmethod
    def of(cls, key: str, stored: Version) -> Self:
        """Read a stored version."""
        kept = cls(
            key=key, version=stored.id, modified=stored.modified, etag=stored.etag, metadata=stored.metadata,
            tags=stored.tags,
        )  # fmt: skip
        if len(stored.data) > LONGEST_TEXT:
            return replace(kept, base64=b64encode(bz2.compress(stored.data)).decode(), is_packed=True)
        try:
            return replace(kept, text=stored.data.decode())
        except UnicodeDecodeError:
            return replace(kept, base64=b64encode(stored.data).decode())

    @property
    def data(self) -> bytes:
        """The content."""
        if self.base64 is None:
            return (self.text or "").encode()
        data = b64decode(self.base64)
        return bz2.decompress(data) if self.is_packed else data


class Call(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A call that changed the provider: an upload, a batch that was created, or a cancel."""

    at: float
    """The provider's time, in seconds since 1970."""
    path: str
    headers: dict[str, str]
    body: str
    made: str = ""
    """The id of what it created."""
    settings: dict[str, Any] = {}
    """Of the provider at that time, where they differ from its first ones."""


class Kept(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A run, and how it is expected to end."""

    says: str
    """In which state it is."""
    run: str
    drop: str
    """The key of its drop."""
    moment: datetime
    """When it was left, by the clock of the functions and of the provider."""
    state: dict[str, Any]
    """What the state machine passes on to the next execution."""
    stack: dict[str, str]
    """Settings of the stack that differ from those that tests have."""
    status: str
    """With which it ends."""
    people: dict[str, str]
    """What people write before it goes on, by key."""
    mended: dict[str, Any]
    """Settings of the provider with which it goes on."""
    provider: dict[str, Any]
    """Settings of the provider when the run was left, where they differ from its first ones."""
    calls: list[Call]
    objects: list[Object]


_decoder = msgspec.json.Decoder(Kept)


def objects_of(bucket: BucketInMemory) -> list[Object]:
    """Return all versions in a bucket, in the order in which they were written."""
    versions = [(key, version) for key, every in bucket.versions.items() for version in every]
    assert not any(version.is_marker for _, version in versions), "a deleted object is not kept"
    chosen = [each for each in versions if not each[0].endswith(LARGEST)]
    return [Object.of(key, version) for key, version in sorted(chosen, key=lambda each: each[1].id)]


def fill(bucket: BucketInMemory, objects: list[Object]) -> None:
    """Put objects into an empty bucket, with their version ids and times."""
    for each in objects:
        stored = bucket.put(each.key, each.data, dict(each.metadata))
        stored.id, stored.modified, stored.etag, stored.tags = each.version, each.modified, each.etag, dict(each.tags)


def in_order(releases: Iterable[str]) -> list[str]:
    """Sort releases, the oldest first, as numbers."""
    return sorted(releases, key=lambda name: [int(part) for part in name.split(".")])


def releases() -> list[str]:
    """Return the releases of which runs are kept, oldest first."""
    return in_order(path.name for path in FOLDER.iterdir() if (path / RUNS).is_dir())


def every() -> Iterator[tuple[str, str]]:
    """Return each kept run: its release and its name."""
    for release in releases():
        for path in sorted((FOLDER / release / RUNS).glob("*.json")):
            yield release, path.stem


def read(release: str, name: str) -> Kept:
    """Read a run."""
    return parse((FOLDER / release / RUNS / f"{name}.json").read_bytes())


def parse(content: bytes) -> Kept:
    """Read the content of the file of a run."""
    return _decoder.decode(content)


def written(kept: Kept) -> bytes:
    """Return the content of the file of a run."""
    return msgspec.json.format(msgspec.json.encode(kept, order="sorted"), indent=1) + b"\n"
