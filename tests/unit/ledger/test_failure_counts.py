"""Counting the causes of failures, whatever a provider writes."""

from collections.abc import Iterable
from random import Random

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from conveyor.ledger.failure_counts import (
    LONGEST_ID,
    LONGEST_WORDS,
    MOST_EXAMPLES,
    MOST_TYPES,
    MOST_WORDS,
    OTHER,
    ErrorKind,
    Example,
    Texts,
    add_errors,
    add_texts,
    by_count,
    count_error,
    decode_words,
    encode_words,
    without_words,
)

ERRORS = st.lists(st.tuples(st.text(max_size=70) | st.sampled_from(["api_error", "expired"]), st.text(max_size=500)))


def counted(errors: Iterable[tuple[str, str]], before: int = 0) -> dict[str, ErrorKind]:
    """Count errors, given as type and text, of lines that follow each other."""
    kinds: dict[str, ErrorKind] = {}
    for line, (kind, message) in enumerate(errors, before + 1):
        count_error(kinds, kind, message, line, f"r-{line}")
    return kinds


@given(ERRORS, ERRORS)
def test_counts_add_up_and_are_bounded_whatever_is_counted(
    first: list[tuple[str, str]], second: list[tuple[str, str]]
) -> None:
    """Counts of several batches are added, too."""
    total = counted(first)
    add_errors(total, counted(second, len(first)))
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
        assert kind.examples.keys() == kind.words.keys()
        for text, examples in kind.examples.items():
            assert len(examples) == min(MOST_EXAMPLES, kind.words[text])
            assert all(len(each.words) <= LONGEST_WORDS for each in examples)
    assert msgspec.json.decode(msgspec.json.encode(kinds), type=dict[str, ErrorKind]) == kinds


def test_texts_that_differ_by_numbers_are_one() -> None:
    """The position in a request, or an id, does not make another cause."""
    kinds = counted(("invalid_request_error", f"messages.{n}.content: too long\n({n * 7} tokens)") for n in range(30))
    (kind,) = kinds.values()
    assert (kind.failures, kind.words) == (30, {"messages.#.content: too long (# tokens)": 30})
    first, between, last = kind.examples["messages.#.content: too long (# tokens)"]
    assert first == Example(1, "r-1", "messages.0.content: too long (0 tokens)")
    assert last == Example(30, "r-30", "messages.29.content: too long (203 tokens)")
    assert (
        between.words == f"messages.{(between.line or 0) - 1}.content: too long ({(between.line or 0) * 7 - 7} tokens)"
    )


def test_types_beyond_the_fiftieth_and_those_that_are_no_names_are_other() -> None:
    """A provider may write anything as a type."""
    kinds = counted([*((f"type_{n}", "") for n in range(MOST_TYPES + 5)), ("my prompt: hello", "x"), ("", "x")])
    assert len(kinds) == MOST_TYPES + 1
    assert kinds[OTHER].failures == 7


@given(st.sets(st.integers(1, 10**9), min_size=1, max_size=40), st.integers(1, 5), st.randoms())
def test_examples_are_the_same_in_whatever_order_and_batches_failures_come(
    lines: set[int], batches: int, random: Random
) -> None:
    """Results come in any order, and how a drop is cut into batches says nothing about its failures."""
    shuffled = sorted(lines)
    random.shuffle(shuffled)
    total: dict[str, ErrorKind] = {}
    for number in range(batches):
        kinds: dict[str, ErrorKind] = {}
        for line in shuffled[number::batches]:
            count_error(kinds, "api_error", "Busy", line, f"r-{line}")
        add_errors(total, kinds)
    whole: dict[str, ErrorKind] = {}
    for line in sorted(lines):
        count_error(whole, "api_error", "Busy", line, f"r-{line}")
    assert total == whole
    examples = [each.line or 0 for each in whole["api_error"].examples["Busy"]]
    assert (examples[0], examples[-1]) == (min(lines), max(lines))
    assert len(examples) == min(MOST_EXAMPLES, len(lines))
    assert examples == sorted(set(examples) & lines)


def test_the_example_between_is_not_always_near_an_end() -> None:
    """It shows whether failures are all of one kind: of many texts, it lies in each third of the failures for some."""
    thirds = set[int]()
    for step in range(1, 40):
        kinds: dict[str, ErrorKind] = {}
        for line in range(step, 1_000 * step, step):
            count_error(kinds, "api_error", "Busy", line)
        _, between, _ = kinds["api_error"].examples["Busy"]
        thirds.add((between.line or 0) * 3 // (1_000 * step))
    assert thirds == {0, 1, 2}


def test_examples_have_ids_and_numbers_cut_to_their_length() -> None:
    """A receipt cannot grow with either."""
    kinds: dict[str, ErrorKind] = {}
    count_error(kinds, "api_error", "12 " * 500, 1, "i" * 500)
    ((example,),) = kinds["api_error"].examples.values()
    assert (len(example.custom_id), len(example.words)) == (LONGEST_ID, LONGEST_WORDS)
    assert example.words.startswith("12 12")


def test_failures_of_unknown_lines_have_one_example() -> None:
    """There is nothing to tell them apart by."""
    kinds: dict[str, ErrorKind] = {}
    for line in (None, 7, None, 9):
        count_error(kinds, "missing", "not there", line)
    assert [each.line for each in kinds["missing"].examples["not there"]] == [7, 9, None]


def test_texts_kept_apart_from_counts_are_read_also_as_an_earlier_version_wrote_them() -> None:
    """That version had no examples; its texts may be named like fields of ours."""
    texts = Texts(counted([("api_error", "Busy")]), counted([("expired", "late")]))
    assert decode_words(encode_words(texts)) == texts
    before: list[dict[str, dict[str, int]]] = [
        {"api_error": {"Busy": 2}},
        {"final": {}},
        {"final": {"failures": 1}, "again": {"Busy": 3}},
    ]
    for old in before:
        assert decode_words(msgspec.json.encode(old)) == Texts(
            {name: ErrorKind(sum(words.values()), words) for name, words in old.items()}, {}
        )


def test_counts_get_the_texts_of_their_failures_and_no_type_more_texts_than_failures() -> None:
    """A type that is not counted any more gives its texts to `OTHER`, if there is one."""
    kinds = without_words(counted([("api_error", "Busy")] * 4))
    add_texts(kinds, {"api_error": ErrorKind(9, {"Busy": 6, "Slow": 3}), "expired": ErrorKind(1, {"late": 1})})
    assert by_count(kinds) == {"api_error": ErrorKind(4, {"Busy": 4})}
    kinds[OTHER] = ErrorKind(2)
    add_texts(kinds, {"expired": ErrorKind(1, {"late": 1})})
    assert by_count(kinds)[OTHER] == ErrorKind(2, {"late": 1})
