"""One run of a function: the id under which it writes, its clock, and when it has certainly ended."""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from uuid import uuid4

from conveyor.domain.observed import Observed

Clock = Callable[[], datetime]
Sleep = Callable[[float], None]
"""Takes seconds."""

SKEW = timedelta(seconds=120)
"""The largest difference between the provider's clock and ours."""


def utc_now() -> datetime:
    """Return the current time."""
    return datetime.now(UTC)


class Invocation:
    """One run of a function. It has ended by `not_after`, since Lambda ends it at its timeout."""

    def __init__(self, remaining: timedelta, clock: Clock = utc_now, sleep: Sleep = time.sleep) -> None:
        """Take the time that remains until Lambda ends this invocation."""
        self.writer = uuid4().hex
        self.now = clock
        self.sleep = sleep
        self.not_after = clock() + remaining
        self.observed = Observed()
        """What the function logs and measures when it ends."""

    @property
    def left(self) -> timedelta:
        """The time until `not_after`."""
        return self.not_after - self.now()
