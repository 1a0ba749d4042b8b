"""Waits grow with the elapsed time."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from conveyor.domain.schedule import seconds_until, wait_seconds

NOW = datetime(2026, 11, 22, tzinfo=UTC)


def test_a_day_takes_313_checks() -> None:
    """Most of the AWS cost is transitions; the figures in `docs/operate.md` use this number."""
    elapsed, looks = 0, 0
    while elapsed < 24 * 3600:
        elapsed += wait_seconds(timedelta(seconds=elapsed), 30, 300)
        looks += 1
    assert looks == 313


@given(st.floats(-(10**6), 10**7), st.integers(1, 100), st.integers(100, 3600))
def test_a_wait_stays_within_its_bounds(elapsed: float, shortest: int, longest: int) -> None:
    """Clocks may disagree, and the elapsed time may seem negative."""
    assert shortest <= wait_seconds(timedelta(seconds=elapsed), shortest, longest) <= longest


def test_a_known_time_shortens_a_wait_and_has_passed_when_it_ends() -> None:
    """A check just before it would cost one more wait."""
    assert seconds_until([NOW + timedelta(seconds=9.5)], NOW, 300) == 10
    assert seconds_until([NOW + timedelta(hours=9)], NOW, 300) == 300
    assert seconds_until([NOW - timedelta(hours=9)], NOW, 300) == 1
    assert seconds_until([], NOW, 300) == 300
