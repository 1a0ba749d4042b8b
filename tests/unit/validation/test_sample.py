"""A sample of a drop stands for all of it, and follows from the run alone."""

from collections import Counter
from collections.abc import Callable
from functools import partial
from itertools import batched

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conveyor.domain.dialect import Dialect
from conveyor.jsonl.lines import read_lines
from conveyor.money.estimate import MOST_MODELS
from conveyor.validation.checker import check_drop
from conveyor.validation.params import Rules
from conveyor.validation.rules import Request, read_request
from conveyor.validation.sample import MOST_BYTES, Place, Sample
from tests.support.drops import DIALECTS, RUN, line, settings

MEGABYTE = 1_000_000


def place(number: int, model: str = "m", size: int = 100) -> Place:
    """Return the place of a line, counted from 0, of a drop whose lines all have one size."""
    return Place(number + 1, number * size, (number + 1) * size - 1, model)


def sample_of(places: list[Place], run: str = RUN, blocks: list[int] | None = None) -> list[Place]:
    """Return the sample of a drop that is added in blocks of some lengths, and then one by one."""
    sample, begin = Sample(run), 0
    for count in [*(blocks or []), *(1 for _ in places)]:
        block = places[begin : begin + count]
        sample.add(len(block), {each.model for each in block}, block.__getitem__)
        begin += count
    return sample.choose()


def spread(count: int, run: str = RUN) -> list[int]:
    """Return the lines of a sample of a drop with one model."""
    return [each.line for each in sample_of([place(number) for number in range(count)], run, [97] * (count // 97))]


models = st.sampled_from(["m", "m", "m", "n", "o", "p" * 300])


@given(st.lists(models, max_size=30), st.integers(1, 90), st.lists(st.integers(0, 150)))
def test_the_same_lines_are_chosen_however_a_drop_is_read(models: list[str], times: int, blocks: list[int]) -> None:
    """A validation that is repeated must write the same plan: another sample would be paid for again."""
    places = [place(number, model) for number, model in enumerate(models * times)]
    assert sample_of(places, blocks=blocks) == sample_of(places)


KINDS: dict[str, Callable[[str], bytes]] = {
    "plain": line,
    "other": partial(line, model="n"),
    "defaulted": partial(line, max_tokens=None),
    "spaced": lambda custom_id: b"\t" + line(custom_id).replace(b'"m",', b'"m",\r\r'),
    "unknown": partial(line, unknown={"a": 1}),
    "null": lambda custom_id: line(custom_id).replace(b'"model"', b'"top_k":null,"model"'),
    "blank": lambda _: b" \r",
    "nonsense": lambda _: b"nonsense",
    "repeated": lambda _: line("r"),
}
"""Writes a line of a kind with an id."""
pieces = st.tuples(st.integers(1, 150), st.sampled_from(list(KINDS)))


def drop_of(pieces: list[tuple[int, str]]) -> bytes:
    """Write lines of some kinds. Several kinds end the fast path, for the block or for their line."""
    lines: list[bytes] = []
    for count, kind in pieces:
        lines += [KINDS[kind](f"r-{number}") for number in range(len(lines), len(lines) + count)]
    return b"\n".join(lines) + b"\n"


@pytest.mark.slow
@given(
    st.lists(pieces, max_size=12),
    st.integers(50, 5000),
    st.integers(2, 400),
    st.sampled_from(list(DIALECTS.values())),
)
def test_both_ways_of_checking_choose_the_same_lines(
    pieces: list[tuple[int, str]], chunk: int, per_batch: int, dialect: Dialect
) -> None:
    """Lines are chosen from those that are planned, with their places and models as a check line by line has them."""
    data, drop_settings = drop_of(pieces), settings(max_requests_per_batch=per_batch)
    chunks = [data[begin : begin + chunk] for begin in range(0, len(data), chunk)]
    checker = check_drop(RUN, drop_settings, dialect, lambda: chunks)
    ids: set[str] = set()
    places = []
    for each in read_lines([data]):
        request = read_request(each, Rules(dialect, drop_settings.default_max_tokens))
        if isinstance(request, Request) and str(request.custom_id) not in ids:
            ids.add(str(request.custom_id))
            places.append(Place(each.number, each.start, each.end, request.model))
    if not checker.alternates:
        assert checker.sample() == sample_of(places)


@pytest.mark.parametrize(
    ("requests", "lines"),
    [(1, 1), (49, 49), (50, 50), (51, 50), (399, 50), (400, 50), (1000, 50), (2000, 100), (4000, 200), (50_000, 200)],
)
def test_a_sample_has_a_twentieth_of_a_drop_within_limits(requests: int, lines: int) -> None:
    """It is large enough to say something about a small drop, and cheap for a large one."""
    assert len(spread(requests)) == lines


@pytest.mark.parametrize("requests", [70, 399, 400, 401, 799, 1000, 3333, 12_801, 50_000])
def test_every_part_of_a_drop_is_in_its_sample(requests: int) -> None:
    """Drops are often sorted: their beginning does not stand for their end."""
    lines = spread(requests)
    share = len(lines) / 10
    tenths = Counter((line - 1) * 10 // requests for line in lines)
    assert all(share / 2 - 1 <= tenths[tenth] <= share * 2 + 1 for tenth in range(10))


def test_every_line_can_be_chosen_and_another_run_has_other_lines() -> None:
    """A sample that is the same for all runs could miss the same lines each time, such as every second one."""
    runs = [spread(900, f"{RUN}{number}") for number in range(300)]
    chosen = Counter(line for lines in runs for line in lines)
    assert len(chosen) > 890
    assert max(chosen.values()) < 50  # 17 on average
    assert 0.4 < sum(line % 2 for line in chosen.elements()) / chosen.total() < 0.6


def test_few_lines_of_a_drop_are_looked_at() -> None:
    """Checking is not slower, however large a drop is."""
    looked = 0

    def look(number: int) -> Place:
        nonlocal looked
        looked += 1
        return place(number)

    sample = Sample(RUN)
    for begin in range(0, 1_000_000, 500):
        sample.add(500, {"m"}, lambda number, begin=begin: look(begin + number))  # type: ignore[misc]  # a default
    assert looked < 5000


def test_each_model_has_three_lines_if_the_drop_has_them() -> None:
    """A setting that one model refuses is found, also if few lines name the model."""
    names = ["m"] * 9000
    names[4000] = "once"
    names[100:103], names[8000:8002] = ["five"] * 3, ["five"] * 2
    counts = Counter(each.model for each in sample_of([place(number, name) for number, name in enumerate(names)]))
    assert (counts["once"], counts["m"]) == (1, 200)
    assert 3 <= counts["five"] <= 5


def test_models_that_the_estimate_does_not_keep_apart_have_no_name() -> None:
    """Whoever judges the probe by model finds the models of the estimate."""
    lines = [line(f"r-{number}", model=f"m-{number}") for number in range(MOST_MODELS + 20)]
    lines.append(line("long", model="x" * 300))
    checker = check_drop(RUN, settings(), DIALECTS["messages"], lambda: [b"\n".join(lines)])
    sample = checker.sample()
    assert {each.model for each in sample if each.line <= MOST_MODELS} == set(checker.models)
    assert {each.model for each in sample if each.line > MOST_MODELS} == {""}


def sized(sizes: list[tuple[str, int]]) -> list[Place]:
    """Return the sample of a drop with lines of some models and sizes."""
    ends = [0]
    places = []
    for number, (model, size) in enumerate(sizes, 1):
        places.append(Place(number, ends[-1], ends[-1] + size - 1, model))
        ends.append(ends[-1] + size)
    return sample_of(places)


@given(st.lists(st.tuples(st.sampled_from(["m", "n"]), st.integers(100, 12 * MEGABYTE)), min_size=1, max_size=200))
def test_a_sample_has_at_most_ten_megabytes(sizes: list[tuple[str, int]]) -> None:
    """Each model has a line as far as one fits."""
    sample = sized(sizes)
    assert sum(each.size for each in sample) <= MOST_BYTES
    assert bool(sample) == (min(size for _, size in sample_sizes(sizes)) <= MOST_BYTES)


def sample_sizes(sizes: list[tuple[str, int]]) -> list[tuple[str, int]]:
    """Return what a sample without a limit of bytes would have."""
    return [sizes[each.line - 1] for each in sample_of([place(n, model) for n, (model, _) in enumerate(sizes)])]


def test_one_large_line_does_not_keep_the_others_out() -> None:
    """Only that line is left out."""
    sizes = [("m", 1000)] * 20 + [("m", 11 * MEGABYTE)] + [("m", 1000)] * 20 + [("n", 5000)]
    assert [each.line for each in sized(sizes)] == [*range(1, 21), *range(22, 43)]


def test_lines_that_are_large_alike_are_taken_from_everywhere() -> None:
    """Ten lines of a megabyte fit; they are not the first ten."""
    lines = [each.line for each in sized([("m", MEGABYTE)] * 50)]
    assert len(lines) == 10
    assert [any(line in part for line in lines) for part in batched(range(1, 51), 25, strict=True)] == [True, True]


def test_a_drop_whose_lines_are_all_too_large_has_no_sample() -> None:
    """One line of it would cost as much as a small drop."""
    assert sized([("m", 11 * MEGABYTE)] * 3) == []
