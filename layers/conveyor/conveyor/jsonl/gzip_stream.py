"""Gzip, as it comes in pieces: unpacked without ever holding more than a piece."""

import zlib
from collections.abc import Iterable, Iterator
from itertools import chain

PIECE_BYTES = 8 * 1024 * 1024
MAGIC = b"\x1f\x8b"
"""How gzip begins, and no text does."""
MOST_LAYERS = 2
"""Files are packed twice by mistake: by a program, and by whatever carries its output."""
_SLICE = 1 << 16
_GZIP = 16 + zlib.MAX_WBITS


class Unreadable(ValueError):
    """A drop that cannot be read to its end; says why."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def unpack_all(chunks: Iterable[bytes], limit: int) -> tuple[int, Iterator[bytes]]:
    """Return how often bytes are packed, twice at most, and what they hold; see `unpack`."""
    for layers in range(MOST_LAYERS):
        begin, rest = peek(chunks, len(MAGIC))
        if begin != MAGIC:
            return layers, rest
        chunks = unpack(rest, limit)
    return MOST_LAYERS, iter(chunks)


def peek(chunks: Iterable[bytes], size: int) -> tuple[bytes, Iterator[bytes]]:
    """Return the first bytes of chunks, and all chunks."""
    chunks, held, length = iter(chunks), list[bytes](), 0
    while length < size and (chunk := next(chunks, None)) is not None:
        held.append(chunk)
        length += len(chunk)
    return b"".join(held)[:size], chain(held, chunks)


def unpack(chunks: Iterable[bytes], limit: int, piece_bytes: int = PIECE_BYTES) -> Iterator[bytes]:
    """Yield what gzip holds, one member after the other, in pieces of which only the last is shorter.

    Raises Unreadable where the bytes are no whole gzip, or hold more than `limit` bytes.
    """
    piece, total = bytearray(), 0
    for some in _members(chunks, piece_bytes):
        piece += some
        total += len(some)
        if total > limit:
            raise Unreadable("too-large", f"unpacked, the drop has more than {limit:,} bytes")
        while len(piece) >= piece_bytes:
            yield bytes(piece[:piece_bytes])
            del piece[:piece_bytes]
    if piece:
        yield bytes(piece)


def _members(chunks: Iterable[bytes], most: int) -> Iterator[bytes]:
    """Yield what all members hold, at most so many bytes at a time; zeros after the last one are padding."""
    member = zlib.decompressobj(_GZIP)
    begun = is_padding = False
    for piece in _slices(chunks):
        left = piece
        while left:
            if member.eof:
                is_padding = is_padding or left[0] == 0
                if is_padding:
                    if left.strip(b"\0"):
                        raise Unreadable("not-gzip", "the file goes on after the end of its gzip")
                    break
                member = zlib.decompressobj(_GZIP)
            try:
                yield member.decompress(left, most)
            except zlib.error:
                raise Unreadable("not-gzip", "the file begins as gzip, but is not sound: pack it again") from None
            begun = True
            left = member.unused_data if member.eof else member.unconsumed_tail
    while begun and not member.eof and (some := member.decompress(b"", most)):
        yield some
    if not member.eof:
        raise Unreadable("not-gzip", "the file breaks off within its gzip: drop the whole file")


def _slices(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Cut chunks: what is left of one is copied at each step, however small its members are."""
    for chunk in chunks:
        for begin in range(0, len(chunk), _SLICE):
            yield chunk[begin : begin + _SLICE]
