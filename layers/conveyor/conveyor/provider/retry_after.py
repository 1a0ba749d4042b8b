"""Retry-After: a provider that asked not to be called before a moment is not called before it.

The moment is a fact of the run, so that every function obeys it, whichever received it, and whatever crashes.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from math import ceil, isfinite

from conveyor.domain.invocation import Clock, utc_now

_LONGEST = 86_400
"""Seconds. A provider that asks for more is called again after a day."""


class RetryAfter:
    """Until when a provider is not called; shared by all calls of one invocation."""

    def __init__(self, now: Clock = utc_now, record: Callable[[datetime, str], None] = lambda *_: None) -> None:
        """`record` writes down a new moment, and the response that gave it."""
        self.until: datetime | None = None
        self.reason = ""
        self._now = now
        self._record = record

    @property
    def is_active(self) -> bool:
        """Whether the provider must not be called now."""
        return self.until is not None and self.until > self._now()

    @property
    def seconds(self) -> int:
        """Seconds until it may be called again, rounded up."""
        return ceil((self.until - self._now()).total_seconds()) if self.until and self.is_active else 0

    def wait_until(self, until: datetime, reason: str) -> None:
        """Call nothing until a moment, unless a later one is known."""
        if self.until is None or until > self.until:
            self.until, self.reason = until, reason

    def obey(self, status: int, header: str) -> None:
        """Obey the header of an error response, and record until when no call is made. Ignore an empty header."""
        seconds = parse_retry_after(header, self._now())
        if seconds:
            until = self._now() + timedelta(seconds=seconds)
            whole = until.replace(microsecond=0)
            self.wait_until(whole if whole == until else whole + timedelta(seconds=1), f"HTTP {status}")
            self._record(self.until or until, self.reason)


def parse_retry_after(header: str, now: datetime) -> int | None:
    """Return the seconds from now, at most a day; None if the header has neither seconds nor an HTTP date.

    If the header came more than once, the longest wait counts. A date without a zone is in UTC.
    """
    seconds = _seconds(header, now)
    if seconds is None:
        values = (_seconds(part, now) for part in header.split(","))
        seconds = max((value for value in values if value is not None), default=None)
    return None if seconds is None else ceil(min(max(seconds, 0), _LONGEST))


def _seconds(text: str, now: datetime) -> float | None:
    try:
        seconds = float(text)
    except ValueError:
        try:
            moment = parsedate_to_datetime(text)
            known = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
            seconds = (known - now).total_seconds()
        except (ValueError, TypeError, OverflowError):
            return None
    return seconds if isfinite(seconds) else None
