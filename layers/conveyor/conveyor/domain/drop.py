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
"""The suffix of a file of requests, as our commands write it."""
SUFFIXES = (SUFFIX, ".ndjson", ".json")
"""All suffixes, in upper or lower case. Whether the file holds lines follows from its bytes."""
PACKED = ".gz"
"""May follow the suffix. Whether the file is packed follows from its bytes, too."""
AGAIN = "again"
"""S3 object metadata: `--metadata again=yes` or `again=<run>` reprocesses content already submitted under this key."""
AGAIN_FORM = re.compile(r"yes|\d{8}T\d{6}Z-[0-9a-f]{12}")
RUN_ID_FORM = re.compile(r"\d{8}T\d{6}Z-[0-9a-f]{12}")
RETRY_OF = "retry-of"
"""S3 object metadata of `retry.jsonl`: the run whose lines it has. Its copy says in its receipt whose it is."""
PROJECT = "project"
"""S3 object metadata that names the project: `--metadata project=team-a`."""
HOLD = "hold"
"""S3 object metadata: with `--metadata hold=always` the run waits for an approval before anything is paid."""
HOLD_ALWAYS = "always"
DRY_RUN = "dry-run"
"""S3 object metadata: with `--metadata dry-run=yes` the drop is validated and estimated, and nothing is sent."""
DRY_RUN_YES = "yes"
PROBE = "probe"
"""S3 object metadata: with `--metadata probe=yes` a sample is sent first, whatever the drop's size; with `no` none."""
PROBE_YES, PROBE_NO = "yes", "no"
MAX_USD = "max-usd"
"""S3 object metadata: with `--metadata max-usd=20` a run that may cost more waits for an approval."""
NOTIFY = "notify"
"""S3 object metadata: with `--metadata notify=start` a message says when the run starts."""
NOTIFY_START = "start"
NO_PROJECT = "no-project"
"""Code of the refusal of a drop without a project, where the stack requires one."""
OTHER_FOLDER = "project-has-a-folder"
"""Code of the refusal of a drop that names a project with limits, and lies in another folder."""
UNREADABLE = "the drop cannot be read: "
"""Every message that a drop cannot be read begins so."""
NO_VERSION = "null"
"""The version id of every object that was stored while versioning was off."""
STAMP = "%Y%m%dT%H%M%SZ"
"""The beginning of a run's id: when the object was last modified, in UTC."""
_LONGEST_NAME = 512
_UNSAFE = re.compile(r"[^A-Za-z0-9._/-]")
_ENDING = re.compile(rf"(?:{'|'.join(map(re.escape, SUFFIXES))})(?:{re.escape(PACKED)})?\Z", re.IGNORECASE)
_LITTER = re.compile(
    r"\.ds_store|\.localized|(?:eh)?thumbs\.db|desktop\.ini|\._.*|~\$.*|\.~lock\..*#|"  # macOS, Windows, office
    r"\.(?:git)?keep|.*_\$folder\$|_success",  # markers of empty folders and of finished jobs
    re.IGNORECASE | re.DOTALL,
)
"""Names of files that programs leave in folders, and nobody means to drop."""
_OTHER_ENDING = re.compile(r"(?:\.[A-Za-z]\w{0,8})?(?:\.(?:gz|zst|bz2|xz|lz4|zip|7z|tgz))?\Z", re.IGNORECASE)


def stem(key: str) -> str:
    """Return the name of a file without its folder and suffix, whatever the suffix is."""
    name = key.rpartition("/")[2]
    return (_ENDING.sub("", name) if is_taken(name) else _OTHER_ENDING.sub("", name, 1)) or "requests"


def is_litter(name: str) -> bool:
    """Return whether programs leave files of this name in folders, and nobody means to drop them."""
    return _LITTER.fullmatch(name) is not None


def is_taken(key: str) -> bool:
    """Return whether a key ends like the name of a file of requests."""
    return _ENDING.search(key) is not None


class Source(NamedTuple):
    """An object that never changes, and is read in ranges."""

    key: str
    version: str | None = None


class Upload(msgspec.Struct, frozen=True):
    """What an upload event says of an object."""

    bucket: str
    key: str
    version: str | None
    """None in the first minutes after versioning was switched on."""
    size: int
    etag: str
    at: datetime
    """When the event was sent, soon after the end of the upload."""

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
        """True for what nobody means to drop: an empty object for a folder, `.DS_Store` and the like."""
        name = self.key.rpartition("/")[2]
        return is_litter(name) if name else self.size == 0

    def undescribed(self) -> "Drop":
        """Return the drop as the event describes it, for an object that S3 does not describe."""
        return Drop(self.bucket, self.key, self.version or NO_VERSION, self.etag, self.size, self.at, {})


class Drop(msgspec.Struct, frozen=True):
    """One version of one object, as S3 describes it. It never changes."""

    bucket: str
    key: str
    version: str
    etag: str
    bytes: int
    last_modified: datetime
    metadata: dict[str, str]

    @property
    def name(self) -> str:
        """The key without `inbox/` and suffix, with only characters that are safe in other keys."""
        name = _ENDING.sub("", self.key.removeprefix(keys.INBOX))
        segments = (segment if segment.strip(".") else "_" for segment in _UNSAFE.sub("_", name).split("/"))
        return "/".join(segments)[:_LONGEST_NAME].rstrip("./") or "_"

    @property
    def folder(self) -> str:
        """The first folder of the key under `inbox/`; empty if it is in none."""
        folder, slash, _ = self.key.removeprefix(keys.INBOX).partition("/")
        return folder if slash else ""

    @property
    def is_named_packed(self) -> bool:
        """True for a name that ends in `.gz`. Whether the file is gzip follows from its bytes."""
        return self.key.endswith(PACKED)

    @property
    def source(self) -> Source:
        """The object to read its bytes from."""
        return Source(self.key, self.version)

    def content(self, checksum: str) -> str:
        """Return a name for the content: the same for the same bytes under the same key, whatever the version.

        `checksum`: the SHA-256 of the bytes. An ETag also depends on how they were uploaded and encrypted.
        """
        return sha256(orjson.dumps([self.bucket, self.key, checksum])).hexdigest()

    @property
    def again(self) -> str | None:
        """The metadata `again`, which permits another run of the same content. Each value counts once."""
        return self.metadata.get(AGAIN)

    def run_id(self, stack_id: str) -> str:
        """Return the id of this drop's run: same drop, same stack, same id. It sorts by time and contains no name."""
        return f"{self.last_modified:{STAMP}}-{self.id_suffix(stack_id)}"

    def id_suffix(self, stack_id: str) -> str:
        """Return how that id ends: twelve characters that only this drop of the stack has."""
        return sha256(orjson.dumps([stack_id, self.bucket, self.key, self.version])).hexdigest()[:12]


def nonce(run: str) -> str:
    """Return the ten characters that begin the wire ids of a run."""
    return sha256(run.encode()).hexdigest()[:10]


def wire_id(nonce: str, line: int) -> str:
    """Return the `custom_id` under which a line is sent."""
    return f"{nonce}-{line}"


def line_of(wire_id: str, nonce: str) -> int | None:
    """Return the line number of a wire id; None if it is not one of this run's."""
    prefix, _, line = wire_id.partition("-")
    return int(line) if prefix == nonce and line.isascii() and line.isdigit() and len(line) <= 15 else None  # noqa: PLR2004
