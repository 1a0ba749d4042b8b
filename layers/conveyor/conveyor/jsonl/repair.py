"""Text that is nearly JSON: what a strict reader refuses of it is replaced, and nothing else is changed.

A provider's line may hold half of a surrogate pair, a control character as it is, bytes that are not UTF-8, or a number
that JSON does not have. The answer around it was paid for.

Faults are replaced a window at a time, those within strings all at once and those between them all at once: a line of
50 MB may hold as many faults as it has bytes.
"""

import re
from codecs import getincrementaldecoder
from collections.abc import Callable, Iterator

import msgspec

REPLACEMENT = "\N{REPLACEMENT CHARACTER}".encode()
_MOST_GROWTH = 16_000_000
"""Bytes that a repair may add: each of ours has three, and may stand for one."""
_WINDOW = 1 << 16
_decoder_of = getincrementaldecoder("utf-8")

_BACKSLASH, _QUOTE, _FAULT = b"\xff", b"\xfe", b"\xfd"
r"""What stands for `\\`, `\"` and what is to be replaced, while a window is worked on: no UTF-8 has these bytes."""
_HIGH, _LOW = rb"\\u[dD][89abAB][0-9a-fA-F]{2}", rb"\\u[dD][c-fC-F][0-9a-fA-F]{2}"
_odd_escapes = re.compile(
    rb'%b(?!%b)|%b(?<!%b%b)|\\(?!["/bfnrt]|u[0-9a-fA-F]{4})' % (_HIGH, _LOW, _LOW, _HIGH, _LOW)
).sub
"""Half a pair, and a backslash that escapes nothing."""
_odd_numbers = re.compile(rb"-?\b(?:NaN|Infinity)\b").sub
_controls = bytes(range(0x20))
_controls_outside = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f]+|\xef\xbb\xbf").sub
"""What is no white space of JSON's."""
_FAULTS_INSIDE = bytes.maketrans(_controls, _FAULT * len(_controls))
_unfinished = re.compile(
    rb"(?:(?:%b)?\\(?:u[0-9a-fA-F]{0,4})?|(?<!\\)(?:-?[NaInfity]{1,8}|-)|\xef\xbb?)\Z" % _HIGH
).search
"""What more may belong to at the end of a window."""
_LONGEST_UNFINISHED = 12


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
    is_inside = False
    for window in _windows(text):
        parts = window.split(b'"')
        parts[is_inside::2] = _all_at_once(parts[is_inside::2], _mended_outside)
        parts[not is_inside :: 2] = _all_at_once(parts[not is_inside :: 2], _mended_inside)
        is_inside ^= len(parts) % 2 == 0
        yield b'"'.join(parts).replace(_QUOTE, b'\\"').replace(_BACKSLASH, rb"\\")


def _windows(text: bytes) -> Iterator[bytes]:
    """Yield a text in pieces between which nothing is cut in two; what escapes a backslash or a quote is one byte."""
    left = b""
    for begin in range(0, len(text), _WINDOW):
        window = left + text[begin : begin + _WINDOW]
        window = window.replace(rb"\\", _BACKSLASH).replace(b'\\"', _QUOTE)
        cut = _unfinished(window, max(0, len(window) - _LONGEST_UNFINISHED))
        end = cut.start() if cut else len(window)
        yield window[:end]
        left = window[end:]
    yield left


def _all_at_once(parts: list[bytes], mend: Callable[[bytes], bytes]) -> list[bytes]:
    return mend(b'"'.join(parts)).split(b'"') if parts else parts


def _mended_outside(text: bytes) -> bytes:
    return _odd_numbers(b"null", _controls_outside(b" ", text))


def _mended_inside(text: bytes) -> bytes:
    return _odd_escapes(_FAULT, text).translate(_FAULTS_INSIDE).replace(_FAULT, REPLACEMENT)
