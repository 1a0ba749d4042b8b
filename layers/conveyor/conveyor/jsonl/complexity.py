"""How many values a JSON text holds, counted without making one of them.

A parser needs some 100 bytes for each: one line of 32 MB may hold 16 million, and would take 1.7 GB.
"""

from collections.abc import Iterator

MOST_VALUES = 700_000
"""Elements of arrays, fields of objects, and these themselves. What a person writes for a model has a thousandth."""
_WINDOW = 1 << 16
_MARKS = (b",", b"[", b"{")
"""Each stands for one value at most."""


def has_too_many_values(text: bytes, most: int = MOST_VALUES) -> bool:
    """Tell whether a JSON text holds more values than are worth reading."""
    if len(text) <= most or sum(map(text.count, _MARKS)) <= most:
        return False  # also with those that stand in strings
    found = 0
    for part in _outside_strings(text):
        found += sum(map(part.count, _MARKS))
        if found > most:
            return True
    return False


def _outside_strings(text: bytes) -> Iterator[bytes]:
    """Yield what stands outside of strings: of a text that is not JSON, all that a parser reads before it gives up."""
    is_inside, left = False, b""
    for begin in range(0, len(text), _WINDOW):
        some = left + text[begin : begin + _WINDOW]
        left = b"\\" if (len(some) - len(some.rstrip(b"\\"))) % 2 else b""  # what it escapes comes with the next
        parts = some.removesuffix(left).replace(b"\\\\", b"").replace(b'\\"', b"").split(b'"')
        yield b"".join(parts[is_inside::2])
        is_inside ^= len(parts) % 2 == 0
