"""The values of cells: as a template takes them, as text of a prompt, and as JSON beside a request."""

import json
import math
from base64 import b64encode
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any, NamedTuple

import orjson

_LARGEST = 2**63
"""Integers from here on are written as they are, not by the encoder."""


class Written(NamedTuple):
    """A value of a JSON file, as it is written there."""

    raw: bytes


class Digits(float):
    """A number with a fraction or an exponent, which is shown as it is written in a JSON file."""

    def __init__(self, text: str) -> None:
        """Take the number as it is written."""
        self.text = text

    def __str__(self) -> str:
        """Return it as it is written."""
        return self.text


def plain(value: Any) -> Any:  # noqa: ANN401 - a cell may hold anything
    """Return a value as a template takes it: an empty cell is an empty text."""
    if type(value) is Written:
        value = json.loads(value.raw, parse_float=Digits)
    return "" if value is None else value


def is_empty(value: Any) -> bool:  # noqa: ANN401
    """Return whether a cell holds nothing, or only white space."""
    value = plain(value)
    return isinstance(value, str) and not value.strip()


def as_text(value: Any) -> Any:  # noqa: ANN401, PLR0911 - a return for each kind
    """Return a value as a prompt shows it: dates as ISO 8601, lists and objects as JSON, null as nothing."""
    match value:
        case str():
            return value
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case datetime() | date() | time():
            return value.isoformat()
        case dict() | list() | tuple():
            return encode(as_json(value)).decode()
        case Decimal():
            return digits(value)
        case _:
            return value


def as_json(value: Any) -> Any:  # noqa: ANN401, C901, PLR0911 - a return for each kind
    """Return a value as `encode` takes it. Numbers keep their digits; what JSON has no form for is text."""
    match value:
        case None | bool() | str():
            return value
        case Written():
            return orjson.Fragment(value.raw)
        case int():
            return value if -_LARGEST <= value < _LARGEST else orjson.Fragment(str(value))
        case Digits():
            return orjson.Fragment(value.text)
        case float():
            return _finite(value)
        case Decimal():
            return orjson.Fragment(digits(value)) if value.is_finite() else None
        case datetime() | date() | time():
            return value.isoformat()
        case dict():
            return {str(name): as_json(each) for name, each in value.items()}
        case list() | tuple():
            return [as_json(each) for each in value]
        case bytes():
            return b64encode(value).decode()
        case _:
            return str(value)


def _finite(value: float) -> float | str | None:
    """Return a number that JSON has. Pandas writes NaN for an empty cell."""
    if math.isnan(value):
        return None
    return value if math.isfinite(value) else "Infinity" if value > 0 else "-Infinity"


def digits(value: Decimal) -> str:
    """Return a decimal with all its digits and no exponent."""
    return f"{value:f}"


def encode(value: Any) -> bytes:  # noqa: ANN401
    """Write JSON in one line."""
    return orjson.dumps(value)


def from_number(value: float) -> float | None:
    """Return a number of a table; None for NaN."""
    return None if math.isnan(value) else value


def decode_object(text: bytes) -> dict[str, Any] | None:
    """Return a JSON object; None for anything else."""
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError:
        return None
    return value if isinstance(value, dict) else None
