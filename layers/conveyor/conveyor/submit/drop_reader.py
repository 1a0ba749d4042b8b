"""Reads the bytes of a drop for validation, and keeps what was unpacked."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from itertools import chain

from conveyor.context import RunContext
from conveyor.domain import keys
from conveyor.intake.file import Unpacked, line_at
from conveyor.jsonl.gzip_stream import Unreadable
from conveyor.jsonl.lines import Line
from conveyor.s3.bucket import MOST_READS
from conveyor.validation.sample import Place

_SPARE = timedelta(seconds=60)
"""Time for what follows the reading. Without it the function would time out, and be repeated for a day in silence."""


class DropReader:
    """Reads a drop any number of times. What one whole pass has unpacked is not unpacked again."""

    def __init__(self, context: RunContext) -> None:
        """Read nothing yet."""
        self._context = context
        drop, limit = context.run.drop, context.run.settings.max_bytes_per_drop
        self._file = Unpacked(lambda: context.bucket.stream(drop.source, 0, drop.bytes), limit)
        self._end: int | None = None
        """The number of unpacked bytes, once they were read whole."""

    def chunks(self) -> Iterator[bytes]:
        """Yield all bytes of the drop, unpacked.

        Raises Unreadable, also for a file of another type, and if the function's time does not suffice.
        """
        context = self._context
        if self._end is not None:
            yield from context.bucket.stream(context.source(unpacked=self.is_packed), 0, self._end)
            return
        end, lines = 0, self._file.open()
        for chunk in self._kept(lines) if self.is_packed else lines:
            if context.invocation.left < _SPARE:
                raise Unreadable(
                    "too-slow", f"one function run does not suffice to check more than {end:,} bytes: split it"
                )
            end += len(chunk)
            yield chunk
        self._end = end

    def lines(self, places: Sequence[Place]) -> list[Line]:
        """Return some lines, several read at a time. Raises DropUnreadable."""
        with ThreadPoolExecutor(MOST_READS) as readers:
            return list(readers.map(self._line, places))

    @property
    def layers(self) -> int:
        """How many times the drop is packed, once its beginning was read."""
        return self._file.layers

    @property
    def is_packed(self) -> bool:
        """True for gzip, whatever the drop's name says."""
        return self.layers > 0

    @property
    def sha256(self) -> str:
        """The checksum of the bytes as they were uploaded, once they were read whole."""
        return self._file.sha256

    def _line(self, place: Place) -> Line:
        source = self._context.source(unpacked=self.is_packed)
        return line_at(place, b"".join(self._context.bucket.stream(source, place.start, place.end)))

    def _kept(self, chunks: Iterator[bytes]) -> Iterator[bytes]:
        """Pass chunks on, and write them to an object that appears with the last one."""
        first = next(chunks, None)
        if first is None:
            return
        with self._context.bucket.upload(keys.unpacked(self._context.run.content_prefix), {}) as upload:
            for chunk in chain([first], chunks):
                upload.add(chunk)
                yield chunk
