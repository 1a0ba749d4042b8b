"""Reads the bytes of a drop for validation: unpacks them, keeps what was unpacked, and takes their checksum."""

from collections.abc import Iterable, Iterator
from datetime import timedelta
from hashlib import sha256
from itertools import chain

from conveyor.context import RunContext
from conveyor.domain import keys
from conveyor.file_types.detect import reject_wrong_type
from conveyor.jsonl.gzip_stream import Unreadable, unpack_all

_SPARE = timedelta(seconds=60)
"""Time for what follows the reading. Without it the function would time out, and be repeated for a day in silence."""


class DropReader:
    """Reads a drop any number of times. What one whole pass has unpacked is not unpacked again."""

    def __init__(self, context: RunContext) -> None:
        """Read nothing yet."""
        self._context = context
        self._digest = sha256()
        self._end: int | None = None
        """The number of unpacked bytes, once they were read whole."""
        self.layers = 0
        """How many times the drop is packed, once its beginning was read."""

    def chunks(self) -> Iterator[bytes]:
        """Yield all bytes of the drop, unpacked.

        Raises Unreadable, also for a file of another type, and if the function's time does not suffice.
        """
        context, drop = self._context, self._context.run.drop
        if self._end is not None:
            yield from context.bucket.stream(context.source(unpacked=self.is_packed), 0, self._end)
            return
        self._digest, end = sha256(), 0
        packed = self._digested(context.bucket.stream(drop.source, 0, drop.bytes))
        self.layers, chunks = unpack_all(packed, context.run.settings.max_bytes_per_drop)
        lines = reject_wrong_type(chunks)
        for chunk in self._kept(lines) if self.is_packed else lines:
            if context.invocation.left < _SPARE:
                raise Unreadable(
                    "too-slow", f"one function run does not suffice to check more than {end:,} bytes: split it"
                )
            end += len(chunk)
            yield chunk
        self._end = end

    @property
    def is_packed(self) -> bool:
        """True for gzip, whatever the drop's name says."""
        return self.layers > 0

    @property
    def sha256(self) -> str:
        """The checksum of the bytes as they were uploaded, once they were read whole."""
        return self._digest.hexdigest()

    def _digested(self, chunks: Iterable[bytes]) -> Iterator[bytes]:
        for chunk in chunks:
            self._digest.update(chunk)
            yield chunk

    def _kept(self, chunks: Iterator[bytes]) -> Iterator[bytes]:
        """Pass chunks on, and write them to an object that appears with the last one."""
        first = next(chunks, None)
        if first is None:
            return
        with self._context.bucket.upload(keys.unpacked(self._context.run.content_prefix), {}) as upload:
            for chunk in chain([first], chunks):
                upload.add(chunk)
                yield chunk
