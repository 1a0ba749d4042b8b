"""Values of log fields, as Logs Insights compares, sorts and prints them."""

from __future__ import annotations

import re

type Value = str | int | float | bool | None
"""None: the line has no such field."""

DECIMALS = 4
"""Of calculated numbers: sample output of the Lambda Developer Guide shows 122.0703 for 122.0703125."""
NUMBER = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?")
CHUNKS = re.compile(r"(\d+)|(\D+)")


class Malformed(Exception):
    """A query that AWS refuses, that is not known here, or whose result on AWS is not documented."""

    def __init__(self, message: str, start: int = 0, end: int = 0) -> None:
        """`start`, `end`: where in the query."""
        super().__init__(message)
        self.start, self.end = start, end


class Undocumented(str):
    """A value of which AWS does not document what it is; the text is the reason. It may be kept, but not looked at."""

    __slots__ = ()


def known(value: Value) -> Value:
    """Return a value. Raises Malformed if it is not documented."""
    if isinstance(value, Undocumented):
        raise Malformed(str(value))
    return value


def number(value: Value) -> float | None:
    """Return the number that a value is or spells; None if it is none."""
    if isinstance(value, bool | int | float):
        return float(value)
    return float(value) if value is not None and NUMBER.fullmatch(value) else None


def calculated(value: float) -> float:
    """Return a calculated number with the decimals that are shown."""
    return round(value, DECIMALS)


def text(value: Value) -> str:
    """Return a value as it is shown; a truth value is 1 or 0."""
    if isinstance(value, bool):
        return str(int(value))
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def compare(left: Value, right: Value) -> int:
    """Return -1, 0 or 1: as numbers if both are, else as text."""
    numbers = number(left), number(right)
    if None not in numbers:
        return (numbers[0] > numbers[1]) - (numbers[0] < numbers[1])  # type: ignore[operator]
    texts = text(left), text(right)
    return (texts[0] > texts[1]) - (texts[0] < texts[1])


def sort_key(value: Value) -> tuple[int, float, list[tuple[int, int, str]]]:
    """Return the key of the documented order: no value, other values in natural order, numbers."""
    if value is None:
        return 0, 0.0, []
    as_number = number(value)
    if as_number is not None:
        return 2, as_number, []
    return 1, 0.0, [_chunk(*found) for found in CHUNKS.findall(text(value))]


def _chunk(digits: str, other: str) -> tuple[int, int, str]:
    """Numeric chunks by length and then by value; others by their characters. Both among each other by the latter."""
    return (ord("0"), len(digits), digits) if digits else (ord(other[0]), 0, other)
