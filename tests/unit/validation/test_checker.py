"""A drop is checked in as few passes and as little memory as may be, with the result of one that remembers all."""

import os
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conveyor.domain.dialect import Dialect
from conveyor.settings.settings import Settings
from conveyor.validation.checker import HASH_OPTIONS, check_drop
from conveyor.validation.duplicate_ids import HashOptions
from tests.support.drops import DIALECTS, MESSAGES, RUN, Findings, line, plain_check, settings

MEGABYTE = 1_000_000
PROJECT = Path(__file__).parents[3]


def checked(
    data: bytes, own: Settings, most_faults: int, hash_options: HashOptions = HASH_OPTIONS, dialect: Dialect = MESSAGES
) -> Findings:
    """Check a drop that comes in chunks of no particular size."""
    chunks = [data[place : place + 199] for place in range(0, len(data), 199)]
    checker = check_drop(RUN, own, dialect, lambda: chunks, hash_options, most_faults)
    return Findings(checker.batches, checker.faults, checker.lines, checker.requests, checker.alternates)


ids = st.sampled_from(["a", "b", "c", "d", "é", "ab", "ba"]) | st.text(min_size=1, max_size=3)
lines = (
    st.builds(line, ids)
    | st.builds(line, ids, max_tokens=st.none() | st.integers(0, 20))
    | st.builds(line, ids, system=st.just("x" * 300))
    | st.builds(line, ids, model=st.sampled_from(["m", "n"]))
    | st.builds(line, ids, tools=st.sampled_from([[], [{"name": "t"}]]), top_k=st.none() | st.just(1))
    | st.builds(line, st.integers(-1, 12) | st.sampled_from(["1", "2", "-1"]))
    | st.builds(lambda name: line(name).replace(b'"model"', b'"stream":null,"model"'), ids)
    | st.builds(lambda name: line(name).replace(b'"params"', b'"body"'), ids)
    | st.just(b"nonsense")
    | st.just(b"")
)
tight = st.fixed_dictionaries(
    {},
    optional={
        "max_requests_per_drop": st.integers(1, 12),
        "max_requests_per_batch": st.integers(1, 4),
        "max_bytes_per_batch": st.integers(200, 500),
        "max_tokens_per_batch": st.integers(1, 30),
        "default_max_tokens": st.sampled_from([0, 9]),
    },
)
hash_options_strategy = st.builds(
    HashOptions,
    st.sampled_from([hash, len, lambda _: 0, lambda text: hash(text) % 3]),
    st.integers(1, 20),
    st.integers(1, 60),
)


@given(
    st.lists(lines, max_size=40),
    tight,
    st.integers(0, 6) | st.just(1000),
    hash_options_strategy,
    st.sampled_from(list(DIALECTS.values())),
)
def test_two_passes_find_what_one_that_remembers_every_id_finds(
    lines: list[bytes], tight: dict[str, int], most_faults: int, hash_options: HashOptions, dialect: Dialect
) -> None:
    """The same faults in the same order, the same lines left out, the same plan; also where other ids look alike.

    In each dialect: some hold one model a batch, refuse tools, or take what is no message.
    """
    own = settings(**tight)
    data = b"\n".join(lines)
    assert checked(data, own, most_faults, hash_options, dialect) == plain_check(data, own, most_faults, dialect)


@pytest.mark.slow
def test_a_drop_without_repeats_is_read_once() -> None:
    """A second pass costs as much as the first."""
    reads = passes(b"\n".join(line(f"r-{number}") for number in range(200_000)))
    assert reads == 1


@pytest.mark.parametrize("repeat", ["r-0", "r-1999"])
def test_a_drop_with_a_repeat_is_read_twice(repeat: str) -> None:
    """Wherever the repeat stands."""
    assert passes(b"\n".join(line(f"r-{number}") for number in range(2000)) + b"\n" + line(repeat)) == 2


def passes(data: bytes) -> int:
    """Count how often a drop is read."""
    reads = 0

    def read() -> Iterable[bytes]:
        nonlocal reads
        reads += 1
        return [data]

    check_drop(RUN, settings(), MESSAGES, read)
    return reads


def test_the_first_occurrence_of_an_id_wins() -> None:
    """The line it stands on is named, and the second one is left out."""
    found = checked(b"\n".join([line("a"), line("b"), line("a")]), settings(), 10)
    assert [(fault.line, fault.code, fault.message) for fault in found.faults] == [
        (3, "custom-id-duplicate", '"custom_id" is already used on line 1')
    ]
    assert (found.requests, [skipped.line for skipped in found.batches[0].skipped]) == (2, [3])


def test_a_drop_that_was_written_twice_into_one_file_is_told_by_its_first_faults() -> None:
    """As many repeats as lines: no more of them are remembered than are told."""
    once = b"".join(line(f"r-{number}") + b"\n" for number in range(300))
    found = checked(once + once, settings(), 100)
    assert [fault.line for fault in found.faults] == list(range(301, 402))


PEAK = """
import resource, sys
from conveyor.validation.checker import check_drop
from tests.support.drops import MESSAGES, RUN, line, settings

count, size = map(int, sys.argv[1:])
before, after = line("r-%d", system="x" * size).split(b"%d")

def chunks():
    for start in range(0, count, 1000):
        yield b"".join(b"%b%d%b\\n" % (before, number, after) for number in range(start, start + 1000))

check = check_drop(RUN, settings(max_requests_per_drop=10**7), MESSAGES, chunks)
assert (check.requests, check.faults) == (count, [])
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024)
"""


def peak(count: int, size: int) -> int:
    """Return the most bytes that a process takes which checks so many requests of a size."""
    paths = os.pathsep.join(map(str, (PROJECT, PROJECT / "layers" / "conveyor")))
    command = [sys.executable, "-c", PEAK, str(count), str(size)]
    told = subprocess.run(command, env=os.environ | {"PYTHONPATH": paths}, capture_output=True, check=True)  # noqa: S603  # our own words
    return int(told.stdout)


@pytest.mark.slow
def test_memory_grows_by_at_most_sixteen_bytes_a_request() -> None:
    """Only hashes of ids are kept; what else grows would end a large drop's function."""
    assert peak(600_000, 1) - peak(100_000, 1) < 500_000 * 16


@pytest.mark.slow
def test_memory_does_not_grow_with_the_bytes_of_a_drop() -> None:
    """As much is held of 100 MB as of 20, but for a chunk that is larger."""
    assert peak(50_000, 2000) - peak(10_000, 2000) < 4 * MEGABYTE
