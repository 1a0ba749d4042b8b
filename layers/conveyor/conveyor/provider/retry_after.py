"""Retry-After: once a provider has said when to come back, it is asked nothing before.

That moment is a fact of the run, so that every function obeys it, whichever was told, and whatever crashes.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from math import ceil, isfinite

from conveyor.domain.invocation import Clock, utc_now

_LONGEST = 86_400
"""Seconds. Who says more is asked again after a day."""


class RetryAfter:
    """Until when a provider is not asked; shared by all that may ask it in one run of a function."""

    def __init__(self, now: Clock = utc_now, note: Callable[[datetime, str], None] = lambda *_: None) -> None:
        """Take what writes down until when the provider is left alone, and what it answered."""
        self.until: datetime | None = None
        self.reason = ""
        self._now = now
        self._note = note

    @property
    def is_active(self) -> bool:
        """Whether the provider may not be asked now."""
        return self.until is not None and self.until > self._now()

    @property
    def seconds(self) -> int:
        """Return the seconds until it may be asked again, rounded up."""
        return ceil((self.until - self._now()).total_seconds()) if self.until and self.is_active else 0

    def begin(self, until: datetime, reason: str) -> None:
        """Rest until a moment, unless one that is later is known."""
        if self.until is None or until > self.until:
            self.until, self.reason = until, reason

    def heed(self, status: int, given: str) -> None:
        """Rest as long as the header of an answer that is no success says, if it says so, and write that down."""
        seconds = parse_retry_after(given, self._now())
        if seconds:
            until = self._now() + timedelta(seconds=seconds)
            whole = until.replace(microsecond=0)
            self.begin(whole if whole == until else whole + timedelta(seconds=1), f"HTTP {status}")
            self._note(self.until or until, self.reason)


def parse_retry_after(given: str, now: datetime) -> int | None:
    """Read seconds or an HTTP date, as seconds from now, a day at most; None where neither is given.

    Where the header came more than once, the longest counts. A date without a zone is in UTC.
    """
    found = _seconds(given, now)
    if found is None:
        found = max((each for part in given.split(",") if (each := _seconds(part, now)) is not None), default=None)
    return None if found is None else ceil(min(max(found, 0), _LONGEST))


def _seconds(given: str, now: datetime) -> float | None:
    try:
        seconds = float(given)
    except ValueError:
        try:
            moment = parsedate_to_datetime(given)
            known = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
            seconds = (known - now).total_seconds()
        except (ValueError, TypeError, OverflowError):
            return None
    return seconds if isfinite(seconds) else None
