"""Numbers, money and times as a screen shows them."""

from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal

from conveyor.wording.text import duration

UNKNOWN = "-"


def number(value: int | None) -> str:
    """Return a count."""
    return UNKNOWN if value is None else f"{value:,}"


def money(usd: Decimal | None, *, is_lower_bound: bool = False) -> str:
    """Return an amount in US dollars, to cents; a plus if it is more than that."""
    if usd is None:
        return UNKNOWN
    cents = usd.quantize(Decimal("0.01"), ROUND_HALF_UP)
    return f"${cents:,.2f}{'+' if is_lower_bound else ''}"


def age(since: datetime, now: datetime) -> str:
    """Return the time since a moment, in its largest unit."""
    return " ".join(duration(max(now - since, timedelta())).split()[:2])


def day(moment: datetime) -> str:
    """Return a day, as `23 November`; with the year it would not be shorter than a date."""
    return f"{moment.day} {moment:%B}"
