"""Numbers as the charts draw them: percentages across, and pixels up and down."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import NamedTuple

from conveyor.page.money import MoneyBlock
from conveyor.page.outcomes import OutcomeRow
from conveyor.page.timeline import TimeLine

_LEAST = 0.4
"""Per cent. The smallest share that can be seen."""
_OVERLAP = 0.02
"""Per cent, so that rounding leaves no gap between columns."""
_MOST_TICKS = 6
_SECONDS = (1, 5, 10, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400, 172_800, 604_800)
_DAY, _MINUTE = 86_400, 60
_NEAR, _NEAR_FOR_A_SENTENCE = 4, 25
"""Per cent, from an end."""


class Piece(NamedTuple):
    """A piece of a bar."""

    kind: str
    x: str
    width: str


class Tick(NamedTuple):
    """A mark on the axis of time."""

    x: str
    label: str
    anchor: str
    is_wide: bool
    """Whether there is no room for its label on a narrow screen."""


def percent(value: float) -> str:
    """Return a percentage as SVG takes it, within 0 to 100."""
    return f"{min(max(value, 0.0), 100.0):.2f}".rstrip("0").rstrip(".") + "%"


def money_places(money: MoneyBlock) -> Mapping[str, str]:
    """Return where each amount is on one scale from 0 to the largest of them; empty for what is not known."""
    limit = money.approved_usd if money.approved_usd is not None else money.hold_above_usd
    amounts = {
        "at_most": money.at_most_usd,
        "low": money.low_usd,
        "high": money.high_usd,
        "forecast": money.forecast_usd,
        "cost": money.cost_usd,
    }
    known = {name: usd for name, usd in amounts.items() if usd is not None}
    largest = max(known.values(), default=Decimal(0))
    places = dict.fromkeys([*amounts, "limit"], "")
    if largest:
        if limit is not None and limit <= largest:
            known["limit"] = limit
        places |= {name: percent(float(100 * usd / largest)) for name, usd in known.items()}
        places["anchor"] = anchor(float(100 * known.get("limit", Decimal(0)) / largest), _NEAR_FOR_A_SENTENCE)
    return places


def anchor(x: float, near: float) -> str:
    """Return on which side of a place its label stands. `near`: per cent, from an end, where it has no room on both."""
    return "start" if x < near else "end" if x > 100 - near else "middle"


def outcome_pieces(outcomes: Sequence[OutcomeRow]) -> list[Piece]:
    """Return the pieces of one bar. A share that is too small to be seen is drawn larger than it is."""
    total = sum(row.requests for row in outcomes)
    widths = [max(100 * row.requests / total, _LEAST) for row in outcomes] if total else []
    scale, at, pieces = 100 / sum(widths) if widths else 0, 0.0, []
    for row, width in zip(outcomes, widths, strict=False):
        pieces.append(Piece(row.outcome, percent(at), percent(width * scale)))
        at += width * scale
    return pieces


def place(line: TimeLine, moment: datetime) -> float:
    """Return where a moment is, in per cent."""
    return 100 * ((moment - line.from_at) / (line.to_at - line.from_at))


def piece(line: TimeLine, kind: str, start: datetime, end: datetime) -> Piece:
    """Return a span of time."""
    left, right = place(line, start), place(line, end)
    return Piece(kind, percent(left), percent(max(right - left, _LEAST / 2)))


def ticks(line: TimeLine) -> list[Tick]:
    """Return the marks of the axis of time, at round times."""
    length = (line.to_at - line.from_at).total_seconds()
    step = next((each for each in _SECONDS if length / each <= _MOST_TICKS), _SECONDS[-1])
    while length / step > _MOST_TICKS:
        step *= 2
    return list(_ticks(line, step, has_days=line.from_at.date() != line.to_at.date()))


def _ticks(line: TimeLine, step: int, *, has_days: bool) -> Iterator[Tick]:
    first, last = int(line.from_at.timestamp() // step + 1), int(line.to_at.timestamp() // step)
    most = _MOST_TICKS // 2 if step >= _MINUTE else _MOST_TICKS // 3
    every = -(-(last - first + 1) // most)
    for number in range(first, last + 1):
        at = datetime.fromtimestamp(number * step, UTC)
        x = place(line, at)
        label = _label(at, step, has_days=has_days)
        yield Tick(percent(x), label, anchor(x, _NEAR), number % every > 0)


def _label(at: datetime, step: int, *, has_days: bool) -> str:
    if step >= _DAY or (has_days and not at.hour and not at.minute):
        return f"{at.day} {at:%b}"
    return f"{at:%H:%M:%S}" if step < _MINUTE else f"{at:%H:%M}"


def load_columns(load: Sequence[int], height: int) -> list[tuple[str, str, str, str]]:
    """Return x, width, y and height of each column that is not empty; neighbours of one height are one column."""
    highest, width = max(load, default=0), 100 / max(len(load), 1)
    columns, at = [], 0
    while at < len(load):
        end = at
        while end < len(load) and load[end] == load[at]:
            end += 1
        if load[at]:
            tall = max(height * load[at] / highest, 1.0)
            columns.append(
                (percent(at * width), percent((end - at) * width + _OVERLAP), f"{height - tall:.1f}", f"{tall:.1f}")
            )
        at = end
    return columns
