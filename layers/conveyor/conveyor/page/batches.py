"""The batches of a run: one letter for each in a grid, and a table of those that matter."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import NamedTuple

import msgspec

from conveyor.receipt.batch_account import BatchAccount
from conveyor.receipt.receipt import Receipt

MOST_ROWS = 50
MOST_CELLS = 4000
"""Beyond that, a cell is several batches, and shows the worst of them."""

ANSWERED, AFTER_ROUND, UNKNOWN, NOT_SENT, SOME_FAILED, NO_RESULTS = "ohunsx"
"""From good to bad."""
ORDER = ANSWERED + AFTER_ROUND + UNKNOWN + NOT_SENT + SOME_FAILED + NO_RESULTS


class Leg(NamedTuple):
    """What was sent together: the sample (-1), the drop itself (0), or a round."""

    number: int
    batches: list[BatchAccount]


class GridRow(msgspec.Struct):
    """The batches of a leg."""

    leg: int
    """-1: the sample; 0: all lines; otherwise the number of a round."""
    batches: int
    cells: str
    """A letter for each cell, in the order of the drop."""
    batches_a_cell: int = 1


class BatchRow(msgspec.Struct):
    """One batch at the provider."""

    leg: int
    number: int
    id: str
    requests: int
    results: int
    sent_again: int
    failures: int
    created_at: datetime


class BatchesBlock(msgspec.Struct):
    """The batches of a run."""

    grid: list[GridRow]
    states: dict[str, int]
    """How many batches have each state, by letter."""
    rows: list[BatchRow]
    """In the order of the legs; or, of more than fit, those with most failures first."""
    batches: int
    """How many there are."""
    has_counts: bool
    """Whether it is known what became of the requests of each batch."""


def legs_of(receipt: Receipt) -> Iterator[Leg]:
    """Yield the legs of a run that have batches at the provider, in order."""
    if receipt.probe and receipt.probe.batches:
        yield Leg(-1, receipt.probe.batches)
    if receipt.batches:
        yield Leg(0, receipt.batches)
    for each in receipt.rounds:
        if each.batches:
            yield Leg(each.number, each.batches)


def batches_of(receipt: Receipt) -> BatchesBlock | None:
    """Return the batches of a run; None if nothing was sent."""
    legs = list(legs_of(receipt))
    if not legs:
        return None
    rows = [_row(leg.number, batch) for leg in legs for batch in leg.batches]
    states: dict[str, int] = {}
    grid = [_grid(leg, receipt.planned_batches, states) for leg in legs]
    count, has_counts = len(rows), any(row.results or row.failures or row.sent_again for row in rows)
    if count > MOST_ROWS:
        rows = sorted(rows, key=lambda row: (-row.failures, -row.sent_again, row.leg, row.number))[:MOST_ROWS]
    return BatchesBlock(grid, states, rows, count, has_counts)


def state_of(batch: BatchAccount) -> str:
    """Return the letter of a batch."""
    if not batch.results + batch.failures + batch.sent_again:
        return UNKNOWN
    if batch.failures:
        return SOME_FAILED if batch.results or batch.sent_again else NO_RESULTS
    return AFTER_ROUND if batch.sent_again else ANSWERED


def _grid(leg: Leg, planned: int, states: dict[str, int]) -> GridRow:
    found = {batch.number: state_of(batch) for batch in leg.batches}
    numbers: Iterable[int] = range(1, max(planned, *found) + 1) if leg.number == 0 else sorted(found)
    letters = [found.get(number, NOT_SENT) for number in numbers]
    for letter in letters:
        states[letter] = states.get(letter, 0) + 1
    many = -(-len(letters) // MOST_CELLS)
    cells = (max(letters[at : at + many], key=ORDER.index) for at in range(0, len(letters), many))
    return GridRow(leg.number, len(letters), "".join(cells), many)


def _row(leg: int, batch: BatchAccount) -> BatchRow:
    return BatchRow(
        leg,
        batch.number,
        batch.id,
        batch.requests,
        batch.results,
        batch.sent_again,
        batch.failures,
        batch.created_at,
    )
