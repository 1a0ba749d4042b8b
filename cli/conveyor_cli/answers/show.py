"""What was written, for a person and for a program."""

from collections.abc import Iterator

import msgspec
from rich.table import Table

from conveyor.wording.marks import Mark
from conveyor.wording.text import counted
from conveyor_cli.answers.filled import Filled
from conveyor_cli.answers.make import Made
from conveyor_cli.screen.screen import Screen

_GAP = 3
_WHY = {
    "cut_off": "empty: answer cut off (column stop_reason)",
    "refused": "empty: refused by the model (column stop_reason)",
    "failed": "empty: failed (column error)",
    "no_request": "empty: row without a request",
    "absent": "empty: not in the answer",
}


def show(screen: Screen, made: Made) -> None:
    """Write the verdict, and what is in the first column of answers."""
    rows, columns = counted(made.rows, "row"), counted(len(made.columns), "column")
    screen.verdict(Mark.OK, f"{rows} written to {made.file}, {columns}", *made.notes)
    lines = [*_filled(made.filled), *_joined(made)]
    if not lines:
        return
    screen.line()
    table = Table(box=None, pad_edge=False, padding=(0, _GAP, 0, 0), show_header=False)
    for justify in ("left", "right", "left"):
        table.add_column(justify=justify)
    for label, number, words in lines:
        table.add_row(f"  {screen.text(label)}", f"{number:,}", screen.text(words))
    screen.table(table)


def as_json(made: Made) -> dict[str, object]:
    """Return the same for a program."""
    joined = made.joined
    return {
        "rows": made.rows,
        "columns": made.columns,
        "joined": joined and joined.joined,
        "unmatched": joined and joined.unmatched,
        "by": joined and joined.by,
        "without_request": joined and joined.rows - joined.joined,
        "answers": made.filled and msgspec.to_builtins(made.filled),
        "notes": made.notes,
        "file": str(made.file),
    }


def _filled(filled: Filled | None) -> Iterator[tuple[str, int, str]]:
    if filled is None:
        return
    yield filled.column, filled.filled, "filled"
    for name, words in _WHY.items():
        if number := getattr(filled, name):
            yield "", number, words


def _joined(made: Made) -> Iterator[tuple[str, int, str]]:
    if joined := made.joined:
        without = counted(joined.rows - joined.joined, "row")
        yield "joined", joined.joined, f"of {counted(joined.rows, 'row')} by {joined.by}; {without} without a request"
        if joined.unmatched:
            yield "left out", joined.unmatched, "requests without a row"
