"""`conveyor runs`: which runs there are, what needs a person, and what they cost."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, NamedTuple

import click
from rich.table import Table
from rich.text import Text

from conveyor.wording.numbers import UNKNOWN, age, day, money, number
from conveyor.wording.text import counted, cut_middle
from conveyor_cli.aws.errors import explained
from conveyor_cli.commands.options import with_look, with_stack
from conveyor_cli.runs.read import named, read_runs
from conveyor_cli.runs.run import ListedRun
from conveyor_cli.screen.screen import WIDE, Screen
from conveyor_cli.stacks.chosen import Choice, find
from conveyor_cli.state import Group

if TYPE_CHECKING:
    from rich.console import JustifyMethod

_UNITS = {"h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}
_AGO = re.compile(r"([1-9]\d{0,3})([hdw])")
_GAP = 2
_SHORTEST_NAME = 12
"""Columns that a name keeps in any terminal. It is cut in the middle, since its end may be a date."""
_WIDE_ENOUGH_FOR_IDS = 160


class Since(click.ParamType[datetime]):
    """How long ago, as `7d`, `12h` or `2w`; or a day, as `2026-11-01`."""

    name = "since"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        """Return the moment."""
        text = str(value)
        if ago := _AGO.fullmatch(text):
            return datetime.now(UTC) - int(ago[1]) * _UNITS[ago[2]]
        try:
            return datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC)
        except ValueError:
            self.fail(f'"{text}" is neither 7d, 12h or 2w, nor a day as 2026-11-01', param, ctx)


@click.command(short_help="List runs: their state, requests, cost and age.")
@click.option("--since", type=Since(), default="7d", show_default=True, help="7d, 12h, 2w, or a day as 2026-11-01.")
@click.option("--project", metavar="NAME", help="Only runs of this project.")
@click.option("--limit", type=click.IntRange(min=0), default=20, show_default=True, help="Most lines; 0 shows all.")
@with_stack
@with_look
@click.pass_obj
def runs(  # noqa: PLR0913 - one for each option
    screen: Screen,
    *,
    since: datetime,
    project: str | None,
    limit: int,
    stack: str | None,
    region: str | None,
    local: bool,
) -> None:
    """List runs: first what needs you, then what runs, then what has ended, the newest first."""
    chosen = find(Choice(stack, region, is_local=local))
    now = datetime.now(UTC)
    with explained():
        found = read_runs(chosen.bucket, since, now, project)
        shown = named(chosen.bucket, found[: limit or None])
    if screen.look.json:
        for each in shown:
            screen.json(**_as_json(each))
        return
    screen.line(_summary(found, since, project, chosen.profile.stack), style="bold")
    if shown:
        screen.line()
        screen.table(_table(screen, shown, now))
    if left := len(found) - len(shown):
        screen.line(f"  and {left:,} older: --limit 0 shows all.")


def _summary(found: list[ListedRun], since: datetime, project: str | None, stack: str) -> str:
    """Return the sum of all runs that match, shown or not; the filter is repeated."""
    of = f" of {project}" if project else ""
    if not found:
        return f"No runs{of} since {day(since)} in stack {stack}."
    groups = [each.state.group for each in found]
    going, needing = groups.count(Group.UNDER_WAY), groups.count(Group.NEEDS_YOU)
    need = "needs" if needing == 1 else "need"
    failed = sum(bool(each.failures) for each in found)
    costs = [each.usd for each in found if each.usd is not None]
    is_more = any(each.is_lower_bound for each in found) or len(costs) < len(found)
    cost = money(sum(costs, Decimal()), is_lower_bound=is_more)
    return (
        f"{counted(len(found), 'run')}{of} since {day(since)}: {going:,} under way, {needing:,} {need} you, "
        f"{failed:,} had failures, {cost}."
    )


def _table(screen: Screen, shown: list[ListedRun], now: datetime) -> Table:
    """Return the table as wide as the screen: names take what the other columns leave."""
    chosen = [column for column in _COLUMNS if screen.width >= column.from_width]
    cells = [[screen.text(column.cell(each, now)) for column in chosen] for each in shown]
    others = [max(map(len, (column.title, *of))) for column, of in zip(chosen, zip(*cells, strict=True), strict=True)]
    room = max(screen.width - sum(others) - _GAP * len(others) - len("✓ "), _SHORTEST_NAME)
    table = Table(box=None, pad_edge=False, padding=(0, _GAP, 0, 0), header_style="dim")
    table.add_column("  Run")
    for column in chosen:
        justify: JustifyMethod = "right" if column.is_number else "left"
        table.add_column(column.title, justify=justify, style=column.style)
    for each, others_of in zip(shown, cells, strict=True):
        name = cut_middle(screen.text(each.name or each.run), room)
        table.add_row(Text.assemble(screen.mark(each.state.mark), " ", name), *map(Text, others_of))
    return table


class _Column(NamedTuple):
    """A column beside the name, shown from a width of the screen on."""

    title: str
    cell: Callable[[ListedRun, datetime], str]
    is_number: bool = True
    from_width: int = 0
    style: str = ""


_COLUMNS = (
    _Column("Project", lambda each, _: each.project or UNKNOWN, is_number=False),
    _Column("State", lambda each, _: each.state.words, is_number=False),
    _Column("Requests", lambda each, _: number(each.requests)),
    _Column("Results", lambda each, _: number(each.results), from_width=WIDE),
    _Column("Failures", lambda each, _: number(each.failures), from_width=WIDE),
    _Column("Forecast", lambda each, _: money(each.forecast_usd), from_width=WIDE),
    _Column("Cost", lambda each, _: money(each.usd, is_lower_bound=each.is_lower_bound)),
    _Column("Age", lambda each, now: age(each.received_at, now)),
    _Column("Id", lambda each, _: each.run, is_number=False, from_width=_WIDE_ENOUGH_FOR_IDS, style="dim"),
)


def _as_json(each: ListedRun) -> dict[str, object]:
    return {
        "name": each.name,
        "run": each.run,
        "project": each.project,
        "state": each.state.words,
        "needs": each.state.needs,
        "ended": each.is_ended,
        "requests": each.requests,
        "results": each.results,
        "failures": each.failures,
        "cost_usd": each.usd,
        "forecast_usd": each.forecast_usd,
        "received_at": each.received_at,
    }
