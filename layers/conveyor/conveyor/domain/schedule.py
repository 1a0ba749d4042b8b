"""When a run is checked again, and what the state machine does next."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple, Self

import msgspec


class Next(StrEnum):
    """What the state machine does after a poll; the `Choice` of `statemachine/run.asl.json` has exactly these."""

    WAIT = "wait"
    SUBMIT = "submit"
    SPLIT = "split"
    NOTIFY = "notify"
    REPORT = "report"
    CONTINUE = "continue"


_POLL_EVENTS = 7
_EVENTS = {Next.WAIT: 2, Next.SUBMIT: 7, Next.NOTIFY: 7, Next.SPLIT: 4}
_EVENTS_PER_SPLIT = 7
"""Events that one pass of the loop adds to the history of its execution; a test counts them in the definition."""


class Execution(msgspec.Struct, frozen=True):
    """Which execution of a run this is, and about how many events its history has: AWS ends it at 25,000."""

    number: int = 1
    events: int = 0

    def advance(self, step: Next, splits: int, most: int) -> tuple[Next, "Execution"]:
        """Return the next step and the execution after it.

        With `most` events or more the run continues in a new execution first. The end of a run and a message that is
        sent once are not postponed.
        """
        events = self.events + events_of(step, splits)
        if events >= most and step not in (Next.REPORT, Next.NOTIFY):
            return Next.CONTINUE, Execution(self.number + 1)
        return step, Execution(self.number, events)


def events_of(step: Next, splits: int) -> int:
    """Return the events of one pass: the poll that was just made, its choice, and the step up to the next poll."""
    return _POLL_EVENTS + _EVENTS.get(step, 0) + _EVENTS_PER_SPLIT * splits * (step is Next.SPLIT)


def most_splits(most: int) -> int:
    """Return how many splits one pass may request: with more, no execution would ever have room for it."""
    return (most - 1 - events_of(Next.SPLIT, 0)) // _EVENTS_PER_SPLIT


def wait_seconds(elapsed: timedelta, shortest: int, longest: int) -> int:
    """Return the seconds until the next check: a tenth of the time already passed, between the two bounds.

    At 30 and 300 s this is 313 checks in 24 hours, and at most ten per cent of added latency.
    """
    return max(shortest, min(longest, int(elapsed.total_seconds() / 10)))


def seconds_until(moments: Iterable[datetime], now: datetime, longest: int) -> int:
    """Return the seconds until the earliest moment has passed: at least 1, at most `longest` (also without moments)."""
    return max(1, min([longest, *(int((moment - now).total_seconds()) + 1 for moment in moments)]))


class BatchName(NamedTuple):
    """A leg of the run, and the number of one of its batches."""

    leg: str
    """Empty for the drop itself."""
    number: int

    def __str__(self) -> str:
        """Return it in words."""
        return f"batch {self.number} of the {self.leg}" if self.leg else f"batch {self.number}"

    def to_event(self) -> int | str:
        """Return it as the state machine carries it: only a number for a batch of the drop itself."""
        return f"{self.leg}/{self.number}" if self.leg else self.number

    @classmethod
    def from_event(cls, name: int | str) -> Self:
        """Read what `to_event` returns."""
        leg, _, number = name.rpartition("/") if isinstance(name, str) else ("", "", name)
        return cls(leg, int(number))


MERGE = "merge"
"""In place of a leg: the parts of a batch of the drop are written once more, with what rounds have changed."""
RUN = BatchName("", 0)
"""Stands for the run where no batch is meant."""
