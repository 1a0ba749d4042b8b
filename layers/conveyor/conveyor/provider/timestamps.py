"""Timestamps as providers write them."""

from datetime import UTC, datetime

_EARLIEST, _LATEST = datetime(2000, 1, 1, tzinfo=UTC), datetime(9000, 1, 1, tzinfo=UTC)
"""A timestamp outside stands for an unknown one: 0, or the year 1."""

type Timestamp = float | str | None


def parse_timestamp(value: Timestamp) -> datetime | None:
    """Read seconds since 1970, or ISO 8601 (in UTC if it has no zone); None if it is neither, or no plausible time."""
    if value is None or value == "":
        return None
    try:
        parsed = datetime.fromtimestamp(float(value), UTC)
    except (ValueError, OverflowError, OSError):
        try:
            parsed = datetime.fromisoformat(str(value))
        except ValueError:
            return None
    zoned = parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)
    return zoned if _EARLIEST <= zoned < _LATEST else None
