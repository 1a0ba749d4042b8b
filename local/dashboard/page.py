"""The page of a dashboard: each widget evaluated, and put where the body says."""

from __future__ import annotations

import json
import re
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jinja2
from botocore.exceptions import ClientError
from markdown_it import MarkdownIt

from local.dashboard import charts, insights, metrics
from local.dashboard.session import STACK, NotShown

if TYPE_CHECKING:
    from local.dashboard.insights import Table
    from local.dashboard.session import Session

type Json = dict[str, Any]

HOUR = 3600
DEFAULT_SECONDS = 3 * HOUR
"""What the console shows of a dashboard without a start."""
_DURATION = re.compile(r"-P(?:(\d+)W)?(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?)?")
_ORDER = ("ALARM", "INSUFFICIENT_DATA", "OK")


@dataclass(frozen=True)
class Widget:
    """A widget as it is shown; of what it shows, one is set."""

    place: str
    """In the grid, as CSS."""
    title: str
    svg: str = ""
    html: str = ""
    table: Table | None = None
    alarms: list[Json] = field(default_factory=list)
    numbers: list[tuple[str, str]] = field(default_factory=list)
    problem: str = ""


def draw(session: Session, hours: float | None = None) -> str:
    """Return the page of the dashboard of the stack, of the last hours. Raises NotShown."""
    cloudwatch = session.client("cloudwatch")
    try:
        body = json.loads(cloudwatch.get_dashboard(DashboardName=STACK)["DashboardBody"])
    except cloudwatch.exceptions.ResourceNotFound as error:
        raise NotShown(f"The stack has no dashboard {STACK}.") from error
    end = int(time.time()) + 1
    span = end - (round(hours * HOUR) if hours else _seconds(body.get("start", ""))), end
    environment = jinja2.Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True)
    template = environment.from_string((Path(__file__).parent / "page.html.j2").read_text(encoding="utf-8"))
    times = [f"{datetime.fromtimestamp(second, UTC):%Y-%m-%d %H:%M}" for second in span]
    return template.render(name=STACK, times=times, widgets=[_widget(session, each, span) for each in body["widgets"]])


def _seconds(start: str) -> int:
    """Return the length of a relative start, such as -P7D or -PT3H."""
    match = _DURATION.fullmatch(start)
    if not match:
        return DEFAULT_SECONDS
    weeks, days, hours, minutes = (int(part or 0) for part in match.groups())
    return ((weeks * 7 + days) * 24 + hours) * HOUR + minutes * 60


def _widget(session: Session, widget: Json, span: tuple[int, int]) -> Widget:
    """Evaluate a widget. What AWS refuses of it is shown in its place, as in the console."""
    properties, width, height = widget["properties"], widget.get("width", 6), widget.get("height", 6)
    place = f"grid-area: {widget.get('y', 0) + 1} / {widget.get('x', 0) + 1} / span {height} / span {width}"
    try:
        shown = _shown(session, widget["type"], properties, span, (width, height))
    except ClientError as error:
        shown = {"problem": str(error)}
    return Widget(place, properties.get("title", ""), **shown)


def _shown(session: Session, kind: str, properties: Json, span: tuple[int, int], size: tuple[int, int]) -> Json:
    view = properties.get("view", "table" if kind == "log" else "timeSeries")
    if kind == "text":
        return {"html": MarkdownIt("commonmark", {"html": False}).enable("table").render(properties["markdown"])}
    if kind == "alarm":
        return {"alarms": _alarms(session, properties["alarms"])}
    if kind == "log" and view == "table":
        return {"table": insights.run_widget(session, properties["query"], *span)}
    if kind == "metric" and view in {"timeSeries", "singleValue"}:
        lines = metrics.lines(session, properties, *span)
        if view == "singleValue":
            return {"numbers": [(line.label, f"{line.values[-1]:,.6g}" if line.values else "none") for line in lines]}
        return {"svg": charts.time_series(lines, properties, span, size)}
    return {"problem": f"A widget of the type {kind} with the view {view} is not drawn here."}


def _alarms(session: Session, arns: list[str]) -> list[Json]:
    """Return alarms, those that need somebody first; a missing one has the state MISSING."""
    names = [arn.partition(":alarm:")[2] for arn in arns]
    answer = session.client("cloudwatch").describe_alarms(AlarmNames=names)["MetricAlarms"]
    found = {alarm["AlarmName"]: alarm for alarm in answer}
    alarms = [found.get(name, {"AlarmName": name, "StateValue": "MISSING"}) for name in names]
    return sorted(alarms, key=lambda alarm: (["MISSING", *_ORDER].index(alarm["StateValue"]), alarm["AlarmName"]))
