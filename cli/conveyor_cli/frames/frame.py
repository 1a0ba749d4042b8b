"""A snapshot as lines that fit a terminal. Pure."""

import re
import shlex
import textwrap
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from rich.text import Text

from conveyor.wording.marks import Mark
from conveyor_cli.frames.grid import Cell, GridRow, counts_of, worst_of
from conveyor_cli.frames.snapshot import Figure, SentRow, Snapshot
from conveyor_cli.screen.screen import WIDE

_SPACED = 36
"""Most cells that have a space between them."""
_GROUP, _GROUPS, _GROUPS_BESIDE = 10, 6, 4
"""Beyond that: cells in a group, and groups in a row; in one beside the figures."""
_LEFT = 48
"""Columns of the grid where figures stand beside it."""
_FEWEST_ROWS = 2
LEAVES = "Ctrl-C leaves the run going."


class Place(NamedTuple):
    """What the frame must fit into, and how texts and marks are shown there."""

    width: int
    height: int
    text: Callable[[str], str]
    mark: Callable[[Mark], Text]
    is_plain: bool = False
    """Whether cells are ASCII."""
    typed: Callable[[str], str] = str
    """Returns a command as it is typed to be about the same stack."""

    @property
    def is_wide(self) -> bool:
        """Whether figures stand beside the grid."""
        return self.width >= WIDE

    @property
    def cells_in_row(self) -> int:
        """How many cells a row of a large grid has."""
        return _GROUP * (_GROUPS_BESIDE if self.is_wide else _GROUPS)

    def cell(self, cell: Cell) -> Text:
        """Return a cell of the grid."""
        return Text(cell.in_ascii if self.is_plain else cell.utf8, style=cell.style)


def frame_of(snapshot: Snapshot, place: Place, *, lost: tuple[str, ...] = ()) -> list[Text]:
    """Return the lines. `lost`: why nothing new is known; it stands in place of the first lines."""
    head = _lost(lost, place) if lost else _head(snapshot, place)
    foot = _foot(snapshot, place)
    figures = _figures(snapshot.figures, place)
    steps = [] if lost else _steps(snapshot, place)
    is_wide = place.is_wide and bool(snapshot.rows)
    used = len(head) + len(foot) + len(steps) + (0 if is_wide else len(figures)) + 5
    grid = _grid(snapshot.rows, place, max(place.height - used, _FEWEST_ROWS))
    body = [_beside(grid, figures)] if is_wide else [grid, figures]
    table = _table(snapshot.sent, place) if is_wide else []
    lines = _blocks(head, *body, table, steps, foot)
    if len(lines) > place.height - 1:
        lines = _blocks(head, *body, steps, foot)
    if len(lines) > place.height - 1:
        lines = _blocks(head, steps or figures, foot)
    if lost:
        for line in lines[len(head) :]:
            line.stylize("dim")
    return lines[: place.height - 1]


def _blocks(*blocks: Sequence[Text]) -> list[Text]:
    """Join blocks with an empty line between them."""
    lines: list[Text] = []
    for block in blocks:
        if block:
            lines += [*([Text()] if lines else []), *block]
    return lines


def _head(snapshot: Snapshot, place: Place) -> list[Text]:
    said = snapshot.said
    first, *rest = _wrapped(said.first, place)
    lines = [Text.assemble(place.mark(said.mark), " ", (first, "bold"))]
    lines += [Text(f"  {line}", style="bold") for line in rest]
    return lines + [Text(f"  {line}") for each in said.more for line in _wrapped(each, place)]


def _lost(why: tuple[str, ...], place: Place) -> list[Text]:
    first, *more = why
    lines = [Text.assemble(place.mark(Mark.ERROR), " ", (line, "bold")) for line in _wrapped(first, place)[:1]]
    return lines + [Text(f"  {line}") for each in more for line in _wrapped(each, place)]


def _foot(snapshot: Snapshot, place: Place) -> list[Text]:
    name, project, run, age = snapshot.identity
    words = f"  {name}  project {project}  {run}  {age}"
    shown = words if len(words) <= place.width else f"  {name}  {run}  {age}"
    return [Text(place.text(shown)[: place.width], style="dim"), Text(f"  {LEAVES}", style="dim")]


def _steps(snapshot: Snapshot, place: Place) -> list[Text]:
    lines = []
    for step in snapshot.said.steps:
        lines += [Text(f"  {line}") for line in _wrapped(step.words, place)]
        command = place.text(place.typed(step.command)) if step.command else ""
        lines += [Text(f"    {line}", style="cyan") for line in broken(command, place.width - 4)]
    return lines


def broken(command: str, width: int) -> list[str]:
    r"""Return a command as lines that can be pasted together: a line that is full ends with `\`, before an option."""
    first, *options = re.split(" (?=--)", command)
    lines = [first] if first else []
    for option in options:
        is_full = len(f"{lines[-1]} {option} \\") > width
        lines += [f"  {option}"] if is_full and _is_closed(lines[-1]) else [f"{lines.pop()} {option}"]
    return [*(f"{line} \\" for line in lines[:-1]), *lines[-1:]]


def _is_closed(words: str) -> bool:
    """Return whether no quote is open at the end of some words of a command."""
    try:
        return bool(shlex.split(words))
    except ValueError:
        return False


def _figures(figures: Sequence[Figure], place: Place) -> list[Text]:
    if not figures:
        return []
    labels, values = max(len(each.label) for each in figures), max(len(each.value) for each in figures)
    room = place.width - labels - values - 8 - (_LEFT if place.is_wide else 0)
    return [
        Text.assemble(f"  {each.label:<{labels}}  ", (f"{each.value:>{values}}", each.style), _note(each, room))
        for each in figures
    ]


def _note(figure: Figure, room: int) -> str:
    return f"   {figure.note[:room]}" if figure.note else ""


def _grid(rows: Sequence[GridRow], place: Place, most_rows: int) -> list[Text]:
    """Return the grid and its legend, in no more lines than there are."""
    if not rows:
        return []
    shown = list(rows[-1:]) if len(rows) > most_rows else list(rows)
    room = max((most_rows - len(shown) + 1) if len(shown) > 1 else most_rows, 1)
    size, lines = 1, list[Text]()
    for row in shown:
        cells, of_row = worst_of(row.cells, place.cells_in_row * (room if row is shown[0] else 1))
        size = max(size, of_row)
        lines += _cells(row.label, cells, place)
    return [*lines, *_legend(counts_of(rows).items(), size, place)]


def _cells(label: str, cells: Sequence[Cell], place: Place) -> list[Text]:
    start = f"  {label}  " if label else "  "
    if len(cells) <= _SPACED and len(start) + 2 * len(cells) <= place.width:
        return [Text.assemble(start, Text(" ").join(place.cell(cell) for cell in cells))]
    a_row = place.cells_in_row
    lines = []
    for at in range(0, len(cells), a_row):
        some = cells[at : at + a_row]
        groups = [
            Text.assemble(*(place.cell(cell) for cell in some[i : i + _GROUP])) for i in range(0, len(some), _GROUP)
        ]
        lines.append(Text.assemble(start if not at else " " * len(start), Text(" ").join(groups)))
    return lines


def _legend(counts: Iterable[tuple[Cell, int]], size: int, place: Place) -> list[Text]:
    entries = [Text.assemble(place.cell(cell), f" {count:,} {cell.words}") for cell, count in counts]
    if size > 1:
        entries.append(Text(f"each cell is {size:,} batches"))
    width = _LEFT if place.is_wide else place.width
    lines, line = list[Text](), Text("  ")
    for entry in entries:
        if len(line) > 2 and len(line) + len(entry) + 2 > width:  # noqa: PLR2004 - the indent
            lines.append(line)
            line = Text("  ")
        line = Text.assemble(line, "  " if len(line) > 2 else "", entry)  # noqa: PLR2004
    return [*lines, line]


def _beside(left: Sequence[Text], right: Sequence[Text]) -> list[Text]:
    """Put two blocks beside each other; below each other if the left one is too wide."""
    if any(len(line) > _LEFT for line in left):
        return [*left, Text(), *right]
    lines = []
    for at in range(max(len(left), len(right))):
        one = left[at] if at < len(left) else Text()
        other = right[at] if at < len(right) else Text()
        lines.append(Text.assemble(one, " " * (_LEFT - len(one)), other) if other else one)
    return lines


def _table(rows: Sequence[SentRow], place: Place) -> list[Text]:
    if not rows:
        return []
    titles = SentRow("Batch", "Requests", "State", "Since", "Expires in", "Id at the provider")
    cells = [titles, *(row._replace(id=place.text(row.id)) for row in rows)]
    widths = [max(len(row[at]) for row in cells) for at in range(len(titles))]

    def line(row: SentRow) -> str:
        name, requests, *others = (f"{each:<{width}}" for each, width in zip(row, widths, strict=True))
        right = f"{row.requests:>{len(requests)}}"
        return "  ".join(["", name, right, *others]).rstrip()[: place.width]

    return [Text(line(row), style="" if at else "dim") for at, row in enumerate(cells)]


def _wrapped(text: str, place: Place) -> list[str]:
    width = max(place.width - 2, 20)
    return textwrap.wrap(place.text(text), width, break_long_words=True, break_on_hyphens=False) or [""]
