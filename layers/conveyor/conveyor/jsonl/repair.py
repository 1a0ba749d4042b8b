"""Repair text that is nearly JSON: replace what a strict parser refuses, and change nothing else.

A provider's line may contain half of a surrogate pair, a control character, bytes that are not UTF-8, or NaN. The
answer around it was paid for.

The text is repaired in windows: everything within strings at once, and everything between them at once, because a line
of 50 MB may have as many faults as bytes.
"""

import re
from codecs import getincrementaldecoder
from collections.abc import Callable, Iterator

import msgspec

REPLACEMENT = "\N{REPLACEMENT CHARACTER}".encode()
_MOST_GROWTH = 16_000_000
"""Bytes that a repair may add: a replacement character has three, and may replace one."""
_WINDOW = 1 << 16
_decoder_of = getincrementaldecoder("utf-8")

_BACKSLASH, _QUOTE, _FAULT = b"\xff", b"\xfe", b"\xfd"
r"""Temporary bytes for `\\`, `\"` and what is to be replaced, within a window. UTF-8 never contains these bytes."""
_HIGH, _LOW = rb"\\u[dD][89abAB][0-9a-fA-F]{2}", rb"\\u[dD][c-fC-F][0-9a-fA-F]{2}"
_odd_escapes = re.compile(
    rb'%b(?!%b)|%b(?<!%b%b)|\\(?!["/bfnrt]|u[0-9a-fA-F]{4})' % (_HIGH, _LOW, _LOW, _HIGH, _LOW)
).sub
"""Half a pair, and a backslash that escapes nothing."""
_odd_numbers = re.compile(rb"-?\b(?:NaN|Infinity)\b").sub
_controls = bytes(range(0x20))
_controls_outside = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f]+|\xef\xbb\xbf").sub
"""Control characters and marks that are not JSON white space."""
_FAULTS_INSIDE = bytes.maketrans(_controls, _FAULT * len(_controls))
_unfinished = re.compile(
    rb"(?:(?:%b)?\\(?:u[0-9a-fA-F]{0,4})?|(?<!\\)(?:-?[NaInfity]{1,8}|-)|\xef\xbb?)\Z" % _HIGH
).search
"""The end of a window that may continue in the next one."""
_LONGEST_UNFINISHED = 12


def is_utf8(raw: bytes) -> bool:
    """Return whether bytes are UTF-8, without creating a string that takes four times their memory."""
    if raw.isascii():
        return True
    try:
        for _ in _decoded(raw, "strict"):
            pass
    except UnicodeDecodeError:
        return False
    return True


def is_strict(raw: bytes) -> bool:
    """Return whether bytes are one JSON value in UTF-8."""
    if not is_utf8(raw):  # msgspec does not check strings that it skips
        return False
    try:
        msgspec.json.decode(raw, type=msgspec.Raw)
    except (msgspec.MsgspecError, RecursionError):
        return False
    return True


def repaired(raw: bytes) -> bytes | None:
    """Return strict JSON with U+FFFD for what cannot be read, and `null` for NaN and Infinity.

    None if the result is still not JSON (truncated, for example), or would be much longer than the input.
    """
    most = len(raw) + _MOST_GROWTH
    text = _joined((piece.encode() for piece in _decoded(raw, "replace")), most) if not is_utf8(raw) else raw
    result = text and _joined(_repaired_windows(text), most)
    return result if result and is_strict(result) else None


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


def _repaired_windows(text: bytes) -> Iterator[bytes]:
    """Yield the text with its faults replaced."""
    is_inside = False
    for window in _windows(text):
        parts = window.split(b'"')
        parts[is_inside::2] = _apply_to_all(parts[is_inside::2], _repair_outside_strings)
        parts[not is_inside :: 2] = _apply_to_all(parts[not is_inside :: 2], _repair_in_strings)
        is_inside ^= len(parts) % 2 == 0
        yield b'"'.join(parts).replace(_QUOTE, b'\\"').replace(_BACKSLASH, rb"\\")


def _windows(text: bytes) -> Iterator[bytes]:
    """Yield the text in pieces that split no escape and no character; an escaped backslash or quote is one byte."""
    left = b""
    for begin in range(0, len(text), _WINDOW):
        window = left + text[begin : begin + _WINDOW]
        window = window.replace(rb"\\", _BACKSLASH).replace(b'\\"', _QUOTE)
        cut = _unfinished(window, max(0, len(window) - _LONGEST_UNFINISHED))
        end = cut.start() if cut else len(window)
        yield window[:end]
        left = window[end:]
    yield left


def _apply_to_all(parts: list[bytes], replace: Callable[[bytes], bytes]) -> list[bytes]:
    return replace(b'"'.join(parts)).split(b'"') if parts else parts


def _repair_outside_strings(text: bytes) -> bytes:
    return _odd_numbers(b"null", _controls_outside(b" ", text))


def _repair_in_strings(text: bytes) -> bytes:
    return _odd_escapes(_FAULT, text).translate(_FAULTS_INSIDE).replace(_FAULT, REPLACEMENT)
