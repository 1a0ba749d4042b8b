"""The arguments of `aws`, as AWS CLI v2 reads them: options, and their values as JSON, `name=value,…` or `file://…`.

What is read here was held against the parser of 2.9.19. Nested lists and structures are not needed, and refused.
"""

from __future__ import annotations

import json
import re
from itertools import takewhile
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Container
    from pathlib import Path

    from botocore.model import Shape


class Misuse(Exception):
    """AWS CLI v2 would reject this, or it is a form that Conveyor does not use."""


_NAME = re.compile(r"[A-Za-z0-9\-_.#/:]*")
_QUOTED = re.compile(r"""'((?:\\\\|\\'|[^'])*)'|"((?:\\\\|\\"|[^"])*)\"""")
_FIRST = re.compile(r"(?:\\,|[!#-&(-+\--<>-Z\\-z|-\uffff])(?:\\,|[\s!#-&(-+\--\\^-|~-\uffff])*")
_NEXT = re.compile(r"(?:\\,|[!#-&(-+\--<>-Z\\-z|-\uffff])(?:\\,|[\s!#-&(-+\--<>-\uffff])*")


def options(
    words: list[str], lists: Container[str] = (), flags: Container[str] = ()
) -> tuple[dict[str, str], list[str]]:
    """Split arguments into options, each with its value, and positional ones. Raises Misuse.

    `lists`: options that take all words up to the next option. Their value is a JSON list. `flags`: options without a
    value, whose value is `true`.
    """
    found, rest = dict[str, str](), list[str]()
    left = iter(_joined(words, lists))
    for word in left:
        name, equals, value = word.removeprefix("--").partition("=")
        if not word.startswith("-") or word == "-":
            rest.append(word)
            continue
        if name in flags:
            value = "true"
        elif not equals:
            value = next(left, "-")
            if value.startswith("-"):
                raise Misuse(f"{word} needs a value")
        if not word.startswith("--") or name in found:
            raise Misuse(f"unknown or repeated option: {word}")
        found[name] = value
    return found, rest


def _joined(words: list[str], lists: Container[str]) -> list[str]:
    """Write the words of an option that takes several as one JSON list, unless they are one already."""
    joined, rest = list[str](), list(words)
    while rest:
        word = rest.pop(0)
        joined.append(word)
        if word.startswith("--") and word.removeprefix("--") in lists:
            values = list(takewhile(lambda each: not each.startswith("--"), rest))
            del rest[: len(values)]
            is_json = len(values) == 1 and values[0].startswith("[")
            joined.append(values[0] if is_json else json.dumps(values))
    return joined


def value_of(shape: Shape, text: str, folder: Path) -> Any:
    """Read the value of an option. Raises Misuse."""
    if text.startswith("fileb://"):
        if shape.type_name != "blob":
            raise Misuse("fileb:// is for bytes")
        return (folder / text.removeprefix("fileb://")).read_bytes()
    if text.startswith("file://"):
        text = (folder / text.removeprefix("file://")).read_text()
    return _of_type(shape, text)


def _of_type(shape: Shape, text: str) -> Any:  # noqa: PLR0911 - one for each type
    match shape.type_name:
        case "map" if text.strip().startswith("{"):
            return texts(from_json(text))
        case "structure" | "list" if text.strip().startswith(("{", "[")):
            return from_json(text)
        case "list" if "," not in text:
            return [text]
        case "map" | "structure":
            return typed(shape, pairs(text))
        case "integer" | "long":
            return int(text)
        case "double":
            return float(text)
        case "boolean":
            return text == "true"
        case "string" | "blob":
            return text
        case other:
            raise Misuse(f"a value of the type {other}")


def from_json(text: str) -> Any:
    """Read JSON. Raises Misuse."""
    try:
        return json.loads(text)
    except ValueError as error:
        raise Misuse(f"invalid JSON: {error}") from None


def typed(shape: Any, given: dict[str, Any]) -> dict[str, Any]:
    """Convert the members of numeric types to numbers."""
    if shape.type_name == "map":
        return texts(given)
    members = shape.members
    numbers = {name for name, member in members.items() if member.type_name in ("integer", "long")}
    return {name: int(value) if name in numbers else value for name, value in given.items()}


def texts(given: dict[str, Any]) -> dict[str, Any]:
    """Return a map of strings unchanged. Raises Misuse if a value is invalid, or not allowed in S3 metadata."""
    if wrong := {name: value for name, value in given.items() if not isinstance(value, str) or not value.isascii()}:
        raise Misuse(f"no ASCII text: {wrong}")
    return given


def pairs(text: str) -> dict[str, str | list[str]]:
    """Read `name=value,name=value`. An unquoted comma in a value makes it a list, as in AWS CLI v2."""
    found: dict[str, str | list[str]] = {}
    place = 0
    while place < len(text) or not found:
        name = _match(_NAME, text, place).group()
        place = _skip(text, place + len(name))
        if not text.startswith("=", place) or name in found:
            raise Misuse(f'expected "=" after one new name, at character {place} of {text}')
        found[name], place = _values(text, _skip(text, place + 1))
        if place < len(text):
            if text[place] != ",":
                raise Misuse(f'expected ",", at character {place} of {text}')
            place = _skip(text, place + 1)
            if place == len(text):
                raise Misuse(f"expected another pair at the end of {text}")
    return found


def _values(text: str, place: int) -> tuple[str | list[str], int]:
    if text.startswith(("[", "{"), place):
        raise Misuse(f"a nested value: {text}")
    first, place = _value(_FIRST, text, place)
    values = [first]
    while text.startswith(",", place):
        try:
            more, after = _value(_NEXT, text, _skip(text, place + 1), needed=True)
        except Misuse:
            if place + 1 >= len(text):
                raise
            break
        if after < len(text) and text[after] != ",":
            break  # the name of the next pair
        values.append(more)
        place = after
    return (first if len(values) == 1 else values), place


def _value(kind: re.Pattern[str], text: str, place: int, *, needed: bool = False) -> tuple[str, int]:
    if text.startswith(("'", '"'), place):
        found = _match(_QUOTED, text, place)
        mark = text[place]
        value = found.group()[1:-1].replace(f"\\{mark}", mark).replace("\\\\", "\\")
        return value, _skip(text, found.end())
    if (plain := kind.match(text, place)) is None:
        if needed:
            raise Misuse(f"expected a value, at character {place} of {text}")
        return "", place
    return plain.group().replace("\\,", ",").rstrip(), plain.end()


def _match(pattern: re.Pattern[str], text: str, place: int) -> re.Match[str]:
    if (found := pattern.match(text, place)) is None:
        raise Misuse(f"not closed, at character {place} of {text}")
    return found


def _skip(text: str, place: int) -> int:
    while place < len(text) and text[place].isspace():
        place += 1
    return place
