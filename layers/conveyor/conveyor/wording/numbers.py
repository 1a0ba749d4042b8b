"""Numbers, money and times as a screen shows them."""

from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal

from conveyor.wording.text import duration, exact_dollars

UNKNOWN = "-"
_CENT = Decimal("0.01")
_LIMIT = 999.5
"""From here on a count is rounded to four digits."""
_TENTHS_BELOW = 99.95
_ROUND_FROM = 1000
_SHOWN_AS_NONE, _SHOWN_AS_ALL = 0.05, 99.95
"""Per cent that one decimal would round to 0.0, or to 100.0."""


def number(value: int | None) -> str:
    """Return a count."""
    return UNKNOWN if value is None else f"{value:,}"


def money(usd: Decimal | None, *, is_lower_bound: bool = False) -> str:
    """Return an amount in US dollars, to cents, or `<$0.01` if that is not nothing; a plus if it is more than that."""
    if usd is None:
        return UNKNOWN
    cents = usd.quantize(_CENT, ROUND_HALF_UP)
    if usd and not cents and not is_lower_bound:
        return f"<{exact_dollars(usd)}"
    return f"${cents:,.2f}{'+' if is_lower_bound else ''}"


def rounded_up(usd: Decimal) -> str:
    """Return an amount that is never less than what may be paid: up to the next cent."""
    return exact_dollars(usd)


def forecast(usd: Decimal) -> str:
    """Return an amount that is not certain: from $1,000 on without cents."""
    return money(usd) if usd < _ROUND_FROM else f"${usd.quantize(Decimal(1), ROUND_HALF_UP):,}"


def share(part: int, whole: int) -> str:
    """Return a share in per cent, with one decimal; `<0.1%` if it is not nothing, `>99.9%` if it is not all."""
    percent = 100 * part / whole if whole else 0.0
    if 0 < percent < _SHOWN_AS_NONE:
        return "<0.1%"
    return ">99.9%" if _SHOWN_AS_ALL <= percent < 100 else f"{percent:.1f}%"  # noqa: PLR2004 - all


def age(since: datetime, now: datetime) -> str:
    """Return the time since a moment, in its largest unit."""
    return " ".join(duration(max(now - since, timedelta())).split()[:2])


def day(moment: datetime) -> str:
    """Return a day, as `23 November`; with the year it would not be shorter than a date."""
    return f"{moment.day} {moment:%B}"


def size(count: int) -> str:
    """Return bytes in the unit that leaves at most three digits before the point, as `61.8 MB`."""
    number, unit = _in_unit(count)
    return f"{number} {unit}"


def transferred(done: int, total: int) -> str:
    """Return how many bytes of a total are there, as `37.7 of 61.8 MB`."""
    (had, unit), (all_of_it, of) = _in_unit(done), _in_unit(total)
    return f"{had} of {all_of_it} {of}" if unit == of else f"{had} {unit} of {all_of_it} {of}"


def _in_unit(count: int) -> tuple[str, str]:
    value, unit = float(count), "B"
    for larger in ("kB", "MB", "GB", "TB"):
        if value < _LIMIT:
            break
        value, unit = value / 1000, larger
    return f"{value:.1f}" if unit != "B" and value < _TENTHS_BELOW else f"{value:.0f}", unit


def span(time: timedelta) -> str:
    """Return a length of time in its two largest units; in minutes from one minute on, so that it seldom changes."""
    seconds = max(int(time.total_seconds()), 0)
    return duration(timedelta(seconds=seconds if seconds < 60 else seconds // 60 * 60))  # noqa: PLR2004
