"""What was prepared, as a screen and as JSON."""

from shlex import quote
from typing import TYPE_CHECKING, Any

from rich.table import Table
from rich.text import Text

from conveyor.money.estimate import ModelEstimate
from conveyor.money.table import AS_OF
from conveyor.wording.bounds import at_most
from conveyor.wording.marks import Mark
from conveyor.wording.numbers import UNKNOWN, size
from conveyor.wording.text import counted, exact_dollars
from conveyor_cli.preparing.wish import Made
from conveyor_cli.screen.screen import WIDE, Screen

if TYPE_CHECKING:
    from rich.console import JustifyMethod

_LABEL = 12
_GAP = 2
_LEAST_WITH_UNIT = 10_000
_MOST_MODELS = 10
_RULE = "a token has one byte at least"


def as_json(made: Made) -> dict[str, Any]:
    """Return the form of `--json`. It has no prompt."""
    estimate = made.prepared.estimate
    return {
        "requests": made.prepared.requests,
        "bytes": made.prepared.bytes,
        "file": str(made.prepared.file),
        "at_most_usd": estimate.at_most_usd,
        "models": {
            name: {"requests": each.requests, "at_most_usd": each.at_most_usd} for name, each in estimate.models.items()
        },
        "skipped": made.prepared.skipped,
        "kept": list(made.form.kept),
        "notes": [
            {"code": each.code, "column": each.column or None, "rows": each.rows or None, "words": each.words}
            for each in made.notes
        ],
    }


def show(screen: Screen, made: Made) -> None:
    """Write the screen: what there is, what it may cost, the first request, and what to type next."""
    done, skipped = made.prepared, made.prepared.skipped
    left_out = f" {counted(skipped, 'row')} left out." if skipped else ""
    screen.verdict(
        Mark.OK,
        f"{counted(done.requests, 'request')} written to {done.file} ({size(done.bytes)})",
        f"{_most(made)}{left_out}",
    )
    screen.line()
    _show_first(screen, made)
    screen.line()
    screen.table(_models(screen, made))
    for each in made.notes:
        screen.line()
        screen.line(f"  ! {each.words}", "yellow")
        if each.code == "empty":
            screen.line(f"    Leave them out with --skip-empty {quote(each.column)}.")
    screen.line()
    screen.line("  Next")
    screen.command(f"conveyor drop {quote(str(done.file))} --watch")


def _most(made: Made) -> str:
    """Return what all requests can cost, or why that has no bound."""
    estimate = made.prepared.estimate
    if estimate.at_most_usd is None:
        return f"What they can cost: {at_most(estimate)}."
    return f"At most {at_most(estimate)}, by the prices of {AS_OF}."


def _show_first(screen: Screen, made: Made) -> None:
    row, written = made.prepared.first
    params, text = written.params, written.params["messages"][0]["content"]
    if row.attached:
        text = next((each["text"] for each in text if each["type"] == "text"), "")
    schema, system = made.form.schema or {}, params.get("system", "")
    rows = {
        "custom_id": str(written.custom_id),
        "model": f"{params['model']}, max_tokens {params['max_tokens']:,}",
        "system": system if isinstance(system, str) else f"cached for an hour: {system[0]['text']}",
        "file": row.attached.words if row.attached else "",
        "user": text,
        "answer": f"JSON: {', '.join(schema.get('properties', {})) or schema['type']}" if schema else "",
        "kept": ", ".join(made.form.kept),
    }
    screen.line(f"  First request, row {row.number:,} of {made.table}", "bold")
    room = min(screen.width, WIDE) - _LABEL - _GAP
    for label, value in rows.items():
        if value:
            screen.line(f"  {label:<{_LABEL}}{_cut(screen, value, room)}")


def _cut(screen: Screen, text: str, room: int) -> str:
    """Return a text as it fits into a line: white space is one space."""
    shown = screen.text(" ".join(text[: room * 4].split()))
    more = "..." if screen.is_ascii else "…"
    return shown if len(shown) <= room and len(text) <= room * 4 else shown[: room - len(more)] + more


def _models(screen: Screen, made: Made) -> Table:
    """Return the table of models, the dearest first, and their sum."""
    is_wide = screen.is_terminal and screen.width >= WIDE
    titles = ["  Model", "Requests", "Input at most", "Output at most", "At most"]
    table = Table(box=None, pad_edge=False, padding=(0, _GAP + 1, 0, 0), header_style="dim")
    for title in [*titles, *(["How input was estimated"] if is_wide else [])]:
        justify: JustifyMethod = "right" if title in titles[1:] else "left"
        table.add_column(title, justify=justify)
    estimate = made.prepared.estimate
    rows = sorted(estimate.models.items(), key=lambda each: -(each[1].at_most_usd or 0))
    named = [(screen.text(name), each) for name, each in rows[:_MOST_MODELS]]
    if len(rows) > 1:
        whole = ModelEstimate(
            made.prepared.requests, estimate.input_tokens, estimate.output_tokens, estimate.at_most_usd
        )
        named.append(("All", whole))
    for name, each in named:
        cells = (
            f"{each.requests:,}",
            _tokens(each.input_tokens),
            _tokens(each.output_tokens),
            UNKNOWN if each.at_most_usd is None else exact_dollars(each.at_most_usd),
        )
        table.add_row(Text(f"  {name}"), *cells, *([_RULE] if is_wide else []))
    return table


def _tokens(count: int | None) -> str:
    """Return a number of tokens, shortly."""
    if count is None:
        return UNKNOWN
    if count >= 10**6:
        return f"{count / 10**6:,.1f}M"
    return f"{count / 10**3:,.1f}k" if count >= _LEAST_WITH_UNIT else f"{count:,}"
