"""Counting the causes of failures, whatever a provider writes."""

from collections.abc import Iterable

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from conveyor.ledger.failure_counts import (
    LONGEST_WORDS,
    MOST_TYPES,
    MOST_WORDS,
    OTHER,
    ErrorKind,
    add_errors,
    by_count,
    count_error,
)

ERRORS = st.lists(st.tuples(st.text(max_size=70) | st.sampled_from(["api_error", "expired"]), st.text(max_size=500)))


def counted(errors: Iterable[tuple[str, str]]) -> dict[str, ErrorKind]:
    """Count errors, given as type and text."""
    kinds: dict[str, ErrorKind] = {}
    for kind, message in errors:
        count_error(kinds, kind, message)
    return kinds


@given(ERRORS, ERRORS)
def test_counts_add_up_and_are_bounded_whatever_is_counted(
    first: list[tuple[str, str]], second: list[tuple[str, str]]
) -> None:
    """Counts of several batches are added, too."""
    total = counted(first)
    add_errors(total, counted(second))
    kinds = by_count(total)
    assert sum(kind.failures for kind in kinds.values()) == len(first) + len(second)
    assert [kind.failures for kind in kinds.values()] == sorted(
        (kind.failures for kind in kinds.values()), reverse=True
    )
    for name, kind in kinds.items():
        assert name.isascii()
        assert name.isprintable()
        assert len(name) <= 60
        assert len(kind.words) <= MOST_WORDS
        assert all(len(text) <= LONGEST_WORDS for text in kind.words)
        assert sum(kind.words.values()) <= kind.failures
    assert msgspec.json.decode(msgspec.json.encode(kinds), type=dict[str, ErrorKind]) == kinds


def test_texts_that_differ_by_numbers_are_one() -> None:
    """The position in a request, or an id, does not make another cause."""
    kinds = counted(("invalid_request_error", f"messages.{n}.content: too long\n({n * 7} tokens)") for n in range(30))
    assert kinds == {"invalid_request_error": ErrorKind(30, {"messages.#.content: too long (# tokens)": 30})}


def test_types_beyond_the_fiftieth_and_those_that_are_no_names_are_other() -> None:
    """A provider may write anything as a type."""
    kinds = counted([*((f"type_{n}", "") for n in range(MOST_TYPES + 5)), ("my prompt: hello", "x"), ("", "x")])
    assert len(kinds) == MOST_TYPES + 1
    assert kinds[OTHER].failures == 7
