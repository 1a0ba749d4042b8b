"""Comparing a file with its account, as its bytes pass."""

from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

from conveyor.domain.output_file import FileSegment, OutputFile

_BLOCK = 1 << 20


class Check:
    """Compares bytes, lines and SHA-256 with an account: of the whole file, or of each segment that it was joined from.

    Holds nothing in memory.
    """

    def __init__(self, account: OutputFile | None) -> None:
        """Compare with nothing, if there is no account."""
        self._account = account
        self._segments = list(reversed(account.segments)) if account and account.sha256 is None else []
        self._whole, self._segment = sha256(), sha256()
        self._left = self._segments[-1].bytes if self._segments else 0
        self._wrong: str | None = None
        self.bytes = 0
        self.lines = 0

    def feed(self, data: bytes) -> None:
        """Take the next bytes of the file."""
        self._whole.update(data)
        self.bytes += len(data)
        self.lines += data.count(b"\n")
        view = memoryview(data)
        while self._segments and len(view) >= self._left:
            self._segment.update(view[: self._left])
            view = view[self._left :]
            self._end(self._segments.pop())
        if self._segments:
            self._segment.update(view)
            self._left -= len(view)

    def feed_file(self, path: Path) -> None:
        """Take the bytes of a file on this machine. Raises OSError."""
        for data in blocks_of(path):
            self.feed(data)

    @property
    def sha256(self) -> str:
        """The SHA-256 of the bytes until now."""
        return self._whole.hexdigest()

    @property
    def is_by_checksum(self) -> bool:
        """Whether the account has checksums for all bytes of the file."""
        account = self._account
        if account is None:
            return False
        return account.sha256 is not None or sum(each.bytes for each in account.segments) == account.bytes

    @property
    def fault(self) -> str | None:
        """How the file differs from its account; None if it does not."""
        account = self._account
        if account is None:
            return None
        if self.bytes != account.bytes:
            return f"{account.bytes:,} bytes expected, {self.bytes:,} found"
        if account.sha256 and account.sha256 != self.sha256:
            return f"sha256 {_short(account.sha256)} expected, {_short(self.sha256)} found"
        if self._wrong:
            return self._wrong
        if self.lines != account.lines:
            return f"{account.lines:,} lines expected, {self.lines:,} found"
        return None

    def _end(self, segment: FileSegment) -> None:
        found = self._segment.hexdigest()
        if found != segment.sha256 and self._wrong is None:
            place = f"in the {segment.bytes:,} bytes before byte {self.bytes:,}"
            self._wrong = f"sha256 {_short(segment.sha256)} expected {place}, {_short(found)} found"
        self._segment = sha256()
        self._left = self._segments[-1].bytes if self._segments else 0


def blocks_of(path: Path) -> Iterator[bytes]:
    """Yield the bytes of a file on this machine. Raises OSError."""
    with path.open("rb") as file:
        while data := file.read(_BLOCK):
            yield data


def _short(digest: str) -> str:
    return f"{digest[:4]}…"
