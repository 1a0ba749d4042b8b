"""The days of a log, and claims in it."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conveyor.spend.claim import Day

MOMENTS = st.datetimes(datetime(2020, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001


@given(MOMENTS, st.integers(1, 86_400))
def test_each_moment_is_in_one_day_and_days_follow_each_other(moment: datetime, seconds: int) -> None:
    """Also where the length of a day does not divide 24 hours: the last one before midnight is shorter."""
    day = Day.at(moment, seconds)
    assert day.start <= moment < day.end <= day.start + timedelta(seconds=seconds)
    assert Day.at(day.start, seconds) == Day.at(day.end - timedelta(microseconds=1), seconds) == day
    after = Day.at(day.end, seconds)
    assert (after.start, after.name > day.name) == (day.end, True), "logs are listed in the order of their days"


def test_decision_15_a_day_is_a_date_in_utc() -> None:
    """Whatever the clock of the function is set to."""
    moment = datetime(2026, 12, 1, 0, 30, tzinfo=timezone(timedelta(hours=2)))
    assert Day.at(moment).name == "2026-11-30"
    assert Day.at(moment).end == datetime(2026, 12, 1, tzinfo=UTC)
    assert Day.at(moment).shortest_pause == timedelta(minutes=5)


@pytest.mark.parametrize(("seconds", "name"), [(3600, "2026-11-30T120000Z"), (30, "2026-11-30T124530Z")])
def test_a_shorter_day_has_the_time_in_its_name(seconds: int, name: str) -> None:
    """Two of them must not share a log."""
    assert Day.at(datetime(2026, 11, 30, 12, 45, 59, tzinfo=UTC), seconds).name == name
