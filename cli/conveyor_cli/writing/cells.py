"""The values of a table that is written, whatever they came from."""

import json
import math
import re
from base64 import b64encode
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any, NamedTuple

import msgspec

from conveyor_cli.tables.values import Written, as_json, digits, encode

_WHOLE = re.compile(rb"-?[1-9][0-9]{0,18}|0")
_BITS_64 = range(-(2**63), 2**63)


class Number(NamedTuple):
    """A number in JSON, with its digits as they are written."""

    text: str


class Nested(NamedTuple):
    """An array or an object, as JSON."""

    text: str


type Cell = str | int | float | date | time | Number | Nested | None
"""Also `bool` and `datetime`, which are kinds of `int` and `date`."""


def cell_of(raw: bytes | msgspec.Raw | None) -> Cell:
    """Return a value in JSON as a cell. An absent value and a null are no value."""
    value = bytes(raw or b"null").strip()
    match value[:1]:
        case b'"':
            return _text(value)
        case b"n":
            return None
        case b"t" | b"f":
            return value == b"true"
        case b"[" | b"{":
            return Nested(value.decode())
    if _WHOLE.fullmatch(value) and (whole := int(value)) in _BITS_64:
        return whole
    return Number(value.decode())


def cell_from(value: Any) -> Cell:  # noqa: ANN401, PLR0911 - the cells of other tables, a return for each kind
    """Return a value of a table that was read as a cell."""
    match value:
        case None | bool() | int() | str() | datetime() | date() | time():
            return value
        case Written():
            return cell_of(value.raw)
        case float():
            return value if math.isfinite(value) else None if math.isnan(value) else str(value)
        case Decimal():
            return Number(digits(value)) if value.is_finite() else None
        case dict() | list() | tuple():
            return Nested(encode(as_json(value)).decode())
        case bytes():
            return b64encode(value).decode()
    return str(value)


def plain(cell: Cell) -> str | None:
    """Return a cell as text; None if it has no value."""
    match cell:
        case None | str():
            return cell
        case bool():
            return "true" if cell else "false"
        case Number() | Nested():
            return cell.text
        case datetime() | date() | time():
            return cell.isoformat()
    return str(cell)


def _text(value: bytes) -> str:
    """Decode a string. Half an emoji, which no file of ours has, is replaced."""
    try:
        return msgspec.json.decode(value, type=str)
    except msgspec.DecodeError:
        text: str = json.loads(value)
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
