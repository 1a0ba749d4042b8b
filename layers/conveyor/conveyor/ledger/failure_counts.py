"""Why requests failed: counts by error type, with some error texts. All numbers and lengths are bounded."""

import re
from collections.abc import Mapping

import msgspec

MOST_TYPES = 50
MOST_WORDS = 10
"""Different texts kept of one type: the first ones."""
LONGEST_WORDS = 200
"""Characters kept of a text."""
MOST_EXAMPLES = 3
"""Failures kept of one text: the first, one from the middle, and the last."""
LONGEST_ID = 200
"""Characters kept of the id of an example."""
OTHER = "other"
"""The type of errors whose type is not a name, and of all beyond the first 50 types."""

_TYPE = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,59}")
_NUMBER = re.compile(r"\d+")


class Example(msgspec.Struct, frozen=True):
    """A failure, to show what others of its kind look like."""

    line: int | None
    """Of the drop; null if it is not known."""
    custom_id: str
    """Cut to `LONGEST_ID` characters."""
    words: str
    """The provider's text, cut to `LONGEST_WORDS` characters; it may quote the request."""


class ErrorKind(msgspec.Struct):
    """Failures with one type of error."""

    failures: int = 0
    words: dict[str, int] = {}
    """Texts of these errors and how often they came, with numbers replaced; they may quote a request."""
    examples: dict[str, list[Example]] = {}
    """By text, as in `words`: up to `MOST_EXAMPLES` failures, in the order of the drop."""


def type_name(kind: str) -> str:
    """Return the type of an error as facts name it: a provider could quote a request in one that is no name."""
    return kind if _TYPE.fullmatch(kind) else OTHER


def count_error(kinds: dict[str, ErrorKind], kind: str, message: str) -> None:
    """Count one failure's error."""
    counted = _kind(kinds, type_name(kind))
    counted.failures += 1
    text = " ".join(_NUMBER.sub("#", message[: 2 * LONGEST_WORDS]).split())[:LONGEST_WORDS]
    _count_words(counted, text, 1)


def add_errors(kinds: dict[str, ErrorKind], more: Mapping[str, ErrorKind]) -> None:
    """Add the counts of another batch."""
    for name, kind in more.items():
        counted = _kind(kinds, name)
        counted.failures += kind.failures
        for text, times in kind.words.items():
            _count_words(counted, text, times)


def take_errors(kinds: dict[str, ErrorKind], fewer: Mapping[str, ErrorKind]) -> None:
    """Take counts off that are among them: under the type, or under `OTHER` if the type was not counted any more.

    The texts of a type without any error left are taken off, too.
    """
    for name, kind in fewer.items():
        left = kind.failures
        for each in (name, OTHER):
            counted = kinds.get(each, ErrorKind())
            taken = min(left, counted.failures)
            counted.failures -= taken
            left -= taken
            if not counted.failures:
                kinds.pop(each, None)


def without_words(kinds: Mapping[str, ErrorKind]) -> dict[str, ErrorKind]:
    """Return the counts only: texts may quote a request, and do not belong into facts."""
    return {name: ErrorKind(kind.failures) for name, kind in kinds.items()}


def encode_words(kinds: Mapping[str, ErrorKind]) -> bytes:
    """Return the texts, as they are kept apart from the counts."""
    return msgspec.json.encode({name: kind.words for name, kind in kinds.items()})


def with_words(kinds: Mapping[str, ErrorKind], words: bytes) -> dict[str, ErrorKind]:
    """Return counts with the texts that were kept apart from them."""
    texts = msgspec.json.decode(words, type=dict[str, dict[str, int]])
    return {name: ErrorKind(kind.failures, texts.get(name, {})) for name, kind in kinds.items()}


def by_count(kinds: Mapping[str, ErrorKind]) -> dict[str, ErrorKind]:
    """Return the types and their texts, the most frequent first."""
    first = sorted(kinds.items(), key=lambda item: (-item[1].failures, item[0]))
    return {name: ErrorKind(kind.failures, _most_frequent(kind.words)) for name, kind in first}


def _most_frequent(words: Mapping[str, int]) -> dict[str, int]:
    return dict(sorted(words.items(), key=lambda item: (-item[1], item[0])))


def _kind(kinds: dict[str, ErrorKind], name: str) -> ErrorKind:
    if name not in kinds and len(kinds) >= MOST_TYPES:
        name = OTHER
    return kinds.setdefault(name, ErrorKind())


def _count_words(kind: ErrorKind, text: str, times: int) -> None:
    if text and (text in kind.words or len(kind.words) < MOST_WORDS):
        kind.words[text] = kind.words.get(text, 0) + times
