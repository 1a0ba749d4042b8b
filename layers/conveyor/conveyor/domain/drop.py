"""A drop: one version of one object under `inbox/`, and the names that follow from it."""

import re
from collections.abc import Mapping
from datetime import datetime
from hashlib import sha256
from typing import Any, NamedTuple, Self

import msgspec
import orjson

from conveyor.domain import keys
from conveyor.domain.invocation import utc_now

SUFFIX = ".jsonl"
"""How the name of a file of requests ends; the one that commands write."""
SUFFIXES = (SUFFIX, ".ndjson", ".json")
"""How it may end, in capitals or not. Whether the file holds lines follows from its bytes."""
PACKED = ".gz"
"""May follow the suffix. Whether the file is packed follows from its bytes, too."""
AGAIN = "again"
"""S3 object metadata: `--metadata again=yes`, or the id of a run, runs the same bytes under the same key once more."""
AGAIN_FORM = re.compile(r"yes|\d{8}T\d{6}Z-[0-9a-f]{12}")
NO_VERSION = "null"
"""What S3 calls the version of an object that was stored without one: every such object of a key has this name."""
STAMP = "%Y%m%dT%H%M%SZ"
"""How a run's id begins: the moment when the drop came, in UTC."""
_LONGEST_NAME = 512
_UNSAFE = re.compile(r"[^A-Za-z0-9._/-]")
_ENDING = re.compile(rf"(?:{'|'.join(map(re.escape, SUFFIXES))})(?:{re.escape(PACKED)})?\Z", re.IGNORECASE)
_LITTER = re.compile(
    r"\.ds_store|\.localized|(?:eh)?thumbs\.db|desktop\.ini|\._.*|~\$.*|\.~lock\..*#|"  # macOS, Windows, office
    r"\.(?:git)?keep|.*_\$folder\$|_success",  # markers of empty folders and of finished jobs
    re.IGNORECASE | re.DOTALL,
)
"""Names of files that programs leave beside those that a person means to drop."""


_OTHER_ENDING = re.compile(r"(?:\.[A-Za-z]\w{0,8})?(?:\.(?:gz|zst|bz2|xz|lz4|zip|7z|tgz))?\Z", re.IGNORECASE)


def stem(key: str) -> str:
    """Return the name of a file without folder and ending, whatever that is."""
    name = key.rpartition("/")[2]
    return (_ENDING.sub("", name) if is_taken(name) else _OTHER_ENDING.sub("", name, 1)) or "requests"


def is_taken(key: str) -> bool:
    """Tell whether a key ends like the name of a file of requests."""
    return _ENDING.search(key) is not None


class Source(NamedTuple):
    """An object that is read in ranges, since it never changes."""

    key: str
    version: str | None = None


class Upload(msgspec.Struct, frozen=True):
    """What an upload event names."""

    bucket: str
    key: str
    version: str | None
    """Absent in the first minutes after versioning was switched on."""
    size: int
    etag: str
    at: datetime
    """When the event was made, soon after the upload had ended."""

    @classmethod
    def from_event(cls, event: Mapping[str, Any]) -> Self:
        """Read EventBridge's "Object Created". Its key is not URL-encoded, unlike in S3's own notifications."""
        detail = event["detail"]
        stored = detail["object"]
        named = (detail["bucket"]["name"], stored["key"], stored.get("version-id"))
        at = datetime.fromisoformat(event["time"]) if "time" in event else utc_now()
        return cls(*named, int(stored.get("size", 0)), stored.get("etag", ""), at)

    @property
    def is_ignored(self) -> bool:
        """True for what nobody meant to drop: a folder as the console makes it, `.DS_Store` and the like."""
        name = self.key.rpartition("/")[2]
        return _LITTER.fullmatch(name) is not None if name else self.size == 0

    def undescribed(self) -> "Drop":
        """Return the drop as far as the event tells, where S3 does not."""
        return Drop(self.bucket, self.key, self.version or NO_VERSION, self.etag, self.size, self.at, {})


class Drop(msgspec.Struct, frozen=True):
    """One version of one object, as S3 describes it. Never changes."""

    bucket: str
    key: str
    version: str
    etag: str
    bytes: int
    last_modified: datetime
    metadata: dict[str, str]

    @property
    def name(self) -> str:
        """The key without `inbox/` and suffix, made safe for use in other keys, in which the run's id follows it."""
        name = _ENDING.sub("", self.key.removeprefix(keys.INBOX))
        segments = (segment if segment.strip(".") else "_" for segment in _UNSAFE.sub("_", name).split("/"))
        return "/".join(segments)[:_LONGEST_NAME].rstrip("./") or "_"

    @property
    def is_named_packed(self) -> bool:
        """True for a name that ends as that of gzip; whether it is, its bytes tell."""
        return self.key.endswith(PACKED)

    @property
    def source(self) -> Source:
        """Where its bytes are read."""
        return Source(self.key, self.version)

    def content(self, checksum: str) -> str:
        """Return what is the same for the same bytes under the same key, whatever the version.

        `checksum`: the SHA-256 of the bytes. An ETag also depends on how they were uploaded and encrypted.
        """
        return sha256(orjson.dumps([self.bucket, self.key, checksum])).hexdigest()

    @property
    def again(self) -> str | None:
        """The metadata `again`: it permits a second run of the same content. Each value counts once."""
        return self.metadata.get(AGAIN)

    def run_id(self, stack_id: str) -> str:
        """Return the id of the run of this drop: same drop, same stack, same id. It sorts by time and holds no name."""
        return f"{self.last_modified:{STAMP}}-{self.mark(stack_id)}"

    def mark(self, stack_id: str) -> str:
        """Return how that id ends, which tells the drop from any other of the stack."""
        return sha256(orjson.dumps([stack_id, self.bucket, self.key, self.version])).hexdigest()[:12]


def nonce(run: str) -> str:
    """Return the ten characters that mark a run's requests at the provider."""
    return sha256(run.encode()).hexdigest()[:10]


def wire_id(nonce: str, line: int) -> str:
    """Return the `custom_id` under which a line is sent."""
    return f"{nonce}-{line}"


def line_of(wire_id: str, nonce: str) -> int | None:
    """Return the line a wire id stands for; None where it is not one of this run's."""
    prefix, _, line = wire_id.partition("-")
    return int(line) if prefix == nonce and line.isascii() and line.isdigit() and len(line) <= 15 else None  # noqa: PLR2004
