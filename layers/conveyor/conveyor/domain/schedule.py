"""When to look again, and what the loop does next."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from enum import StrEnum

import msgspec


class Next(StrEnum):
    """What the state machine does after a poll; the `Choice` of `statemachine/run.asl.json` knows exactly these."""

    WAIT = "wait"
    SUBMIT = "submit"
    SPLIT = "split"
    TELL = "tell"
    REPORT = "report"
    CONTINUE = "continue"


_POLL_EVENTS = 7
_EVENTS = {Next.WAIT: 2, Next.SUBMIT: 7, Next.TELL: 7, Next.SPLIT: 4}
_EVENTS_PER_SPLIT = 7
"""Events that one turn of the loop adds to the history of its execution; a test counts them from the definition."""


class Execution(msgspec.Struct, frozen=True):
    """Which execution of a run this is, and about how many events its history has: at 25,000 it would be ended."""

    number: int = 1
    events: int = 0

    def turn(self, following: Next, splits: int, most: int) -> tuple[Next, "Execution"]:
        """Return what follows, and the execution behind it: this one, or the next where this one's events are `most`.

        The end of a run, and a message that is told once, are not put off.
        """
        after = self.events + events_of(following, splits)
        if after >= most and following not in (Next.REPORT, Next.TELL):
            return Next.CONTINUE, Execution(self.number + 1)
        return following, Execution(self.number, after)


def events_of(following: Next, splits: int) -> int:
    """Return the events of a turn: the poll that has just been made, its choice, and what follows until the next."""
    return _POLL_EVENTS + _EVENTS.get(following, 0) + _EVENTS_PER_SPLIT * splits * (following is Next.SPLIT)


def most_splits(most: int) -> int:
    """Return how many splits one turn may ask for: with more, no execution would ever have room for it."""
    return (most - 1 - events_of(Next.SPLIT, 0)) // _EVENTS_PER_SPLIT


def wait_seconds(elapsed: timedelta, shortest: int, longest: int) -> int:
    """Seconds until the next look: a tenth of the time already passed, between the two bounds.

    At 30 and 300 s this is 313 looks in 24 hours, and at most ten per cent of added latency.
    """
    return max(shortest, min(longest, int(elapsed.total_seconds() / 10)))


def seconds_until(moments: Iterable[datetime], now: datetime, longest: int) -> int:
    """Seconds until the earliest of some moments has passed: at least 1, at most `longest`, which also serves none."""
    return max(1, min([longest, *(int((moment - now).total_seconds()) + 1 for moment in moments)]))
