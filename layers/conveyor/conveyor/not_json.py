"""Why a line cannot be read as JSON, in words for the person who wrote the program that made it.

Places are counted from 1 over the whole line: indent and a byte order mark count, the latter as one character.
"""

import re

import orjson

_HALF = re.compile(
    r"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"  # a whole pair
    r"|(\\u[dD][89a-fA-F][0-9a-fA-F]{2})"  # half of one
    r"|\\."  # any other escape
)
_HALF_IN_UTF8 = re.compile(rb"\xed[\xa0-\xbf]")
_MENDED = r"\ufffd"
_NO_NUMBER = re.compile(r"[-+]?(?:nan|inf(?:inity)?)\b", re.IGNORECASE)
_PYTHON = re.compile(r"None\b|True\b|False\b|'")
_DOUBLED = re.compile(r'[^{]{0,300}\{\s*+""[^":,}]')
_CURLY = re.compile(r"[\u2018\u2019\u201a\u201b\u201c\u201d\u201e\u201f\u00ab\u00bb]")
_CURLY_BEHIND = re.compile(r'\{\s*+"[^"]{0,64}?([\u201c\u201d\u201f])\s*+:')
"""A first key that begins with a straight quote and ends with another one."""
_DEEPEST = 1024
"""Levels of arrays and objects in one line that the decoder takes."""


def why_not_json(raw: bytes, before: bytes = b"") -> tuple[str, str]:
    """Return code and message for bytes that the decoder refuses; `before` them stands the line's indent."""
    try:
        text = raw.decode()
    except UnicodeDecodeError as error:
        place = _place(raw[: error.start].decode(), before)
        if _HALF_IN_UTF8.match(raw, error.start):
            return _half_of_a_character("what stands", place)
        return "not-utf8", f"{place} is not UTF-8; save the file as UTF-8"
    if _DOUBLED.match(text):
        return "quotes-doubled", (
            'the line has each quote twice ("{""custom_id"": …}"): a spreadsheet or a CSV writer quoted it; '
            "write the file with a JSON library, or read it with a CSV reader and write out the column as text"
        )
    half = next((found for found in _HALF.finditer(text) if found[1]), None)
    whole = _HALF.sub(lambda found: _MENDED if found[1] else found[0], text) if half else text
    try:
        orjson.loads(whole)
    except orjson.JSONDecodeError as error:
        return _refused(error, whole, before)
    if half is None:
        raise AssertionError
    return _half_of_a_character(half[0], _place(text[: half.start()], before))


def _half_of_a_character(what: str, place: str) -> tuple[str, str]:
    return "half-character", (
        f"{what} at {place} is half of a character (of an emoji, say): cut texts between characters, not inside one"
    )


def _refused(error: orjson.JSONDecodeError, text: str, before: bytes) -> tuple[str, str]:
    """Name what a decoder stumbled over."""
    place = _place(text[: error.pos], before)
    rest = text[error.pos - 1 if text[error.pos - 1 : error.pos] in "-+" else error.pos :]
    if "infinity" in error.msg:
        return "number-too-large", (
            f"the number at {place} is beyond what a JSON reader holds (1.8e308): "
            "write it as a string, or with fewer digits"
        )
    if "depth" in error.msg:
        return "too-deep", f"arrays and objects are nested more than {_DEEPEST:,} levels deep at {place}"
    if found := _NO_NUMBER.match(rest):
        return "not-a-number", (
            f"{found[0]} at {place} is not JSON, which has no such number: write null, or leave the field out; "
            "json.dumps(…, allow_nan=False) finds it in Python, fillna replaces it in pandas"
        )
    if found := _PYTHON.match(rest):
        return "python-literal", (
            f"the line is a Python value, not JSON ({found[0]} at {place}): write it with json.dumps, not with str"
        )
    return _curly(text, error.pos, before) or ("not-json", f"the line is not JSON: {error.msg}, at {place}")


def _curly(text: str, at: int, before: bytes) -> tuple[str, str] | None:
    """Name a typographic quote: where the decoder stumbled, or behind the first key."""
    behind = _CURLY_BEHIND.match(text)
    begin = behind.start(1) if behind else at
    if not _CURLY.match(text, begin):
        return None
    quote, place = text[begin], _place(text[:begin], before)
    return "quotes-curly", (
        f'{quote} at {place} is a typographic quote, where JSON has the straight one ("): a word processor or a chat '
        "changed it; write the file with a JSON library, or switch off its smart quotes"
    )


def _place(text: str, before: bytes) -> str:
    """Return the place behind some text that stands after the line's indent."""
    byte = len(before) + len(text.encode()) + 1
    return f"byte {byte:,}, character {len(before.decode()) + len(text) + 1:,} of the line"
