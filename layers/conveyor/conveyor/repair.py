"""Text that is nearly JSON: what a strict reader refuses of it is replaced, and nothing else is changed.

A provider's line may hold half of a surrogate pair, a control character as it is, bytes that are not UTF-8, or a number
that JSON does not have. The answer around it was paid for.
"""

import re
from codecs import getincrementaldecoder
from collections.abc import Iterator

import msgspec

REPLACEMENT = "\N{REPLACEMENT CHARACTER}".encode()
_MOST_GROWTH = 16_000_000
"""Bytes that a repair may add: each of ours has three, and may stand for one."""
_WINDOW = 1 << 16
_decoder_of = getincrementaldecoder("utf-8")

_PAIR = rb"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"
_HALF = rb"\\u[dD][89a-fA-F][0-9a-fA-F]{2}"
_ESCAPE = rb'\\(?:["\\/bfnrt]|u(?![dD][89a-fA-F])[0-9a-fA-F]{4})'
_INSIDE = rb'(?:[^"\\\x00-\x1f]++|%b|%b)*+' % (_PAIR, _ESCAPE)
_ODD = rb"-?\b(?:NaN|Infinity)\b|\xef\xbb\xbf|[\x00-\x08\x0b\x0c\x0e-\x1f]"
_right_inside = re.compile(_INSIDE).match
"""What of a string is as it should be."""
_right_outside = re.compile(
    rb'(?:[^"\x00-\x08\x0b\x0c\x0e-\x1f\xefNI-]++|"%b"|(?!%b)[\xefNI-])*+' % (_INSIDE, _ODD)
).match
"""What around strings is, whole strings that are so included: however long a text, it is one step to its next fault."""
_odd_inside = re.compile(rb"%b|\\|[\x00-\x1f]" % _HALF).match
_odd_outside = re.compile(_ODD).match
"""Numbers that JSON does not have, and what is no white space of JSON's."""


def is_utf8(raw: bytes) -> bool:
    """Tell whether some bytes are UTF-8, without making a text of them that has four bytes for each of theirs."""
    if raw.isascii():
        return True
    try:
        for _ in _decoded(raw, "strict"):
            pass
    except UnicodeDecodeError:
        return False
    return True


def is_strict(raw: bytes) -> bool:
    """Tell whether some bytes are one JSON value in UTF-8."""
    if not is_utf8(raw):  # msgspec does not check the text that it passes over
        return False
    try:
        msgspec.json.decode(raw, type=msgspec.Raw)
    except (msgspec.MsgspecError, RecursionError):
        return False
    return True


def repaired(raw: bytes) -> bytes | None:
    """Return strict JSON with U+FFFD for what cannot be read, and `null` for NaN and Infinity.

    None where it is no JSON even so: cut off, say; or where it would be far longer than it was.
    """
    most = len(raw) + _MOST_GROWTH
    text = _joined((piece.encode() for piece in _decoded(raw, "replace")), most) if not is_utf8(raw) else raw
    mended = text and _joined(_mended(text), most)
    return mended if mended and is_strict(mended) else None


def _decoded(raw: bytes, errors: str) -> Iterator[str]:
    decoder = _decoder_of(errors)
    for begin in range(0, len(raw), _WINDOW):
        yield decoder.decode(raw[begin : begin + _WINDOW])
    yield decoder.decode(b"", final=True)


def _joined(pieces: Iterator[bytes], most: int) -> bytes | None:
    whole = bytearray()
    for piece in pieces:
        whole += piece
        if len(whole) > most:
            return None
    return bytes(whole)


def _mended(text: bytes) -> Iterator[bytes]:
    """Yield a text with what is odd in it replaced."""
    place = kept = 0
    is_inside = False
    while right := (_right_inside if is_inside else _right_outside)(text, place):
        place = right.end()
        if place == len(text):
            break
        odd = (_odd_inside if is_inside else _odd_outside)(text, place)
        if odd is None:  # a string that holds something odd begins or ends
            is_inside = not is_inside
            place += 1
            continue
        yield text[kept:place]
        yield REPLACEMENT if is_inside else b"null" if odd[0].endswith((b"NaN", b"Infinity")) else b" "
        place = kept = odd.end()
    yield text[kept:]
