"""Unpack gzip from a stream, holding at most one piece in memory."""

import zlib
from collections.abc import Iterable, Iterator
from itertools import chain

PIECE_BYTES = 8 * 1024 * 1024
MAGIC = b"\x1f\x8b"
"""The first bytes of gzip. No text begins with them."""
MOST_LAYERS = 2
"""Files are sometimes packed twice by mistake: by a program, and by the transfer of its output."""
_SLICE = 1 << 16
_GZIP = 16 + zlib.MAX_WBITS


class Unreadable(ValueError):
    """A drop cannot be read to its end. The message says why."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def unpack_all(chunks: Iterable[bytes], limit: int) -> tuple[int, Iterator[bytes]]:
    """Return how often bytes are packed (at most twice), and the unpacked bytes; see `unpack`."""
    for layers in range(MOST_LAYERS):
        begin, rest = peek(chunks, len(MAGIC))
        if begin != MAGIC:
            return layers, rest
        chunks = unpack(rest, limit)
    return MOST_LAYERS, iter(chunks)


def peek(chunks: Iterable[bytes], size: int) -> tuple[bytes, Iterator[bytes]]:
    """Return the first `size` bytes of chunks, and all chunks."""
    chunks, buffered, length = iter(chunks), list[bytes](), 0
    while length < size and (chunk := next(chunks, None)) is not None:
        buffered.append(chunk)
        length += len(chunk)
    return b"".join(buffered)[:size], chain(buffered, chunks)


def unpack(chunks: Iterable[bytes], limit: int, piece_bytes: int = PIECE_BYTES) -> Iterator[bytes]:
    """Yield the content of all gzip members, in pieces of which only the last may be shorter.

    Raises Unreadable if the bytes are not a complete gzip file, or contain more than `limit` bytes.
    """
    piece, total = bytearray(), 0
    for unpacked in _members(chunks, piece_bytes):
        piece += unpacked
        total += len(unpacked)
        if total > limit:
            raise Unreadable(
                "too-large", f"unpacked, the drop has more than {limit:,} bytes: split it before you pack it"
            )
        while len(piece) >= piece_bytes:
            yield bytes(piece[:piece_bytes])
            del piece[:piece_bytes]
    if piece:
        yield bytes(piece)


def _members(chunks: Iterable[bytes], most: int) -> Iterator[bytes]:
    """Yield the content of all members, at most `most` bytes at a time. Zeros after the last member are padding."""
    member = zlib.decompressobj(_GZIP)
    begun = is_padding = False
    for piece in _slices(chunks):
        left = piece
        while left:
            if member.eof:
                is_padding = is_padding or left[0] == 0
                if is_padding:
                    if left.strip(b"\0"):
                        raise Unreadable(
                            "not-gzip", "the file has more bytes after the end of its gzip data: pack it again"
                        )
                    break
                member = zlib.decompressobj(_GZIP)
            try:
                yield member.decompress(left, most)
            except zlib.error:
                raise Unreadable("not-gzip", "the file begins as gzip, but is corrupt: pack it again") from None
            begun = True
            left = member.unused_data if member.eof else member.unconsumed_tail
    while begun and not member.eof and (unpacked := member.decompress(b"", most)):
        yield unpacked
    if not member.eof:
        raise Unreadable("not-gzip", "the gzip file is truncated: drop the whole file")


def _slices(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Cut chunks into slices: the rest of a slice is copied for each member, however small the member is."""
    for chunk in chunks:
        for begin in range(0, len(chunk), _SLICE):
            yield chunk[begin : begin + _SLICE]
