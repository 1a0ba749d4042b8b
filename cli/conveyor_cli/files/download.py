"""One object to one file: in ranges, resumable, and verified before it has its name."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from conveyor.domain.output_file import OutputFile
from conveyor.s3.bucket import Bucket, Pinned
from conveyor_cli.exits import Exit
from conveyor_cli.files.ahead import read_ahead
from conveyor_cli.files.checking import Check
from conveyor_cli.files.disk import explained_disk
from conveyor_cli.files.progress import Progress
from conveyor_cli.trouble import Trouble

_RANGE_BYTES = 4 * 1024 * 1024
_AT_ONCE = 6
"""Ranges that are read at the same time, and are in memory."""
_SHORT = 12
"""Characters of the ETag in the name of a file that is not complete: it says of which content it is."""


class Fetched(NamedTuple):
    """A file on this machine."""

    path: Path
    lines: int
    bytes: int
    sha256: str
    verified: bool
    """Whether all of its bytes match checksums of the receipt."""
    was_there: bool = False
    resumed_at: int = 0
    """How many bytes were there from an earlier command."""


def fetch_file(
    bucket: Bucket, account: OutputFile, path: Path, progress: Progress, *, replaces: bool = False
) -> Fetched:
    """Fetch an object unless the file is there, and return the file. Raises Trouble, ObjectReplaced.

    What arrives is in `<file>.<ETag>.part` until all of it is there and matches its account. `replaces`: whether it
    takes the place of another file.
    """
    with explained_disk(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        found = _found(account, path) if path.exists() else None
    if found and found.fault is None:
        progress.advances(path.name, found.bytes)
        return _fetched(path, found, was_there=True)
    if found and not replaces:
        raise another_file(path, found.fault)
    pinned = bucket.pin(account.key)
    if pinned is None:
        raise Trouble("file-gone", f"{path.name} does not exist in the bucket any more", "It was deleted, or erased.")
    part = path.with_name(f"{path.name}.{pinned.etag[:_SHORT]}.part")
    check = Check(account)
    with explained_disk(path):
        resumed_at = _prepare(part, path, pinned, check)
    if resumed_at:
        progress.resumes(path.name, resumed_at)
    _write(bucket, pinned, part, check, progress)
    with explained_disk(path):
        if check.fault:
            bad = path.with_name(f"{path.name}.bad")
            part.replace(bad)
            message = f"{path.name} does not match the receipt ({check.fault}); the file was kept as {bad.name}"
            raise Trouble("checksum", message, "The same command fetches it again.")
        part.replace(path)
    return _fetched(path, check, resumed_at=resumed_at)


def another_file(path: Path, fault: str | None) -> Trouble:
    """Return that a file is in the way. `fault`: how it differs."""
    return Trouble(
        "another-file",
        f"{path} is there already, and is not the file of this run ({fault})",
        "Nothing was changed. Move it away, or choose another folder with --to.",
        exit_code=Exit.USAGE,
    )


def ranges(bucket: Bucket, pinned: Pinned, start: int = 0) -> Iterator[bytes]:
    """Yield the bytes of an object from a place on, several ranges ahead. Raises ObjectReplaced."""

    def read(begin: int) -> bytes:
        return bucket.pinned_range(pinned, begin, min(begin + _RANGE_BYTES, pinned.bytes))

    return read_ahead(read, range(start, pinned.bytes, _RANGE_BYTES), _AT_ONCE)


def _found(account: OutputFile, path: Path) -> Check:
    check = Check(account)
    check.feed_file(path)
    return check


def _prepare(part: Path, path: Path, pinned: Pinned, check: Check) -> int:
    """Remove what is left of other contents, and return how many bytes of this one are there."""
    for other in path.parent.glob(f"{path.name}.*.part"):
        if other != part:
            other.unlink()
    size = part.stat().st_size if part.exists() else 0
    if size > pinned.bytes:
        part.unlink()
    elif size:
        check.feed_file(part)
    return check.bytes


def _write(bucket: Bucket, pinned: Pinned, part: Path, check: Check, progress: Progress) -> None:
    name = part.name.removesuffix(".part").rpartition(".")[0]
    if check.bytes:
        progress.advances(name, check.bytes)
    with explained_disk(part), open(part, "r+b", opener=_created) as file:
        file.seek(check.bytes)  # another command that fetches the same writes the same bytes to the same places
        for data in ranges(bucket, pinned, check.bytes):
            file.write(data)
            check.feed(data)
            progress.advances(name, len(data))
        file.truncate()
        file.flush()
        os.fsync(file.fileno())


def _created(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_CREAT, 0o666)


def _fetched(path: Path, check: Check, *, was_there: bool = False, resumed_at: int = 0) -> Fetched:
    about = (path, check.lines, check.bytes, check.sha256)
    return Fetched(*about, verified=check.is_by_checksum, was_there=was_there, resumed_at=resumed_at)
