"""The members of a JSON object as they are written, without parsing their values."""

import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

import msgspec
import orjson

_decode = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_NAME = re.compile(rb'[ \t\r\n]*+("(?:[^"\\]|\\.)*+")[ \t\r\n]*+:[ \t\r\n]*+')
_NEXT = re.compile(rb"[ \t\r\n]*+[,}]")
_NULL = b"null"
OUR_KEYS = frozenset({"custom_id", "params", "response", "error", "line", "outcome", "retryable"})
"""Keys of output lines, and of a line of a drop: what they say is never the user's."""
_OURS_OR_CALL = OUR_KEYS | {"body", "method", "url"}
"""The same where lines may be in the provider's own form."""
_LEAST = 2
"""Keys of a line without any others."""


class DuplicateKey(ValueError):
    """An object has a name more than once. Which of the values counts depends on the reader."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


class Member(NamedTuple):
    """Where a name and its value are in the object."""

    start: int
    end: int
    is_null: bool


def values_of(raw: bytes) -> dict[str, msgspec.Raw]:
    """Return the values of an object's members as they are written. Raises DuplicateKey."""
    values: dict[str, msgspec.Raw] = _decode(raw)
    least, shortest = len("{"), len(raw)
    for name, value in values.items():
        least += len(name) + len(value) + len('"":,')
        shortest = min(shortest, len(name))
    if len(raw) - least >= shortest + len('"":1,'):  # otherwise there is no room for one more member
        members(raw)
    return values


def members(raw: bytes) -> list[Member]:
    """Return the members of an object in strict JSON, in the order in which they are written. Raises DuplicateKey.

    A decoder keeps the last value of each name: a value that does not follow its name belongs to a later member with
    that name. One JSON value begins with another only if both are numbers.
    """
    values = _decode(raw)
    seen: dict[str, Member] = {}
    place = raw.index(b"{") + 1
    while name := _NAME.match(raw, place):
        text = orjson.loads(name[1])
        value = bytes(values[text])
        end = name.end() + len(value)
        after = _NEXT.match(raw, end) if raw.startswith(value, name.end()) else None
        if after is None or text in seen:
            raise DuplicateKey(text)
        seen[text] = Member(name.start(1), end, value == _NULL)
        place = after.end()
    return list(seen.values())


def kept_members(values: Mapping[str, msgspec.Raw], *, names_call: bool) -> bytes:
    """Return the kept keys of a line with their values as they are written, each after a comma; empty if it has none.

    A carriage return, which strict JSON has between its parts only, is a blank: many readers end a line at it. They are
    all but ours: they are not sent, and come back with the outcome of the line. `values`: of all keys. `names_call`:
    whether lines may be in the provider's own form.
    """
    if len(values) == _LEAST:
        return b""
    ours = _OURS_OR_CALL if names_call else OUR_KEYS
    kept = b"".join(b",%b:%b" % (orjson.dumps(name), value) for name, value in values.items() if name not in ours)
    return kept.replace(b"\r", b" ")


def without_nulls(raw: bytes) -> bytes:
    """Return an object without the members that are null; the rest is unchanged byte for byte. Raises DuplicateKey."""
    return _cut(raw, members(raw)) if _NULL in raw else raw


def _cut(raw: bytes, all_members: list[Member]) -> bytes:
    kept = [place for place, member in enumerate(all_members) if not member.is_null]
    if len(kept) == len(all_members):
        return raw
    return b"".join(_pieces(raw, all_members, kept))


def _pieces(raw: bytes, all_members: list[Member], kept: list[int]) -> Iterator[bytes]:
    """Yield what remains. With each null goes the comma after it, or the comma before it at the end of the object."""
    yield raw[: all_members[0].start]
    for place in kept:
        is_last = place == kept[-1]
        yield raw[all_members[place].start : all_members[place].end if is_last else all_members[place + 1].start]
    yield raw[all_members[-1].end :]
