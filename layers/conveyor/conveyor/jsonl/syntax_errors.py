"""Why a line cannot be read as JSON, in words for the person who wrote the program that made it.

Places are counted from 1 over the whole line: indent and a byte order mark count, the latter as one character.
A line is looked at as bytes: a text has four for each of its characters where one of them is an emoji.
"""

import re
from codecs import getincrementaldecoder
from collections.abc import Iterator

import orjson

_HALF = re.compile(
    rb"(?<!\\)(?:\\\\)*+"  # what is escaped itself
    rb"(?:\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"  # a whole pair
    rb"|(\\u[dD][89a-fA-F][0-9a-fA-F]{2}))"  # half of one
)
_HALF_IN_UTF8 = re.compile(rb"\xed[\xa0-\xbf]")
_MENDED = rb"\ufffd"
_NO_NUMBER = re.compile(r"[-+]?(?:nan|inf(?:inity)?)\b", re.IGNORECASE)
_PYTHON = re.compile(r"None\b|True\b|False\b|'")
_DOUBLED = re.compile(r'[^{]{0,300}\{\s*+""[^":,}]')
_CURLY = re.compile(r"[\u2018\u2019\u201a\u201b\u201c\u201d\u201e\u201f\u00ab\u00bb]")
_CURLY_BEHIND = re.compile(r'\{\s*+"[^"]{0,64}?([\u201c\u201d\u201f])\s*+:')
"""A first key that begins with a straight quote and ends with another one."""
_DEEPEST = 1024
"""Levels of arrays and objects in one line that the decoder takes."""
_WINDOW = 1 << 16
_LOOK = 2000
"""Bytes: what a line is shows in its first ones, and what a fault is in those behind it."""
_CONTINUED = bytes(range(0x80, 0xC0))
"""Bytes of UTF-8 that begin no character."""
_decoder_of = getincrementaldecoder("utf-8")


def why_not_json(raw: bytes, before: bytes = b"") -> tuple[str, str]:
    """Return code and message for bytes that the decoder refuses; `before` them stands the line's indent."""
    if (odd := _not_utf8(raw)) is not None:
        place = _place(raw, odd, before)
        if _HALF_IN_UTF8.match(raw, odd):
            return _half_of_a_character("what stands", place)
        return "not-utf8", f"{place} is not UTF-8; save the file as UTF-8"
    if _DOUBLED.match(_text(raw, 0)):
        return "quotes-doubled", (
            'the line has each quote twice ("{""custom_id"": …}"): a spreadsheet or a CSV writer quoted it; '
            "write the file with a JSON library, or read it with a CSV reader and write out the column as text"
        )
    half = next(_halves(raw), None)
    if stumble := _stumble(raw if half is None else _without_halves(raw)):
        return _refused(*stumble, raw, before)
    if half is None:
        raise AssertionError
    return _half_of_a_character(raw[half : half + len(_MENDED)].decode(), _place(raw, half, before))


def _not_utf8(raw: bytes) -> int | None:
    """Return the place of the first byte that is not UTF-8."""
    decoder, begin = _decoder_of(), 0
    while begin < len(raw):
        held = len(decoder.getstate()[0])
        try:
            decoder.decode(raw[begin : begin + _WINDOW], final=begin + _WINDOW >= len(raw))
        except UnicodeDecodeError as error:
            return begin - held + error.start
        begin += _WINDOW
    return None


def _halves(raw: bytes) -> Iterator[int]:
    return (found.start(1) for found in _HALF.finditer(raw) if found[1])


def _without_halves(raw: bytes) -> bytearray:
    whole = bytearray(raw)
    for half in _halves(raw):
        whole[half : half + len(_MENDED)] = _MENDED
    return whole


def _stumble(raw: bytes | bytearray) -> tuple[str, int] | None:
    """Return what a decoder says, and the count of characters before; its error holds the whole text and is let go."""
    try:
        orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        return error.msg, error.pos
    return None


def _half_of_a_character(what: str, place: str) -> tuple[str, str]:
    return "half-character", (
        f"{what} at {place} is half of a character (of an emoji, say): cut texts between characters, not inside one"
    )


def _refused(what: str, characters: int, raw: bytes, before: bytes) -> tuple[str, str]:
    """Name what a decoder stumbled over."""
    at = _byte_behind(raw, characters)
    place = _place(raw, at, before)
    rest = _text(raw, at - 1 if raw[max(at - 1, 0) : at] in (b"-", b"+") else at)
    if "infinity" in what:
        return "number-too-large", (
            f"the number at {place} is beyond what a JSON reader holds (1.8e308): "
            "write it as a string, or with fewer digits"
        )
    if "depth" in what:
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
    return _curly(raw, at, before) or ("not-json", f"the line is not JSON: {what}, at {place}")


def _curly(raw: bytes, at: int, before: bytes) -> tuple[str, str] | None:
    """Name a typographic quote: where the decoder stumbled, or behind the first key."""
    first = _text(raw, 0)
    if behind := _CURLY_BEHIND.match(first):
        at = len(first[: behind.start(1)].encode())
    found = _CURLY.match(_text(raw, at))
    if found is None:
        return None
    return "quotes-curly", (
        f'{found[0]} at {_place(raw, at, before)} is a typographic quote, where JSON has the straight one ("): '
        "a word processor or a chat changed it; write the file with a JSON library, or switch off its smart quotes"
    )


def _text(raw: bytes, begin: int) -> str:
    """Return some of a line's text, from the beginning of a character on."""
    return raw[begin : begin + _LOOK].decode(errors="ignore")


def _characters(raw: bytes) -> int:
    return len(raw.translate(None, _CONTINUED))


def _byte_behind(raw: bytes, characters: int) -> int:
    """Return the count of bytes that so many characters have."""
    for begin in range(0, len(raw), _WINDOW):
        some = raw[begin : begin + _WINDOW]
        here = _characters(some)
        if here > characters:
            starts = (at for at, byte in enumerate(some) if byte not in _CONTINUED)
            return begin + next(at for nth, at in enumerate(starts) if nth == characters)
        characters -= here
    return len(raw)


def _place(raw: bytes, at: int, before: bytes) -> str:
    """Return a place in bytes that stand after the line's indent."""
    characters = len(before.decode()) + sum(
        _characters(raw[begin : min(begin + _WINDOW, at)]) for begin in range(0, at, _WINDOW)
    )
    return f"byte {len(before) + at + 1:,}, character {characters + 1:,} of the line"
