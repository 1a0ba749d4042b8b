"""Gzip is unpacked in pieces."""

import gzip
import random
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conveyor.jsonl.gzip_stream import MOST_LAYERS, Unreadable, unpack, unpack_all


def packed(data: bytes) -> bytes:
    """Compress bytes reproducibly."""
    return gzip.compress(data, mtime=0)


def cut(data: bytes, size: int) -> list[bytes]:
    """Cut bytes into chunks, as they are read."""
    return [data[begin : begin + size] for begin in range(0, len(data), size)]


@given(
    st.lists(st.binary(max_size=300), min_size=1, max_size=4), st.integers(1, 400), st.integers(1, 50), st.booleans()
)
def test_all_members_come_out_in_pieces_of_one_size(
    members: list[bytes],
    chunk: int,
    piece: int,
    padded: bool,  # noqa: FBT001
) -> None:
    """The compressed bytes may be cut anywhere, and end with the zeros that some tools add."""
    whole = b"".join(members)
    whole_file = b"".join(map(packed, members)) + bytes(7) * padded
    assert list(unpack(cut(whole_file, chunk), len(whole), piece)) == cut(whole, piece)


def test_a_small_file_with_too_much_content_is_refused_early() -> None:
    """A gigabyte of zeros compresses to a megabyte; only the allowed size is unpacked."""
    bomb = zlib.compressobj(wbits=31)
    packed = [bomb.compress(bytes(1 << 20)) for _ in range(100)] + [bomb.flush()]
    pieces: list[bytes] = []
    with pytest.raises(Unreadable, match="more than 1,000,000 bytes") as caught:
        pieces.extend(unpack(packed, 1_000_000, 1000))
    assert caught.value.code == "too-large"
    assert sum(map(len, pieces)) <= 1_000_000


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "truncated"),
        (b'{"custom_id": "a"}', "corrupt"),
        (packed(b"abc" * 99)[:-9], "truncated"),
        (packed(b"abc" * 99)[:-1], "truncated"),
        (packed(b"abc")[:-8] + b"\1" * 8, "corrupt"),
        (packed(b"abc") + b"more", "corrupt"),
        (packed(b"abc") + b"\0\0more", "more bytes after the end"),
        (packed(b"abc") + packed(b"def")[:5], "truncated"),
    ],
)
@pytest.mark.parametrize("chunk", [1, 1000])
def test_incomplete_gzip_is_an_error_that_says_so(data: bytes, message: str, chunk: int) -> None:
    """A truncated file is never taken for a complete one."""
    with pytest.raises(Unreadable, match=message) as error:
        list(unpack(cut(data, chunk), 10_000))
    assert error.value.code == "not-gzip"


@given(st.binary(max_size=300), st.integers(0, MOST_LAYERS + 1), st.integers(1, 50))
def test_a_file_is_unpacked_as_often_as_it_was_packed_up_to_a_limit(data: bytes, layers: int, chunk: int) -> None:
    """Some files unpack to themselves."""
    whole = data = b"x" + data
    for _ in range(layers):
        whole = packed(whole)
    unpacked_layers, unpacked = unpack_all(cut(whole, chunk), 10_000)
    assert unpacked_layers == min(layers, MOST_LAYERS)
    assert b"".join(unpacked) == (data if layers <= MOST_LAYERS else packed(data))


def test_thousands_of_small_members_are_one_file() -> None:
    """A program that appends one line at a time writes such a file."""
    line = b'{"custom_id": "a"}\n'
    assert b"".join(unpack([packed(line) * 5000], 1 << 20)) == line * 5000


def test_a_member_larger_than_one_read_is_unpacked_completely() -> None:
    """So does what follows it."""
    noise = random.Random(1).randbytes(300_000)  # noqa: S311  # incompressible
    assert b"".join(unpack([packed(noise) + packed(b"end")], 1 << 20, 1000)) == noise + b"end"
