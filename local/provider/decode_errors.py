"""The APIs' wording of JSON that does not have the expected fields."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import msgspec

_MISSING = "Field required"
_UNKNOWN = "Extra inputs are not permitted"
_MESSAGES = [
    (re.compile(r"Object missing required field `(.+)`"), _MISSING),
    (re.compile(r"Object contains unknown field `(.+)`"), _UNKNOWN),
    (re.compile(r"Expected `(?:int|float)` (>=|<=) (.+)"), "Input should be {0} {1}"),
    (re.compile(r"Expected `(?:array|str)` of length >= (\d+)"), "Input should have at least {0} items"),
    (re.compile(r"Expected `(\w+)"), "Input should be a valid {0}"),
]
_NAMES = {
    "int": "integer",
    "str": "string",
    "array": "list",
    "object": "dictionary",
    "bool": "boolean",
    "float": "number",
    ">=": "greater than or equal to",
    "<=": "less than or equal to",
}


def describe_error(error: msgspec.DecodeError) -> str:
    """Word a decoding error as the API does: `messages.0.role: Field required`."""
    text, _, place = str(error).partition(" - at ")
    path = re.sub(r"\[(\w+)\]", r".\1", place.strip("`").removeprefix("$")).strip(".")
    for pattern, message in _MESSAGES:
        if match := pattern.match(text):
            field, *rest = (*match.groups(), "")
            named = field if message in (_MISSING, _UNKNOWN) else ""
            path = ".".join(part for part in (path, named) if part)
            return f"{path}: {message.format(_NAMES.get(field, field), *rest)}".removeprefix(": ")
    return f"{path}: {text}".removeprefix(": ")
