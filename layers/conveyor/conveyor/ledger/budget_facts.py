"""Facts about the ceiling that a project has for a day."""

from datetime import datetime
from decimal import Decimal

from conveyor.ledger.fact import Fact, Place


class DayFull(Fact, frozen=True):
    """`budget-<day>.json`: the next batch did not fit into what was left of the day. The run waits, and looks again."""

    KIND = "budget"
    PLACE = Place.ID
    STATE_FIELD = "full_days"

    writer: str
    at: datetime
    log: str
    """The project, or `default` for all that `config/budgets.json` does not name."""
    ceiling_usd: Decimal
    taken_usd: Decimal
    """What was spent or reserved then."""
    need_usd: Decimal
    """What the batch may cost."""
    until: datetime
    """When the day ends."""


class DayReached(Fact, frozen=True):
    """`reached-<day>-<percent>.json`: so much of the day's ceiling was taken. One run of the project tells people."""

    KIND = "reached"
    PLACE = Place.ID
    STATE_FIELD = "days_reached"

    writer: str
    at: datetime
    log: str
    day: str
    percent: int
    ceiling_usd: Decimal
    taken_usd: Decimal
    until: datetime
    """When the day ends."""
