"""One run of a function: who writes, what time it is, and until when it can still be at work."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from uuid import uuid4

Clock = Callable[[], datetime]

SKEW = timedelta(seconds=120)
"""How far the provider's clock may be from ours."""


def utc_now() -> datetime:
    """Return the time of the machine we run on."""
    return datetime.now(UTC)


class Invocation:
    """One run of a function. After `not_after` it is surely over: Lambda ends it at its timeout."""

    def __init__(self, remaining: timedelta, clock: Clock = utc_now) -> None:
        """Take the time that is left until Lambda ends this invocation."""
        self.writer = uuid4().hex
        self.now = clock
        self.not_after = clock() + remaining

    @property
    def left(self) -> timedelta:
        """Time until the certain end."""
        return self.not_after - self.now()
