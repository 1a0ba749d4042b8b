"""When a batch is over, by our own clock.

The times that a provider gives are hints: a server may say that a batch expires when it is created, or in a thousand
years. `since` is the moment at which we wrote down that there is a batch: it is never before the attempt.
`says`: when the batch expires, as the provider says.
"""

from datetime import datetime, timedelta

CANCEL_AFTER = timedelta(hours=1)
"""From when a batch should have ended by itself until it is cancelled."""
STUCK_AFTER = timedelta(hours=6)
"""From a cancel until a batch that has still not ended is given up."""
RETENTION = timedelta(days=29)
"""From a batch's creation: how long the provider keeps its results."""


def ends_at(since: datetime, window: timedelta, says: datetime) -> datetime:
    """Return when a batch should have ended: after its completion window, or later if the provider says so.

    A provider is believed up to the end of the retention, so that every run ends.
    """
    return max(since + window, min(says, since + RETENTION))


def cancel_at(since: datetime, window: timedelta, says: datetime) -> datetime:
    """Return when a batch that has not ended is cancelled."""
    return ends_at(since, window, says) + CANCEL_AFTER


def at_risk_since(since: datetime, window: timedelta) -> datetime:
    """Return from when on a batch that has not ended may expire: three quarters of its window have passed."""
    return since + window * 3 / 4


def kept_until(since: datetime) -> datetime:
    """Return until when the provider keeps results, and so failed reads of them are repeated."""
    return since + RETENTION
