"""Where charts draw what they draw."""

from datetime import UTC, datetime, timedelta

import pytest

from conveyor.page.charts import anchor, ticks
from conveyor.page.timeline import TimeLine

START = datetime(2026, 11, 24, 8, 15, 2, tzinfo=UTC)


@pytest.mark.parametrize("seconds", [1, 7, 90, 1_000, 9_000, 50_000, 90_000, 700_000, 9_000_000])
def test_a_time_line_has_a_few_ticks_and_fewer_on_a_narrow_screen(seconds: int) -> None:
    """At round times, within the line."""
    found = ticks(TimeLine(START, START + timedelta(seconds=seconds), [], [], 0))
    assert 1 <= len(found) <= 6
    assert len([tick for tick in found if not tick.is_wide]) <= 3
    assert all(0 <= float(tick.x[:-1]) <= 100 for tick in found)


def test_a_label_near_an_end_stands_on_its_inner_side() -> None:
    """So that it is not cut off."""
    assert [anchor(x, 25) for x in (0, 24, 50, 76, 100)] == ["start", "start", "middle", "end", "end"]
