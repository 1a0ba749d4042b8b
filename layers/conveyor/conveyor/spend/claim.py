"""Claims in the log of a day: what each batch may cost, and what is taken of the day in all. Pure."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import NamedTuple

import msgspec

_WHOLE_DAY = 86_400
_DATE, _MOMENT = "%Y-%m-%d", "%Y-%m-%dT%H%M%SZ"
_RECOUNTS = 288
"""At most so many in a day: one in five minutes. A recount reads all claims of the day."""


class Day(NamedTuple):
    """A day of a log. Days follow each other from midnight UTC."""

    name: str
    """`2026-11-30`; with the time for days that are shorter."""
    start: datetime
    end: datetime
    seconds: int = _WHOLE_DAY
    """Its length; the last one before midnight may be shorter."""

    @classmethod
    def at(cls, now: datetime, seconds: int = _WHOLE_DAY) -> "Day":
        """Return the day in which a moment is. `seconds`: the length of a day."""
        midnight = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        start = midnight + (now - midnight) // timedelta(seconds=seconds) * timedelta(seconds=seconds)
        name = start.strftime(_DATE if seconds == _WHOLE_DAY else _MOMENT)
        return cls(name, start, min(start + timedelta(seconds=seconds), midnight + timedelta(days=1)), seconds)

    @property
    def next(self) -> "Day":
        """The day after it, of the same length."""
        return Day.at(self.end, self.seconds)

    @property
    def shortest_pause(self) -> timedelta:
        """The shortest time between two recounts."""
        return (self.end - self.start) / _RECOUNTS

    def pause_of(self, now: datetime) -> int:
        """Return the number of the pause, of which the day is made up, in which a moment is."""
        return (now - self.start) // self.shortest_pause


class Claim(msgspec.Struct, frozen=True):
    """`claims/spend/<log>/<day>/<k>`: what an attempt at a batch may cost, or a recount of the claims before it."""

    writer: str
    at: datetime
    run: str
    ceiling_usd: Decimal
    """Of the day, when this was written."""
    total_usd: Decimal
    """What is taken of the day, this claim included."""
    usd: Decimal = Decimal(0)
    """What the attempt may cost."""
    leg: str = ""
    batch: int = 0
    """0 for a recount."""
    attempt: int = 0
    recounted_at: datetime | None = None
    """When the claims of the day were last counted again."""
    is_ahead: bool = False
    """Whether it was written on the day before, for a batch that needs the whole day."""

    @property
    def is_recount(self) -> bool:
        """Whether it reserves nothing."""
        return not self.batch
