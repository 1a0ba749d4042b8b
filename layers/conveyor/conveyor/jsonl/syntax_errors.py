"""Explain why a line is not JSON, for the author of the program that wrote it.

Places are counted from 1 over the whole line, including indentation and a byte order mark, which is one character.
Lines are examined as bytes: a Python string takes four bytes per character if one of them is an emoji.
"""

import re
from codecs import getincrementaldecoder
from collections.abc import Iterator

import orjson

_HALF_SURROGATE = re.compile(
    rb"(?<!\\)(?:\\\\)*+"  # escaped backslashes
    rb"(?:\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"  # a whole pair
    rb"|(\\u[dD][89a-fA-F][0-9a-fA-F]{2}))"  # half of one
)
_HALF_SURROGATE_IN_UTF8 = re.compile(rb"\xed[\xa0-\xbf]")
_REPLACEMENT = rb"\ufffd"
_NOT_A_NUMBER = re.compile(r"[-+]?(?:nan|inf(?:inity)?)\b", re.IGNORECASE)
_PYTHON = re.compile(r"None\b|True\b|False\b|'")
_DOUBLED_QUOTES = re.compile(r'[^{]{0,300}\{\s*+""[^":,}]')
_CURLY_QUOTE = re.compile(r"[\u2018\u2019\u201a\u201b\u201c\u201d\u201e\u201f\u00ab\u00bb]")
_CURLY_QUOTE_AFTER_KEY = re.compile(r'\{\s*+"[^"]{0,64}?([\u201c\u201d\u201f])\s*+:')
"""A first key that begins with a straight quote and ends with a typographic one."""
_DEEPEST = 1024
"""Levels of arrays and objects that the decoder accepts."""
_WINDOW = 1 << 16
_LOOK = 2000
"""Bytes that are examined: at the beginning of a line, and after a fault."""
_CONTINUATION = bytes(range(0x80, 0xC0))
"""Bytes of UTF-8 that do not begin a character."""
_decoder_of = getincrementaldecoder("utf-8")


def why_not_json(raw: bytes, before: bytes = b"") -> tuple[str, str]:
    """Return code and message for bytes that the decoder refuses. `before`: the line's indentation."""
    if (at := _first_bad_byte(raw)) is not None:
        place = _place(raw, at, before)
        if _HALF_SURROGATE_IN_UTF8.match(raw, at):
            return _half_character("the text", place)
        return "not-utf8", f"{place} is not UTF-8; save the file as UTF-8"
    if _DOUBLED_QUOTES.match(_text(raw, 0)):
        return "quotes-doubled", (
            'each quote in the line is doubled ("{""custom_id"": …}"): a spreadsheet or a CSV writer quoted it; '
            "write the file with a JSON library, or read it with a CSV reader and write the column as text"
        )
    half = next(_half_surrogates(raw), None)
    if decoder_error := _decoder_error(raw if half is None else _without_half_surrogates(raw)):
        return _explain(*decoder_error, raw, before)
    if half is None:
        raise AssertionError
    return _half_character(raw[half : half + len(_REPLACEMENT)].decode(), _place(raw, half, before))


def _first_bad_byte(raw: bytes) -> int | None:
    """Return the offset of the first byte that is not UTF-8."""
    decoder, begin = _decoder_of(), 0
    while begin < len(raw):
        held = len(decoder.getstate()[0])
        try:
            decoder.decode(raw[begin : begin + _WINDOW], final=begin + _WINDOW >= len(raw))
        except UnicodeDecodeError as error:
            return begin - held + error.start
        begin += _WINDOW
    return None


def _half_surrogates(raw: bytes) -> Iterator[int]:
    return (match.start(1) for match in _HALF_SURROGATE.finditer(raw) if match[1])


def _without_half_surrogates(raw: bytes) -> bytearray:
    whole = bytearray(raw)
    for half in _half_surrogates(raw):
        whole[half : half + len(_REPLACEMENT)] = _REPLACEMENT
    return whole


def _decoder_error(raw: bytes | bytearray) -> tuple[str, int] | None:
    """Return the decoder's message and the number of characters before the fault. Its error holds the whole text."""
    try:
        orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        return error.msg, error.pos
    return None


def _half_character(what: str, place: str) -> tuple[str, str]:
    return "half-character", (
        f"{what} at {place} is half of a character (of an emoji, for example): cut texts between characters"
    )


def _explain(message: str, characters: int, raw: bytes, before: bytes) -> tuple[str, str]:
    """Explain a decoder's message. `characters`: how many precede the fault."""
    at = _byte_offset(raw, characters)
    place = _place(raw, at, before)
    rest = _text(raw, at - 1 if raw[max(at - 1, 0) : at] in (b"-", b"+") else at)
    if "infinity" in message:
        return "number-too-large", (
            f"the number at {place} is larger than JSON parsers support (1.8e308): "
            "write it as a string, or with fewer digits"
        )
    if "depth" in message:
        return "too-deep", f"arrays and objects are nested more than {_DEEPEST:,} levels deep at {place}"
    if match := _NOT_A_NUMBER.match(rest):
        return "not-a-number", (
            f"{match[0]} at {place} is not valid in JSON: write null, or leave the field out; "
            "json.dumps(…, allow_nan=False) finds it in Python, fillna replaces it in pandas"
        )
    if match := _PYTHON.match(rest):
        return "python-literal", (
            f"the line is a Python value, not JSON ({match[0]} at {place}): write it with json.dumps, not with str"
        )
    return _curly(raw, at, before) or ("not-json", f"the line is not JSON: {message}, at {place}")


def _curly(raw: bytes, at: int, before: bytes) -> tuple[str, str] | None:
    """Explain a typographic quote where decoding failed or after the first key; None if there is none."""
    first = _text(raw, 0)
    if key := _CURLY_QUOTE_AFTER_KEY.match(first):
        at = len(first[: key.start(1)].encode())
    quote = _CURLY_QUOTE.match(_text(raw, at))
    if quote is None:
        return None
    return "quotes-curly", (
        f'{quote[0]} at {_place(raw, at, before)} is a typographic quote; JSON needs a straight one ("): '
        "a word processor or a chat changed it; write the file with a JSON library, or turn off smart quotes"
    )


def _text(raw: bytes, begin: int) -> str:
    """Return a part of a line as text, from the beginning of a character."""
    return raw[begin : begin + _LOOK].decode(errors="ignore")


def _characters(raw: bytes) -> int:
    return len(raw.translate(None, _CONTINUATION))


def _byte_offset(raw: bytes, characters: int) -> int:
    """Return the offset of the byte after so many characters."""
    for begin in range(0, len(raw), _WINDOW):
        window = raw[begin : begin + _WINDOW]
        count = _characters(window)
        if count > characters:
            starts = (at for at, byte in enumerate(window) if byte not in _CONTINUATION)
            return begin + next(at for nth, at in enumerate(starts) if nth == characters)
        characters -= count
    return len(raw)


def _place(raw: bytes, at: int, before: bytes) -> str:
    """Describe an offset in bytes that follow the line's indentation."""
    characters = len(before.decode()) + sum(
        _characters(raw[begin : min(begin + _WINDOW, at)]) for begin in range(0, at, _WINDOW)
    )
    return f"byte {len(before) + at + 1:,}, character {characters + 1:,} of the line"
