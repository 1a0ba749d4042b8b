"""Aggregation functions of `stats`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from local.emulation.insights.values import Malformed, Undocumented, calculated, number, text

if TYPE_CHECKING:
    from collections.abc import Callable

    from local.emulation.insights.events import Row
    from local.emulation.insights.values import Value

    type Function = Callable[[list[Row], list[Value]], Value]


def _total(_: list[Row], values: list[Value]) -> Value:
    numbers = _numbers(values)
    return calculated(sum(numbers)) if numbers else None


def _average(_: list[Row], values: list[Value]) -> Value:
    numbers = _numbers(values)
    return calculated(sum(numbers) / len(numbers)) if numbers else None


def _largest(_: list[Row], values: list[Value]) -> Value:
    return max(_only_numbers(values), key=number, default=None)  # type: ignore[arg-type]


def _smallest(_: list[Row], values: list[Value]) -> Value:
    return min(_only_numbers(values), key=number, default=None)  # type: ignore[arg-type]


def _latest(rows: list[Row], values: list[Value]) -> Value:
    return _at(max(row.time for row in rows), rows, values)


def _earliest(rows: list[Row], values: list[Value]) -> Value:
    return _at(min(row.time for row in rows), rows, values)


def _at(time: int, rows: list[Row], values: list[Value]) -> Value:
    """Return the value at a time; the last of them if there are several. Rows come newest first."""
    at_time = [value for row, value in zip(rows, values, strict=True) if row.time == time]
    present = [value for value in at_time if value is not None]
    if not present and any(value is not None for value in values):
        return Undocumented(
            "the result of latest and earliest is not documented where the event of that time lacks the field and "
            "others have it; write: filter ispresent(field), or: sort @timestamp desc | dedup …"
        )
    return present[0] if present else None


def _numbers(values: list[Value]) -> list[float]:
    return [found for found in map(number, values) if found is not None]


def _only_numbers(values: list[Value]) -> list[Value]:
    present: list[Value] = [value for value in values if value is not None]
    if any(number(value) is None for value in present):
        raise Malformed("the result of max and min is not documented for text; use latest, earliest, or sort")
    return present


def _distinct(_: list[Row], values: list[Value]) -> Value:
    return len({text(value) for value in values if value is not None})


STATISTICS: dict[str, Function] = {
    "count": lambda _, values: sum(value is not None for value in values),
    "count_distinct": _distinct,
    "sum": _total,
    "avg": _average,
    "max": _largest,
    "min": _smallest,
    "latest": _latest,
    "earliest": _earliest,
}
