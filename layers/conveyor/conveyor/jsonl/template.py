"""What is written around one value on each of many lines: the same on all of them, but for an id.

So where the values lie follows from where the lines end, and need not be looked for.
"""

import re
from typing import NamedTuple, Self

_LONGEST_END = 4096


class Shape(NamedTuple):
    """How a frame may be written."""

    beginning: re.Pattern[bytes]
    """Of a line; its groups are what is before the id and what is between id and value, the value's first byte too."""
    end: re.Pattern[bytes]
    """Of a line, the value's last byte and the line feed included.

    What of both belongs to the value may be in a group `inside`.
    """


class Frame(NamedTuple):
    """What is around the values."""

    before: str
    between: str
    after: bytes
    inside: int
    """So many bytes of it belong to the value, as far as the shape says so."""

    @classmethod
    def of(cls, shape: Shape, data: bytes, begin: int) -> Self | None:
        """Read it from a line that begins at some place. Raises ValueError where the line has no end."""
        feed = data.index(b"\n", begin)
        beginning = shape.beginning.match(data, begin)
        end = shape.end.search(data[max(begin, feed - _LONGEST_END) : feed + 1])
        if beginning is None or end is None:
            return None
        return cls(beginning[1].decode(), beginning[2].decode(), end[0], _inside(beginning) + _inside(end))

    def pieces(self, data: bytes, begin: int, end: int, ids: list[str]) -> tuple[list[bytes], list[int]] | None:
        """Return the frame's pieces in lines with these ids, and their places; None if a line is written otherwise.

        The first piece is before the first value, the last one after the last; one is between any two values. Raises
        ValueError where there are fewer lines than ids.
        """
        find, length = data.index, len(self.after)
        place, to_end = begin - length, length - 1
        places = [begin, *[place := find(b"\n", place + length) - to_end for _ in ids]]
        if place + length != end:
            return None
        between_ids = f"{self.between}\0{self.after.decode()}{self.before}"
        wanted = f"{self.before}{between_ids.join(ids)}{self.between}".encode()
        pieces = [*wanted.split(b"\0"), self.after]
        if len(pieces) != len(places) or not all(map(data.startswith, pieces, places)):
            return None
        return pieces, places


def _inside(found: re.Match[bytes]) -> int:
    return len(found.groupdict().get("inside", b""))
