"""Count the values of a JSON text without parsing it.

A parser needs about 100 bytes per value: a line of 32 MB can have 16 million values, and would take 1.7 GB.
"""

from collections.abc import Iterator

MOST_VALUES = 700_000
"""Array elements, object fields, arrays and objects. What people write for a model has a thousandth of this."""
_WINDOW = 1 << 16
_MARKS = (b",", b"[", b"{")
"""Each precedes at most one value."""


def has_too_many_values(text: bytes, most: int = MOST_VALUES) -> bool:
    """Return whether a JSON text has more values than the limit."""
    if len(text) <= most or sum(map(text.count, _MARKS)) <= most:
        return False  # even if those in strings are counted
    count = 0
    for part in _outside_strings(text):
        count += sum(map(part.count, _MARKS))
        if count > most:
            return True
    return False


def _outside_strings(text: bytes) -> Iterator[bytes]:
    """Yield the text outside of strings. Of a text that is not JSON, this includes all that a parser would read."""
    is_inside, left = False, b""
    for begin in range(0, len(text), _WINDOW):
        window = left + text[begin : begin + _WINDOW]
        left = (
            b"\\" if (len(window) - len(window.rstrip(b"\\"))) % 2 else b""
        )  # it escapes the next window's first byte
        parts = window.removesuffix(left).replace(b"\\\\", b"").replace(b'\\"', b"").split(b'"')
        yield b"".join(parts[is_inside::2])
        is_inside ^= len(parts) % 2 == 0
