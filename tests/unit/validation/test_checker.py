"""A drop is checked in few passes and little memory, with the result of a check that stores every id."""

import os
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from conveyor.domain.dialect import Dialect
from conveyor.settings.settings import Settings
from conveyor.validation.checker import HASH_OPTIONS, check_drop
from conveyor.validation.duplicate_ids import HashOptions
from tests.support.drops import DIALECTS, MESSAGES, RUN, Findings, line, plain_check, settings

MEGABYTE = 1_000_000
PROJECT = Path(__file__).parents[3]


def checked(
    data: bytes,
    drop_settings: Settings,
    most_faults: int,
    hash_options: HashOptions = HASH_OPTIONS,
    dialect: Dialect = MESSAGES,
) -> Findings:
    """Check a drop that is read in chunks of any size."""
    chunks = [data[place : place + 199] for place in range(0, len(data), 199)]
    checker = check_drop(RUN, drop_settings, dialect, lambda: chunks, hash_options, most_faults)
    batches = [replace(batch, at_most_usd=None) for batch in checker.batches]  # see test_batch_prices.py
    return Findings(batches, checker.faults, checker.lines, checker.requests, checker.alternates)


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
def test_two_passes_find_what_a_check_that_stores_every_id_finds(
    lines: list[bytes], tight: dict[str, int], most_faults: int, hash_options: HashOptions, dialect: Dialect
) -> None:
    """Faults and their order, skipped lines and plan are the same, even if hashes of ids collide.

    All dialects are tested: some allow one model in a batch, refuse tools, or accept other bodies than messages.
    """
    drop_settings = settings(**tight)
    data = b"\n".join(lines)
    assert checked(data, drop_settings, most_faults, hash_options, dialect) == plain_check(
        data, drop_settings, most_faults, dialect
    )


@pytest.mark.slow
def test_a_drop_without_duplicates_is_read_once() -> None:
    """A second pass costs as much as the first."""
    reads = passes(b"\n".join(line(f"r-{number}") for number in range(200_000)))
    assert reads == 1


@pytest.mark.parametrize("repeat", ["r-0", "r-1999"])
def test_a_drop_with_a_duplicate_is_read_twice(repeat: str) -> None:
    """The duplicate may be anywhere."""
    assert passes(b"\n".join(line(f"r-{number}") for number in range(2000)) + b"\n" + line(repeat)) == 2


def passes(data: bytes) -> int:
    """Return how often a drop is read."""
    reads = 0

    def read() -> Iterable[bytes]:
        nonlocal reads
        reads += 1
        return [data]

    check_drop(RUN, settings(), MESSAGES, read)
    return reads


def test_the_first_occurrence_of_an_id_wins() -> None:
    """Its line is named, and the second one is skipped."""
    checked_drop = checked(b"\n".join([line("a"), line("b"), line("a")]), settings(), 10)
    assert [(fault.line, fault.code, fault.message) for fault in checked_drop.faults] == [
        (3, "custom-id-duplicate", '"custom_id" is already used on line 1')
    ]
    assert (checked_drop.requests, [skipped.line for skipped in checked_drop.batches[0].skipped]) == (2, [3])


def test_a_drop_written_twice_into_one_file_is_reported_with_its_first_faults() -> None:
    """There are as many duplicates as lines; only those reported are stored."""
    once = b"".join(line(f"r-{number}") + b"\n" for number in range(300))
    checked_drop = checked(once + once, settings(), 100)
    assert [fault.line for fault in checked_drop.faults] == list(range(301, 402))


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
    """Return the peak memory in bytes of a process that checks so many requests of a size."""
    paths = os.pathsep.join(map(str, (PROJECT, PROJECT / "layers" / "conveyor")))
    command = [sys.executable, "-c", PEAK, str(count), str(size)]
    done = subprocess.run(command, env=os.environ | {"PYTHONPATH": paths}, capture_output=True, check=True)  # noqa: S603  # our own code
    return int(done.stdout)


@pytest.mark.slow
def test_memory_grows_by_at_most_sixteen_bytes_a_request() -> None:
    """Only hashes of ids are stored; any other growth would exhaust a function with a large drop."""
    assert peak(600_000, 1) - peak(100_000, 1) < 500_000 * 16


@pytest.mark.slow
def test_memory_does_not_grow_with_the_bytes_of_a_drop() -> None:
    """Memory for 100 MB is that for 20, except for a larger chunk."""
    assert peak(50_000, 2000) - peak(10_000, 2000) < 4 * MEGABYTE
