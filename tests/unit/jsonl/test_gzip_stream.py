"""Gzip is unpacked piece by piece."""

import gzip
import random
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conveyor.jsonl.gzip_stream import MOST_LAYERS, Unreadable, unpack, unpack_all


def packed(data: bytes) -> bytes:
    """Pack bytes, the same way every time."""
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
    """However the packed bytes are cut, and with the zeros that some tools add."""
    whole = b"".join(members)
    whole_file = b"".join(map(packed, members)) + bytes(7) * padded
    assert list(unpack(cut(whole_file, chunk), len(whole), piece)) == cut(whole, piece)


def test_a_small_file_that_holds_too_much_is_given_up_early() -> None:
    """A gigabyte of zeros packs into a megabyte; no more of it is unpacked than is allowed."""
    bomb = zlib.compressobj(wbits=31)
    packed = [bomb.compress(bytes(1 << 20)) for _ in range(100)] + [bomb.flush()]
    pieces: list[bytes] = []
    with pytest.raises(Unreadable, match="more than 1,000,000 bytes") as told:
        pieces.extend(unpack(packed, 1_000_000, 1000))
    assert told.value.code == "too-large"
    assert sum(map(len, pieces)) <= 1_000_000


@pytest.mark.parametrize(
    ("data", "told"),
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
def test_what_is_not_whole_gzip_is_an_error_that_says_so(data: bytes, told: str, chunk: int) -> None:
    """Half a file is never taken for a whole one."""
    with pytest.raises(Unreadable, match=told) as error:
        list(unpack(cut(data, chunk), 10_000))
    assert error.value.code == "not-gzip"


@given(st.binary(max_size=300), st.integers(0, MOST_LAYERS + 1), st.integers(1, 50))
def test_a_file_is_unpacked_as_often_as_it_is_packed_but_not_for_ever(data: bytes, layers: int, chunk: int) -> None:
    """There are files that unpack to themselves."""
    whole = data = b"x" + data
    for _ in range(layers):
        whole = packed(whole)
    found, unpacked = unpack_all(cut(whole, chunk), 10_000)
    assert found == min(layers, MOST_LAYERS)
    assert b"".join(unpacked) == (data if layers <= MOST_LAYERS else packed(data))


def test_thousands_of_small_members_are_one_file() -> None:
    """As a program makes it that appends one line at a time."""
    line = b'{"custom_id": "a"}\n'
    assert b"".join(unpack([packed(line) * 5000], 1 << 20)) == line * 5000


def test_a_member_larger_than_what_is_looked_at_at_once_comes_out_whole() -> None:
    """And what follows it, too."""
    noise = random.Random(1).randbytes(300_000)  # noqa: S311  # gzip cannot make it smaller
    assert b"".join(unpack([packed(noise) + packed(b"end")], 1 << 20, 1000)) == noise + b"end"
