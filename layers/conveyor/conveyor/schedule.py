"""When to look again, and what the loop does next."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from enum import StrEnum


class Next(StrEnum):
    """What the state machine does after a poll; the `Choice` of `statemachine/run.asl.json` knows exactly these."""

    WAIT = "wait"
    SUBMIT = "submit"
    SPLIT = "split"
    TELL = "tell"
    REPORT = "report"


def wait_seconds(elapsed: timedelta, shortest: int, longest: int) -> int:
    """Seconds until the next look: a tenth of the time already passed, between the two bounds.

    At 30 and 300 s this is 313 looks in 24 hours, and at most ten per cent of added latency.
    """
    return max(shortest, min(longest, int(elapsed.total_seconds() / 10)))


def seconds_until(moments: Iterable[datetime], now: datetime, longest: int) -> int:
    """Seconds until the earliest of some moments has passed: at least 1, at most `longest`, which also serves none."""
    return max(1, min([longest, *(int((moment - now).total_seconds()) + 1 for moment in moments)]))
