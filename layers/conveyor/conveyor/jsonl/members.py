"""The members of a JSON object as they are written, found without looking into their values."""

import re
from collections.abc import Iterator
from typing import NamedTuple

import msgspec
import orjson

_decode = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_NAME = re.compile(rb'[ \t\r\n]*+("(?:[^"\\]|\\.)*+")[ \t\r\n]*+:[ \t\r\n]*+')
_NEXT = re.compile(rb"[ \t\r\n]*+[,}]")
_NULL = b"null"


class Repeated(ValueError):
    """An object gives a name more than once; which of the values counts depends on who reads it."""

    def __init__(self, name: str) -> None:
        """Take the name."""
        super().__init__(name)
        self.name = name


class Member(NamedTuple):
    """A name and its value: where they stand in the object."""

    start: int
    end: int
    is_null: bool


def values_of(raw: bytes) -> dict[str, msgspec.Raw]:
    """Return the values of an object's members as they are written. Raises Repeated."""
    values: dict[str, msgspec.Raw] = _decode(raw)
    least, shortest = len("{"), len(raw)
    for name, value in values.items():
        least += len(name) + len(value) + len('"":,')
        shortest = min(shortest, len(name))
    if len(raw) - least >= shortest + len('"":1,'):  # else there is no room for one more member
        members(raw)
    return values


def members(raw: bytes) -> list[Member]:
    """Return the members of an object, which is strict JSON, in the order in which they are written.

    Raises Repeated. A decoder keeps the last value of each name: one that does not stand where its name does belongs to
    a later member of that name. Of two values of JSON one begins with the other only if both are numbers.
    """
    values = _decode(raw)
    found: dict[str, Member] = {}
    place = raw.index(b"{") + 1
    while name := _NAME.match(raw, place):
        text = orjson.loads(name[1])
        value = bytes(values[text])
        end = name.end() + len(value)
        after = _NEXT.match(raw, end) if raw.startswith(value, name.end()) else None
        if after is None or text in found:
            raise Repeated(text)
        found[text] = Member(name.start(1), end, value == _NULL)
        place = after.end()
    return list(found.values())


def without_nulls(raw: bytes) -> bytes:
    """Return an object without the members that are null; the rest stays byte for byte. Raises Repeated."""
    return _cut(raw, members(raw)) if _NULL in raw else raw


def _cut(raw: bytes, all_of_it: list[Member]) -> bytes:
    kept = [place for place, member in enumerate(all_of_it) if not member.is_null]
    if len(kept) == len(all_of_it):
        return raw
    return b"".join(_pieces(raw, all_of_it, kept))


def _pieces(raw: bytes, all_of_it: list[Member], kept: list[int]) -> Iterator[bytes]:
    """Yield what is left: of a null that is cut out, the comma behind it goes, too, or the one before the last ones."""
    yield raw[: all_of_it[0].start]
    for place in kept:
        is_last = place == kept[-1]
        yield raw[all_of_it[place].start : all_of_it[place].end if is_last else all_of_it[place + 1].start]
    yield raw[all_of_it[-1].end :]
