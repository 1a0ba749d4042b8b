"""Why requests failed: counts by error type, with some error texts and examples. All numbers and lengths are bounded.

Three failures with one text are its examples: the first and the last in the order of the drop, and of all others the
one whose line has the least `_rank`, which looks like chance. So they are the same in whatever order failures come, and
however they are divided into batches.
"""

import re
from bisect import insort
from collections.abc import Mapping

import msgspec

MOST_TYPES = 50
MOST_WORDS = 10
"""Different texts kept of one type: the first ones."""
LONGEST_WORDS = 200
"""Characters kept of a text."""
MOST_EXAMPLES = 3
"""Failures kept of one text: the first, one between, and the last."""
LONGEST_ID = 200
"""Characters kept of the id of an example."""
OTHER = "other"
"""The type of errors whose type is not a name, and of all beyond the first 50 types."""

_TYPE = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,59}")
_NUMBER = re.compile(r"\d+")
_NO_LINE = 1 << 64
"""Sorts an example whose line is not known after all others."""
_GOLDEN, _RANKS = 0x9E3779B97F4A7C15, (1 << 64) - 1
"""The golden ratio in 64 bits: its multiples are spread evenly (Knuth, The Art of Computer Programming 3, 6.4)."""


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


def without_numbers(words: str) -> str:
    """Return a text as it is counted: with its numbers replaced."""
    return _NUMBER.sub("#", words)


def count_error(
    kinds: dict[str, ErrorKind], kind: str, message: str, line: int | None = None, custom_id: str = ""
) -> None:
    """Count one failure's error. `line`: of the drop."""
    counted = _kind(kinds, type_name(kind))
    counted.failures += 1
    words = " ".join(message[: 2 * LONGEST_WORDS].split())
    text = without_numbers(words)[:LONGEST_WORDS]
    if _count_words(counted, text, 1):
        examples = counted.examples.setdefault(text, [])
        if _is_example(examples, line):
            _keep(examples, Example(line, custom_id[:LONGEST_ID], words[:LONGEST_WORDS]))


def add_errors(kinds: dict[str, ErrorKind], more: Mapping[str, ErrorKind]) -> None:
    """Add the counts of another batch, with texts and examples."""
    for name, kind in more.items():
        counted = _kind(kinds, name)
        counted.failures += kind.failures
        _add_texts(counted, kind)


def add_texts(kinds: Mapping[str, ErrorKind], more: Mapping[str, ErrorKind]) -> None:
    """Add texts and examples to counts that these failures are in already: under their type, or under `OTHER`."""
    for name, kind in more.items():
        if counted := kinds.get(name) or kinds.get(OTHER):
            _add_texts(counted, kind)


def take_errors(kinds: dict[str, ErrorKind], fewer: Mapping[str, ErrorKind]) -> None:
    """Take counts off that are among them: under the type, or under `OTHER` if the type was not counted any more."""
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


class Texts(msgspec.Struct, frozen=True):
    """The texts and examples of a batch's failures, as they are kept apart from the counts."""

    final: dict[str, ErrorKind]
    again: dict[str, ErrorKind]
    """Of failures that a round sends again: once it has, they do not count."""


NO_TEXTS = Texts({}, {})


def encode_words(texts: Texts) -> bytes:
    """Return texts as they are stored."""
    return msgspec.json.encode(texts)


def decode_words(data: bytes) -> Texts:
    """Return texts that were stored. Those of earlier versions have no examples, and are not told apart."""
    try:
        return msgspec.json.decode(data, type=Texts)
    except msgspec.ValidationError:
        words = msgspec.json.decode(data, type=dict[str, dict[str, int]])
        return Texts({name: ErrorKind(sum(counts.values()), counts) for name, counts in words.items()}, {})


def by_count(kinds: Mapping[str, ErrorKind]) -> dict[str, ErrorKind]:
    """Return the types and their texts, the most frequent first. No type has more texts than failures."""
    first = sorted(kinds.items(), key=lambda item: (-item[1].failures, item[0]))
    return {name: _most_frequent(kind) for name, kind in first}


def _most_frequent(kind: ErrorKind) -> ErrorKind:
    left, words = kind.failures, dict[str, int]()
    for text, times in sorted(kind.words.items(), key=lambda item: (-item[1], item[0])):
        if left:
            words[text] = min(times, left)
            left -= words[text]
    return ErrorKind(kind.failures, words, {text: kind.examples[text] for text in words if text in kind.examples})


def _kind(kinds: dict[str, ErrorKind], name: str) -> ErrorKind:
    if name not in kinds and len(kinds) >= MOST_TYPES:
        name = OTHER
    return kinds.setdefault(name, ErrorKind())


def _add_texts(counted: ErrorKind, kind: ErrorKind) -> None:
    for text, times in kind.words.items():
        if _count_words(counted, text, times):
            for example in kind.examples.get(text, ()):
                examples = counted.examples.setdefault(text, [])
                if _is_example(examples, example.line):
                    _keep(examples, example)


def _count_words(kind: ErrorKind, text: str, times: int) -> bool:
    """Count a text, and return whether it is one that is kept."""
    if not text or (text not in kind.words and len(kind.words) >= MOST_WORDS):
        return False
    kind.words[text] = kind.words.get(text, 0) + times
    return True


def _is_example(examples: list[Example], line: int | None) -> bool:
    """Return whether the failure of a line is to be kept. Those whose lines are not known count as one."""
    if len(examples) < MOST_EXAMPLES:
        return all(each.line != line for each in examples)
    first, between, last = map(_order, examples)
    order = _NO_LINE if line is None else line
    if first < order < last:
        return _rank(order) < _rank(between)
    return order not in {first, last}


def _keep(examples: list[Example], example: Example) -> None:
    insort(examples, example, key=_order)
    if len(examples) > MOST_EXAMPLES:
        _, one, other, _ = map(_order, examples)
        del examples[2 if _rank(one) < _rank(other) else 1]


def _order(example: Example) -> int:
    return _NO_LINE if example.line is None else example.line


def _rank(line: int) -> int:
    return line * _GOLDEN & _RANKS
