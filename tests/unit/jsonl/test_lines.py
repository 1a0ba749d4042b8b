"""Bytes become lines."""

import re
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conveyor.jsonl.lines import Line, read_lines


def cut(data: bytes, places: list[int]) -> list[bytes]:
    """Cut data into chunks at these places."""
    marks = [0, *sorted(place % (len(data) + 1) for place in places), len(data)]
    return [data[begin:end] for begin, end in pairwise(marks)]


MARK = b"\xef\xbb\xbf"
PIECES = [b"\n", MARK, b" ", b"\r\n", b"\t", b"\n" * 30, b"\r \t\n", b"a", b"\v", b"\x0c\n", b"\xef", b"\xbb\xbf"]
files = st.lists(st.binary(max_size=30) | st.sampled_from(PIECES), max_size=30).map(b"".join)


@given(files, st.lists(st.integers(0, 200), max_size=8))
def test_lines_are_those_of_the_file_wherever_the_stream_is_cut(data: bytes, places: list[int]) -> None:
    """Only a line feed ends a line, and a chunk may end anywhere."""
    whole = list(read_lines([data]))
    assert list(read_lines(cut(data, places))) == whole
    begin = re.compile(rb"(?:\xef\xbb\xbf|[ \t\r])*")
    expected = [(number, begin.sub(b"", raw, 1).rstrip(b" \t\r")) for number, raw in enumerate(data.split(b"\n"), 1)]
    assert [(line.number, line.raw) for line in whole] == [(number, raw) for number, raw in expected if raw]


@given(files)
def test_the_offsets_of_a_line_are_those_of_its_bytes(data: bytes) -> None:
    """A line's offsets are enough to read its range of the drop again."""
    for line in read_lines([data]):
        again = list(read_lines([data[line.start : line.end]], first=line.number, start=line.start))
        assert again == [line]


@pytest.mark.parametrize("begin", [MARK, MARK + MARK, b" " + MARK, MARK + b" \t", MARK + b" " + MARK])
def test_a_byte_order_mark_at_the_start_of_any_line_is_no_part_of_it(begin: bytes) -> None:
    """Files are joined from others that begin with one; inside a line it is an ordinary character."""
    lines = [b'{"a": "' + MARK + b'"}'] * 3
    assert [line.raw for line in read_lines([b"\n".join(begin + line for line in lines)])] == lines


def test_characters_that_only_look_like_line_ends_end_no_line() -> None:
    """U+2028, U+0085 and the form feed may be unescaped in a JSON string."""
    data = "a\u2028b\u0085c\x0cd\n".encode()
    assert [line.raw for line in read_lines([data])] == [data[:-1]]


def test_a_line_beyond_the_limit_is_reported_without_its_bytes() -> None:
    """No more than the limit is held in memory, and later lines keep their places."""
    chunks = [b"aa\n", b"b" * 8, b"b" * 8, b"\ncc"]
    assert list(read_lines(chunks, longest=10)) == [
        Line(1, 0, 2, b"aa"),
        Line(2, 3, 19, None),
        Line(3, 20, 22, b"cc"),
    ]
