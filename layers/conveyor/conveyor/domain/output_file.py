"""Files that are written for the user."""

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
    """Null if the file was joined from parts: then `segments` has a checksum of each."""
    segments: list[FileSegment] = []


def joined(key: str, parts: list[OutputFile]) -> OutputFile:
    """Return the account of a file that consists of parts, one after the other."""
    segments = [FileSegment(part.bytes, part.sha256) for part in parts if part.sha256]
    return OutputFile(key, sum(part.lines for part in parts), sum(part.bytes for part in parts), None, segments)
