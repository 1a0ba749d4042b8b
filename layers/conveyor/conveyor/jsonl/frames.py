"""The bytes around one value on each of many lines: the same on all lines, except for an id.

So the places of the values follow from the places of the line ends, without parsing.
"""

import re
from typing import NamedTuple, Self

_LONGEST_END = 4096


class Shape(NamedTuple):
    """The ways in which a frame may be written."""

    beginning: re.Pattern[bytes]
    """Of a line. Groups: the bytes before the id; and from the id to the value, including the value's first byte."""
    end: re.Pattern[bytes]
    """Of a line, from the value's last byte to the line feed.

    A group `inside`, in either pattern, contains the bytes that belong to the value.
    """


class Frame(NamedTuple):
    """The bytes around the values."""

    before: str
    between: str
    after: bytes
    inside: int
    """How many of these bytes belong to the value, according to the shape."""

    @classmethod
    def of(cls, shape: Shape, data: bytes, begin: int) -> Self | None:
        """Read a frame from the line that begins at a place. Raises ValueError if the line has no end."""
        feed = data.index(b"\n", begin)
        beginning = shape.beginning.match(data, begin)
        end = shape.end.search(data[max(begin, feed - _LONGEST_END) : feed + 1])
        if beginning is None or end is None:
            return None
        return cls(beginning[1].decode(), beginning[2].decode(), end[0], _inside(beginning) + _inside(end))

    def pieces(self, data: bytes, begin: int, end: int, ids: list[str]) -> tuple[list[bytes], list[int]] | None:
        """Return the frame's pieces in lines with these ids, and their places; None if a line is written differently.

        The first piece is before the first value, the last one after the last value, the others between two values.
        Raises ValueError if there are fewer lines than ids.
        """
        find, length = data.index, len(self.after)
        place, to_end = begin - length, length - 1
        places = [begin, *[place := find(b"\n", place + length) - to_end for _ in ids]]
        if place + length != end:
            return None
        between_ids = f"{self.between}\0{self.after.decode()}{self.before}"
        expected = f"{self.before}{between_ids.join(ids)}{self.between}".encode()
        pieces = [*expected.split(b"\0"), self.after]
        if len(pieces) != len(places) or not all(map(data.startswith, pieces, places)):
            return None
        return pieces, places


def _inside(match: re.Match[bytes]) -> int:
    return len(match.groupdict().get("inside", b""))
