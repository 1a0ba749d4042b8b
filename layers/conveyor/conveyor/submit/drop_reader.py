"""The bytes of a drop while it is checked: unpacked, kept if they were, and their checksum taken."""

from collections.abc import Iterable, Iterator
from datetime import timedelta
from hashlib import sha256
from itertools import chain

from conveyor.context import RunContext
from conveyor.domain import keys
from conveyor.file_types.detect import reject_wrong_type
from conveyor.jsonl.gzip_stream import Unreadable, unpack_all

_SPARE = timedelta(seconds=60)
"""For what follows the reading; without it, a drop would be tried in vain for a day, and nobody would know why."""


class Reading:
    """Reads a drop as often as is asked; what a whole pass unpacked is not unpacked again."""

    def __init__(self, context: RunContext) -> None:
        """Take a turn of the drop's run."""
        self._turn = context
        self._digest = sha256()
        self._end: int | None = None
        """Of the lines, once they were read whole."""
        self.layers = 0
        """How often the drop is packed, once its beginning was read."""

    def chunks(self) -> Iterator[bytes]:
        """Yield all bytes of the drop, unpacked.

        Raises Unreadable, also where it is no file of lines, or the function's time does not suffice.
        """
        context, drop = self._turn, self._turn.run.drop
        if self._end is not None:
            yield from context.bucket.stream(context.source(unpacked=self.is_packed), 0, self._end)
            return
        self._digest, end = sha256(), 0
        whole = self._digested(context.bucket.stream(drop.source, 0, drop.bytes))
        self.layers, chunks = unpack_all(whole, context.run.settings.max_bytes_per_drop)
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
        """The checksum of all bytes of the drop as it is, once it was read whole."""
        return self._digest.hexdigest()

    def _digested(self, chunks: Iterable[bytes]) -> Iterator[bytes]:
        for chunk in chunks:
            self._digest.update(chunk)
            yield chunk

    def _kept(self, pieces: Iterator[bytes]) -> Iterator[bytes]:
        """Pass pieces on, and keep them as an object that appears with the last one."""
        first = next(pieces, None)
        if first is None:
            return
        with self._turn.bucket.upload(keys.unpacked(self._turn.run.run), {}) as upload:
            for piece in chain([first], pieces):
                upload.add(piece)
                yield piece
