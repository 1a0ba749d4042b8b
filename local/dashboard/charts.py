"""Charts of metric widgets, as SVG."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from io import StringIO
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import matplotlib as mpl
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
from matplotlib.figure import Figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from local.dashboard.metrics import Line

type Json = dict[str, Any]

INCH, ROW_INCHES, TITLE_INCHES = 0.62, 0.62, 0.6
"""Of a column and a row of the grid, and what the title of a widget takes."""
mpl.rcParams |= {
    "svg.fonttype": "none", "svg.hashsalt": "dashboard", "font.family": "sans-serif", "font.size": 9,
    "axes.spines.top": False, "axes.spines.right": False, "axes.grid": True, "grid.color": "#e4e7eb",
}  # fmt: skip


def time_series(lines: list[Line], properties: Json, span: tuple[int, int], size: tuple[int, int]) -> str:
    """Return a chart. `span`: seconds since 1970; `size`: columns and rows of the grid."""
    figure = Figure(figsize=(size[0] * INCH, size[1] * ROW_INCHES - TITLE_INCHES), layout="constrained")
    FigureCanvasSVG(figure)
    axes = figure.add_subplot()
    below: dict[datetime, float] = {}
    for line in lines:
        _draw(axes, line, below if properties.get("stacked") else None)
    for mark in properties.get("annotations", {}).get("horizontal", []):
        axes.axhline(mark["value"], color="#d13212", linewidth=1, linestyle="--", label=mark.get("label"))
    _frame(axes, lines, properties.get("yAxis", {}).get("left", {}), span)
    if axes.get_legend_handles_labels()[1]:
        figure.legend(loc="outside lower left", ncols=5, frameon=False, fontsize=8)
    text = StringIO()
    figure.savefig(text, format="svg", metadata={"Date": None}, transparent=True)
    return text.getvalue()[text.getvalue().index("<svg") :]


def _draw(axes: Axes, line: Line, below: dict[datetime, float] | None) -> None:
    """Draw a line with a dot for each period, on top of those below, with a gap where periods have no data."""
    if below is None:
        times, values = _with_gaps(line)
        axes.plot(times, values, marker="o", markersize=3, linewidth=1.5, label=line.label)
        return
    floor = [below.get(time, 0.0) for time in line.times]
    tops = [low + value for low, value in zip(floor, line.values, strict=True)]
    below.update(zip(line.times, tops, strict=True))
    (drawn,) = axes.plot(line.times, tops, marker="o", markersize=3, linewidth=1.5, label=line.label)
    axes.fill_between(line.times, floor, tops, color=drawn.get_color(), alpha=0.35, linewidth=0)


def _with_gaps(line: Line) -> tuple[list[datetime], list[float]]:
    """Return the points of a line, with one that is no number in each gap."""
    points = list(zip(line.times, line.values, strict=True))
    period = timedelta(seconds=line.period)
    gaps = [(before + period, float("nan")) for (before, _), (after, _) in pairwise(points) if after - before > period]
    both = sorted(points + gaps, key=lambda point: point[0])
    return [time for time, _ in both], [value for _, value in both]


def _frame(axes: Axes, lines: list[Line], axis: Json, span: tuple[int, int]) -> None:
    margin = (span[1] - span[0]) // 60  # so that a dot at the end is whole
    axes.set_xlim(datetime.fromtimestamp(span[0], UTC), datetime.fromtimestamp(span[1] + margin, UTC))
    locator = AutoDateLocator(tz=UTC, maxticks=8)
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(ConciseDateFormatter(locator, tz=UTC))
    axes.set_ylabel(axis.get("label", ""))
    if any(line.values for line in lines):
        axes.margins(y=0.15)
        axes.set_ylim(bottom=axis.get("min"), top=axis.get("max"))
    else:
        axes.set_yticks([])
        axes.text(0.5, 0.5, "No data in this time", transform=axes.transAxes, ha="center", color="#687078")
