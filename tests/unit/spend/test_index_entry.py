"""The key of an entry of the index."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conveyor.domain.keys import index_month, is_project_name
from conveyor.domain.status import STATUSES, Status
from conveyor.spend.index_entry import IndexEntry, read_index_entry

RUN = "20261130T235959Z-0123456789ab"
KEY = f"index/team-a/2026-11-30/{RUN}~completed~10-9-1~61.4"
COUNTS = st.integers(0, 10**9)
COSTS = st.none() | st.decimals(0, 10**9, places=6)
ENTRIES = st.builds(
    lambda project, status, counts, cost: IndexEntry(project, RUN, status, *counts, *cost),
    st.from_regex(r"\A[A-Za-z0-9][A-Za-z0-9._-]{0,63}\Z").filter(is_project_name),
    st.sampled_from([status.value for status in Status]),
    st.tuples(COUNTS, COUNTS, COUNTS),
    st.tuples(COSTS, st.booleans()).map(lambda cost: cost if cost[0] is not None else (None, False)),
)


@given(ENTRIES)
def test_what_is_written_is_what_is_read(entry: IndexEntry) -> None:
    """Whatever a run cost, and however it ended."""
    assert read_index_entry(entry.key) == entry
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
    ],
)
def test_another_key_is_no_entry(key: str) -> None:
    """A later version may write others, and a person anything: a sum must not guess."""
    assert read_index_entry(key) is None


@given(st.text() | st.text("0123456789TZab-~.+/index", max_size=90))
def test_any_key_is_read_or_is_none(key: str) -> None:
    """What is read is what is written."""
    entry = read_index_entry(key)
    assert entry is None or entry.key == key


def test_no_status_contains_the_separator() -> None:
    """Else an entry could be read in two ways."""
    assert not [status for status in STATUSES if "~" in status]
