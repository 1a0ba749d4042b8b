"""The bytes of a file that is dropped: unpacked, rejected if they are of another type, and their checksum. Pure."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from hashlib import sha256
from typing import Protocol

from conveyor.file_types.detect import reject_wrong_type
from conveyor.jsonl.gzip_stream import unpack_all
from conveyor.jsonl.lines import Line, LineBlock, split_block
from conveyor.validation.sample import Place


class DroppedFile(Protocol):
    """A file that can be read any number of times: an object, or a file at a desk."""

    @property
    def layers(self) -> int:
        """How many times it is packed, once its beginning was read."""

    @property
    def sha256(self) -> str:
        """The checksum of its bytes as they are, once they were read whole."""

    def chunks(self) -> Iterator[bytes]:
        """Yield all bytes, unpacked. Raises Unreadable, also for a file of another type."""

    def lines(self, places: Sequence[Place]) -> list[Line]:
        """Return some lines. Raises Unreadable."""


class Unpacked:
    """The bytes of a file, unpacked and looked at, and the checksum of what was read."""

    def __init__(self, read: Callable[[], Iterable[bytes]], limit: int) -> None:
        """Read nothing yet. `read`: returns the bytes as they are. `limit`: of bytes, unpacked."""
        self._read = read
        self._limit = limit
        self._digest = sha256()
        self.layers = 0

    def open(self) -> Iterator[bytes]:
        """Begin to read, and return all bytes, unpacked. Raises Unreadable, also for a file of another type."""
        self._digest = sha256()
        self.layers, chunks = unpack_all(self._digested(self._read()), self._limit)
        return reject_wrong_type(chunks)

    @property
    def sha256(self) -> str:
        """The checksum of the bytes as they are, once they were read whole."""
        return self._digest.hexdigest()

    def _digested(self, chunks: Iterable[bytes]) -> Iterator[bytes]:
        for chunk in chunks:
            self._digest.update(chunk)
            yield chunk


def line_at(place: Place, data: bytes) -> Line:
    """Return the line at a place, of its bytes."""
    (line,) = split_block(LineBlock(data, 0, len(data), place.start), place.line)
    return line
