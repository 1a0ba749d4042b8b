"""Text that is nearly JSON: what a strict reader refuses of it is replaced, and nothing else is changed.

A provider's line may hold half of a surrogate pair, a control character as it is, bytes that are not UTF-8, or a number
that JSON does not have. The answer around it was paid for.
"""

import re

import msgspec

REPLACEMENT = "\N{REPLACEMENT CHARACTER}"
_TOKEN = re.compile(
    r'"[^"\\]*+(?:\\.?[^"\\]*+)*+"?'  # a string, or what is left of one: nothing is looked at twice
    r"|-?\b(?:NaN|Infinity)\b"  # a number that JSON does not have
    r"|[\x00-\x08\x0b\x0c\x0e-\x1f\ufeff]",  # no white space of JSON's
    re.DOTALL,
)
_ODD = re.compile(
    r"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"  # a whole pair
    r"|\\u[dD][89a-fA-F][0-9a-fA-F]{2}"  # half of one
    r'|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})'  # any other escape
    r"|\\|[\x00-\x1f]"
)
_HALF = len("\\ud83d")


def is_strict(raw: bytes) -> bool:
    """Tell whether some bytes are one JSON value in UTF-8."""
    try:
        raw.decode()  # msgspec does not check the text that it passes over
        msgspec.json.decode(raw, type=msgspec.Raw)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return False
    return True


def repaired(raw: bytes) -> bytes | None:
    """Return strict JSON with U+FFFD for what cannot be read, and `null` for NaN and Infinity.

    None where it is no JSON even so: cut off, say.
    """
    text = _TOKEN.sub(_mended, raw.decode(errors="replace")).encode()
    return text if is_strict(text) else None


def _mended(token: re.Match[str]) -> str:
    if token[0].startswith('"'):
        return _ODD.sub(_character, token[0])
    return "null" if len(token[0]) > 1 else " "


def _character(found: re.Match[str]) -> str:
    """Return an escape as it is, unless it stands for no character."""
    odd = found[0]
    is_half = len(odd) == _HALF and odd[2] in "dD" and odd[3] in "89abAB" + "cdefCDEF"
    return REPLACEMENT if len(odd) == 1 or is_half else odd
