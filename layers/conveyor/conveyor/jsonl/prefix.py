"""Find where the first JSON value of some bytes ends, or whether it is truncated.

Creates no objects and does not check strings and numbers: the result says how a file is written, not if it is valid.
"""

import re
from enum import StrEnum
from typing import NamedTuple

_WHITE = re.compile(rb"[ \t\r\n]*+")
_TOKEN = re.compile(
    rb'(?P<string>"(?>[^"\\\x00-\x1f]++|\\.)*+")'
    rb"|(?P<atom>-?[0-9][0-9.eE+-]*+|true|false|null|NaN|-?Infinity)"
    rb"|(?P<sign>[{}\[\],:])",
    re.DOTALL,
)
_CUT_TOKEN = re.compile(
    rb'"(?>[^"\\\x00-\x1f]++|\\.)*+\\?|-?(?:t|tr|tru|f|fa|fal|fals|n|nu|nul|N|Na|I[nfity]{0,6})?', re.DOTALL
)
_OPENED = {b"}": b"{", b"]": b"["}


class State(StrEnum):
    """What is known about a value."""

    WHOLE = "whole"
    CUT = "cut"
    """It is JSON, but truncated."""
    BROKEN = "broken"


class Prefix(NamedTuple):
    """The first value of some bytes."""

    state: State
    end: int
    """Offset after the value, or after the last token that was read."""
    breaks: frozenset[bytes]
    """Which of line feed and carriage return occur between its tokens."""
    keys: dict[bytes, bytes]
    """The keys of an object (not of nested ones), as written, and the first byte of each value."""
    has_trailing_comma: bool
    """Whether a comma precedes a closing bracket, which few parsers accept."""


class _Grammar:
    """The state of the grammar: the open brackets, and which tokens may come next."""

    def __init__(self) -> None:
        self.stack: list[bytes] = []
        self.next = "value"
        """A "value"; an "item" or a "key", where a bracket may also close; ":" or ","."""
        self.keys: dict[bytes, bytes] = {}
        self.has_trailing_comma = False
        self._key = b""
        self._is_after_comma = False

    def take(self, kind: str, token: bytes) -> bool:
        """Take a token; False if it is not allowed here."""
        if self.next == "key" and kind == "string":
            self._key, self.next = token, ":"
            return True
        if kind == "sign" and token not in b"{[":
            return self._close(token) if token in b"}]" else self._separate(token)
        if self.next not in {"value", "item"}:
            return False
        if self.stack == [b"{"]:
            self.keys.setdefault(self._key, token[:1])
        if kind == "sign":
            self.stack.append(token)
            self._expect(token)
        else:
            self.next = ","
        self._is_after_comma = False
        return True

    def _expect(self, bracket: bytes) -> None:
        self.next = "key" if bracket == b"{" else "item"

    def _separate(self, token: bytes) -> bool:
        if self.next != token.decode():
            return False
        if token == b":":
            self.next = "value"
        else:
            self._expect(self.stack[-1])
            self._is_after_comma = True
        return True

    def _close(self, token: bytes) -> bool:
        if not self.stack or self.stack.pop() != _OPENED[token] or self.next not in {",", "key", "item"}:
            return False
        self.has_trailing_comma |= self.next != "," and self._is_after_comma
        self.next, self._is_after_comma = ",", False
        return True


def read_prefix(data: bytes, begin: int = 0) -> Prefix:
    """Read the first value of some bytes, which may be truncated."""
    grammar, breaks, place = _Grammar(), set[bytes](), begin
    state: State | None = None
    while state is None:
        gap = _WHITE.match(data, place)[0]  # type: ignore[index]  # matches everywhere
        place += len(gap)
        token = _TOKEN.match(data, place)
        if token is None:
            is_cut = place == len(data) or _CUT_TOKEN.fullmatch(data, place) is not None
            state = State.CUT if is_cut else State.BROKEN
        elif not grammar.take(token.lastgroup or "", token[0]):
            state = State.BROKEN
        else:
            if place > begin + len(gap):
                breaks.update(line_end for line_end in (b"\n", b"\r") if line_end in gap)
            place = token.end()
            state = None if grammar.stack else State.WHOLE
    return Prefix(state, place, frozenset(breaks), grammar.keys, has_trailing_comma=grammar.has_trailing_comma)
