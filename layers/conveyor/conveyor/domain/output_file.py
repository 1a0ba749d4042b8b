"""Files that are written for the user."""

from typing import NamedTuple

import msgspec


class FileSegment(msgspec.Struct, frozen=True):
    """Consecutive bytes of a file."""

    bytes: int
    sha256: str


class OutputFile(msgspec.Struct, frozen=True, omit_defaults=True):
    """A file that was written, as the receipt lists it."""

    key: str
    lines: int
    bytes: int
    sha256: str | None
    """Null where the file was joined: then its stretches have their own."""
    segments: list[FileSegment] = []


class Written(NamedTuple):
    """What was written of a batch."""

    files: list[OutputFile]
    ordered: bool
    unaccounted: list[int]
    """Lines that have a result and were not met: none, unless plan and drop do not agree."""


def joined(key: str, parts: list[OutputFile]) -> OutputFile:
    """Return the account of a file that holds some parts one after the other."""
    segments = [FileSegment(part.bytes, part.sha256) for part in parts if part.sha256]
    return OutputFile(key, sum(part.lines for part in parts), sum(part.bytes for part in parts), None, segments)
