"""Reads the JSON of a file under `config/`: numbers are exact, and nothing is overlooked."""

import json
from collections.abc import Iterable
from decimal import Decimal, InvalidOperation
from difflib import get_close_matches
from typing import Any

from conveyor.money.config_errors import BadConfig

_QUOTED = 100
"""Characters of a wrong value that an error quotes."""
_ALIKE = 0.6
"""Ratio of similarity from which a name counts as misspelled."""


def read_object(data: bytes) -> dict[str, Any]:
    """Return a JSON object whose numbers are decimals. Raises BadConfig, also for a name that is given twice."""
    try:
        value = json.loads(
            data.decode("utf-8-sig"),
            parse_float=_number,
            parse_int=_number,
            parse_constant=_number,
            object_pairs_hook=_object,
        )
    except UnicodeDecodeError as error:
        raise BadConfig(f"byte {error.start:,} is not valid UTF-8") from None
    except json.JSONDecodeError as error:
        text = f"{error.msg[:1].lower()}{error.msg[1:]}"
        raise BadConfig(f"line {error.lineno:,}, column {error.colno:,}: not valid JSON: {text}") from None
    except RecursionError:
        raise BadConfig("its values are nested too deeply") from None
    return object_at("the file", value)


def object_at(place: str, value: object) -> dict[str, Any]:
    """Return the object at a place. Raises BadConfig for any other value."""
    if not isinstance(value, dict):
        raise BadConfig(f"{place} is {quoted(value)}; expected an object")
    return value


def check_fields(place: str, given: Iterable[str], known: Iterable[str]) -> None:
    """Raise BadConfig for the first field that is unknown, and name the one that was probably meant."""
    names = list(known)
    for name in given:
        if name not in names:
            close = get_close_matches(name[:_QUOTED].lower(), names, 1, _ALIKE)
            likely = f'did you mean "{close[0]}"?' if close else f"expected {' or '.join(map(quoted, names))}"
            raise BadConfig(f"{place}: unknown field {quoted(name)}; {likely}")


def quoted(value: object) -> str:
    """Return a value as an error quotes it: the beginning of its JSON, in ASCII."""
    match value:
        case dict():
            return "an object"
        case list():
            return "a list"
        case Decimal():
            text = str(value)
        case _:
            text = json.dumps(value)
    return text if len(text) <= _QUOTED else f"{text[:_QUOTED]}..."


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict[str, Any]()
    for name, value in pairs:
        if name in found:
            raise BadConfig(f"the field {quoted(name)} is given twice")
        found[name] = value
    return found


def _number(text: str) -> Decimal:
    try:
        number = Decimal(text)
    except InvalidOperation:
        raise BadConfig(f"the number {text[:_QUOTED]} is too large or too small") from None
    if not number.is_finite():
        raise BadConfig(f"{text} is not a number of JSON")
    return number
