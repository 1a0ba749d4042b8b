"""When a batch is over, by our own clock.

What a provider says of its moments is a hint: a server may say that a batch expires when it is created, or in a
thousand years. `since` is the moment at which we wrote down that there is a batch: it is never before the attempt.
"""

from datetime import datetime, timedelta

CANCEL_AFTER = timedelta(hours=1)
"""After a batch should have ended by itself."""
STUCK_AFTER = timedelta(hours=6)
"""After a cancel that does not end."""
RETENTION = timedelta(days=29)
"""After a batch's creation: so long the provider keeps its results."""


def ends_at(since: datetime, window: timedelta, said: datetime) -> datetime:
    """Return when a batch should have ended: after its completion window, or later if the provider says so.

    A provider is believed up to the time for which it keeps results, so that every run ends.
    """
    return max(since + window, min(said, since + RETENTION))


def cancel_at(since: datetime, window: timedelta, said: datetime) -> datetime:
    """Return when a batch that has not ended is cancelled."""
    return ends_at(since, window, said) + CANCEL_AFTER


def at_risk_since(since: datetime, window: timedelta) -> datetime:
    """Return from when on a batch that has not ended may expire: three quarters of its window have passed."""
    return since + window * 3 / 4


def kept_until(since: datetime) -> datetime:
    """Return until when results are kept, and so are read again where they could not be read."""
    return since + RETENTION
