"""Moments as providers write them."""

from datetime import UTC, datetime

_EARLIEST, _LATEST = datetime(2000, 1, 1, tzinfo=UTC), datetime(9000, 1, 1, tzinfo=UTC)
"""What lies outside stands for a moment that nobody knows: 0, say, or the year 1."""

type Moment = float | str | None


def moment(given: Moment) -> datetime | None:
    """Read seconds since 1970 or a moment of ISO 8601; None where it is neither, or nobody can mean it."""
    if given is None or given == "":
        return None
    try:
        found = datetime.fromtimestamp(float(given), UTC)
    except (ValueError, OverflowError, OSError):
        try:
            found = datetime.fromisoformat(str(given))
        except ValueError:
            return None
    known = found if found.tzinfo else found.replace(tzinfo=UTC)
    return known if _EARLIEST <= known < _LATEST else None
