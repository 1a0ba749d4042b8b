"""The keys of entries of the index."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conveyor.domain.keys import index_month, is_project_name
from conveyor.domain.status import STATUSES, Status
from conveyor.spend.index_entry import IndexEntry, StartEntry, entries_by_run, read_index_entry, read_start_entry

RUN = "20261130T235959Z-0123456789ab"
KEY = f"index/team-a/2026-11-30/{RUN}~completed~10-9-1~61.4"
START = f"index/team-a/2026-11-30/{RUN}~started~5000000~"
COUNTS = st.integers(0, 10**9)
COSTS = st.none() | st.decimals(0, 10**9, places=6)
PROJECTS = st.from_regex(r"\A[A-Za-z0-9][A-Za-z0-9._-]{0,63}\Z").filter(is_project_name)
ENTRIES = st.builds(
    lambda project, status, counts, cost: IndexEntry(project, RUN, status, *counts, *cost),
    PROJECTS,
    st.sampled_from([status.value for status in Status]),
    st.tuples(COUNTS, COUNTS, COUNTS),
    st.tuples(COSTS, st.booleans()).map(lambda cost: cost if cost[0] is not None else (None, False)),
)


@given(ENTRIES)
def test_what_is_written_is_what_is_read(entry: IndexEntry) -> None:
    """Whatever a run cost, and however it ended."""
    assert read_index_entry(entry.key) == entry
    assert entry.key.startswith(index_month(entry.project, "2026-11"))


@given(st.builds(StartEntry, PROJECTS, st.just(RUN), COUNTS))
def test_what_is_written_of_a_start_is_what_is_read(entry: StartEntry) -> None:
    """Whatever the size of the drop."""
    assert read_start_entry(entry.key) == entry
    assert entry.key.startswith(index_month(entry.project, "2026-11"))


@pytest.mark.parametrize(
    ("usd", "is_lower_bound", "written"),
    [
        ("61.400000", False, "61.4"),
        ("61.400000", True, "61.4+"),
        ("0.000001", False, "0.000001"),
        ("100", False, "100"),
        ("0", False, "0"),
        ("0", True, "0+"),
        (None, False, ""),
        (None, True, ""),
    ],
)
def test_a_cost_is_a_plain_decimal_number(usd: str | None, written: str, *, is_lower_bound: bool) -> None:
    """`awk` adds it up: no exponent, and a plus where it is not all."""
    cost = None if usd is None else Decimal(usd)
    key = IndexEntry("team-a", RUN, "completed", 10, 9, 1, cost, is_lower_bound).key
    assert key == f"index/team-a/2026-11-30/{RUN}~completed~10-9-1~{written}"


@pytest.mark.parametrize(
    "key",
    [
        "",
        "index/",
        KEY.replace("2026-11-30", "2026-11-29"),
        KEY.replace("61.4", "61.40"),
        KEY.replace("61.4", "061.4"),
        KEY.replace("61.4", "1e9"),
        KEY.replace("61.4", "+"),
        KEY.replace("10-9-1", "10-9"),
        KEY.replace("10-9-1", "010-9-1"),
        KEY.replace("team-a", "team-a/deep"),
        KEY.replace("~completed~10-9-1~61.4", "~started"),
        f"{KEY}~more",
        f"{KEY}\n",
        f"x{KEY}",
        START.replace("5000000", "05"),
        START.replace("5000000", ""),
        START.replace("started", "begun"),
        START.replace("2026-11-30", "2026-11-29"),
        f"{START}1",
        f"{START}\n",
        f"x{START}",
    ],
)
def test_another_key_is_no_entry(key: str) -> None:
    """A later version may write others, and a person anything: a sum must not guess."""
    assert (read_index_entry(key), read_start_entry(key)) == (None, None)
    assert entries_by_run([key]) == {}


@given(st.text() | st.text("0123456789TZab-~.+/index", max_size=90))
def test_any_key_is_read_or_is_none(key: str) -> None:
    """What is read is what is written."""
    for entry in (read_index_entry(key), read_start_entry(key)):
        assert entry is None or entry.key == key


@given(st.permutations([START, KEY, KEY.replace("team-a", "team-b").replace("completed~10-9-1~61.4", "paused~3")]))
def test_the_end_of_a_run_stands_for_it_once_there_is_one(listed: list[str]) -> None:
    """Else that it has begun, whatever the order of the keys."""
    assert entries_by_run(listed) == {RUN: read_index_entry(KEY)}
    listed.remove(KEY)
    assert entries_by_run(listed) == {RUN: StartEntry("team-a", RUN, 5_000_000)}


def test_no_status_contains_the_separator_or_says_that_a_run_has_begun() -> None:
    """Else an entry could be read in two ways."""
    ends = [status for status, meaning in STATUSES.items() if meaning.is_final]
    assert not [status for status in ends if "~" in status or status == "started"]
