"""The batches of a run as cells: one a batch in the order of the drop, or several a cell, of which the worst shows."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from enum import Enum
from typing import NamedTuple

from conveyor.domain import keys
from conveyor.domain.schedule import BatchName
from conveyor.ledger.state import BatchState
from conveyor_cli.runs.facts import Facts
from conveyor_cli.runs.tally import failures_left
from conveyor_cli.state import is_lost, is_splitting


class Cell(Enum):
    """A batch: as UTF-8, in ASCII, its colour, and what the legend calls it. The worst comes first."""

    LOST = ("✗", "x", "bold red", "no results")
    UNKNOWN = ("?", "?", "bold yellow", "looked for")
    FAILED = ("◆", "*", "yellow", "some failed")
    AGAIN = ("1", "1", "magenta", "in a round")
    SPLITTING = ("▼", "v", "blue", "splitting")
    SENT = ("►", ">", "cyan", "with provider")
    TO_SEND = ("·", ".", "dim", "to send")
    NOT_SENT = ("–", "-", "dim", "not sent")  # noqa: RUF001 - an en dash
    DONE = ("■", "#", "", "all answered")

    def __init__(self, utf8: str, in_ascii: str, style: str, words: str) -> None:
        self.utf8 = utf8
        self.in_ascii = in_ascii
        self.style = style
        self.words = words

    @property
    def badness(self) -> int:
        """0 for the worst."""
        return _ORDER[self]


_ORDER = {cell: at for at, cell in enumerate(Cell)}


class GridRow(NamedTuple):
    """The batches of the drop, or of a round."""

    label: str
    """Empty where there are no rounds."""
    cells: Sequence[Cell]


def rows_of(facts: Facts, *, even_one: bool = False) -> list[GridRow]:
    """Return the rows; none before there is a plan. `even_one`: also if there is but one batch, and no round."""
    plan = facts.plan
    if plan is None or (len(plan.batches) == 1 and not plan.rounds and not even_one):
        return []
    legs = ["", *(leg for leg in plan.legs if keys.round_number(leg))]
    rows = []
    for leg in legs:
        of_leg = facts.run_state.of_leg(leg)
        batches = [batch for batch in plan.of_leg(leg).batches if batch.requests]
        cells = [_cell(facts, BatchName(leg, each.number), of_leg.batch(each.number)) for each in batches]
        rows.append(GridRow(f"round {keys.round_number(leg)}" if len(legs) > 1 else "", cells))
    return rows


def counts_of(rows: Iterable[GridRow]) -> Mapping[Cell, int]:
    """Return how many batches are in which state, the best last: only states that occur."""
    counts = Counter(cell for row in rows for cell in row.cells)
    return {cell: counts[cell] for cell in reversed(Cell) if counts[cell]}


def worst_of(cells: Sequence[Cell], most: int) -> tuple[list[Cell], int]:
    """Return at most so many cells, and how many batches each stands for."""
    size = max(-(-len(cells) // most), 1)
    some = (cells[at : at + size] for at in range(0, len(cells), size))
    return [min(each, key=lambda cell: cell.badness) for each in some], size


def _cell(facts: Facts, name: BatchName, batch: BatchState) -> Cell:
    """Return the state of a batch."""
    if batch.stuck:
        return Cell.LOST
    if batch.parted:
        return _parted(facts, name, batch)
    if batch.submitted:
        return Cell.SPLITTING if is_splitting(batch) else Cell.SENT
    if is_lost(batch):
        return Cell.UNKNOWN
    return Cell.NOT_SENT if facts.refusal else Cell.TO_SEND


def _parted(facts: Facts, name: BatchName, batch: BatchState) -> Cell:
    if batch.has_again and not batch.merged and not facts.refusal:
        return Cell.AGAIN
    tally = facts.tallies.get(name)
    has_failed = tally is not None and failures_left(tally, facts.merged.get(name)) > 0
    return Cell.FAILED if has_failed else Cell.DONE
