"""Structs are counted as they are decoded; the input cannot change the count."""

import msgspec
import pytest

from conveyor.jsonl.struct_count import Ordinal, StructCount

COUNT = StructCount()


class Inner(msgspec.Struct):
    """A nested struct."""

    made: Ordinal = COUNT.field


class Line(msgspec.Struct):
    """A line."""

    inner: Inner


@pytest.mark.parametrize(("lines", "made"), [(b'{"inner":{}}\n{"inner":{}}', 2), (b'{"inner":{},"inner":{}}', 2)])
def test_a_duplicate_struct_is_counted_twice(lines: bytes, made: int) -> None:
    """The decoder keeps only the last one."""
    start = COUNT.start()
    msgspec.json.Decoder(Line).decode_lines(lines)
    assert COUNT.since(start) == made


def test_no_line_can_set_the_number_of_a_struct() -> None:
    """The struct would be created without being counted."""
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(b'{"made":1}', type=Inner)
