"""Make a table of the outcomes of a run: all of it, or nothing."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from shlex import quote
from typing import NamedTuple

from conveyor_cli.answers.filled import Filled
from conveyor_cli.answers.join import Joined, key_of
from conveyor_cli.answers.layout import Layout, layout_of, unique
from conveyor_cli.answers.record import Record
from conveyor_cli.answers.source import Source
from conveyor_cli.answers.spool import Spool
from conveyor_cli.answers.wish import CSV, PARQUET, Wish
from conveyor_cli.tables.opening import open_table
from conveyor_cli.trouble import Trouble
from conveyor_cli.writing.cells import Cell, cell_from
from conveyor_cli.writing.separated import write_csv, write_csv_for_excel
from conveyor_cli.writing.table import NewTable, Write, is_parquet
from conveyor_cli.writing.whole import beside, explained_writing


class JoinedWith(NamedTuple):
    """How rows and requests have found each other."""

    rows: int
    joined: int
    unmatched: int
    """Requests without a row: they are not in the table."""
    by: str


class Made(NamedTuple):
    """What was written."""

    file: Path
    rows: int
    columns: list[str]
    filled: Filled | None
    """Of the first column that answers fill; None if only failures were wanted."""
    joined: JoinedWith | None
    notes: list[str]


def make(wish: Wish, open_source: Callable[[Path], Source]) -> Made:
    """Write the table of a wish that was checked. Raises Trouble.

    `open_source`: opens the files of the run; it gets an empty folder for what it needs.
    """
    with beside(wish.output) as scratch, explained_writing(wish.output):
        source = open_source(scratch)
        spool = Spool.fill(scratch, source.records())
        made = _plain(wish, spool, scratch) if wish.join is None else _joined(wish, wish.join, spool, scratch)
        made.file.replace(wish.output)
    return made._replace(file=wish.output, notes=source.notes + made.notes)


class _Rows:
    """Makes the cells of outcomes, and counts which are empty."""

    def __init__(self, layout: Layout, columns: Sequence[str]) -> None:
        """`columns`: the names of the layout's columns in the table."""
        self._layout = layout
        self.filled = Filled(columns[layout.first]) if layout.of_answers else None

    def __call__(self, record: Record | None) -> list[Cell]:
        cells = self._layout.cells(record)
        if self.filled:
            self.filled.add(record, cells[self._layout.first])
        return cells


def _plain(wish: Wish, spool: Spool, scratch: Path) -> Made:
    """Write a row for each outcome that is wanted."""
    layout, notes = layout_of(spool.seen, wish, (), None)
    columns, changed = unique(layout.columns)
    row = _Rows(layout, columns)
    cells = (row(record) for record in spool if wish.wants(record))
    file = scratch / wish.output.name
    count = _writer(wish)(file, NewTable(columns, cells, scratch))
    return Made(file, count, columns, row.filled, None, notes + changed)


def _joined(wish: Wish, path: Path, spool: Spool, scratch: Path) -> Made:
    """Write a row for each row of another table."""
    again = partial(open_table, path, wish.reading)
    with _explained(path), key_of(again, spool, wish.on) as key, closing(again()) as table:
        layout, notes = layout_of(spool.seen, wish, table.columns, key.column)
        columns, changed = unique([*((name, False) for name in table.columns), *layout.columns])
        joined, row = Joined(table, key, spool), _Rows(layout, columns[len(table.columns) :])
        file = scratch / wish.output.name
        if wish.output.suffix.lower() == PARQUET and is_parquet(path):
            write = _beside(path, len(table.columns))
            cells = (row(record) if _wants(wish, record) else () for _, record in joined)
        else:
            write = _writer(wish)
            cells = ([*map(cell_from, old.values), *row(record)] for old, record in joined if _wants(wish, record))
        count = write(file, NewTable(columns, cells, scratch))
    about = JoinedWith(joined.rows, joined.joined, joined.unmatched, key.words)
    return Made(file, count, columns, row.filled, about, [*notes, *changed, *(each.words for each in table.notes)])


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    """Change the commands in a Trouble of a table: it is joined, and no requests are made of it."""
    try:
        yield
    except Trouble as error:
        name = quote(str(path))
        begins = f"conveyor prepare {name} "
        error.commands = tuple(f"conveyor table … --join {name} ".join(each.split(begins)) for each in error.commands)
        raise


def _wants(wish: Wish, record: Record | None) -> bool:
    """Return whether a row is wanted. One without a request is, unless only some outcomes are."""
    return wish.wants(record) if record else not wish.is_filtered


def _writer(wish: Wish) -> Write:
    """Return what writes a kind of file. The libraries are loaded where they are needed."""
    kind = wish.output.suffix.lower()
    if kind == CSV:
        return write_csv_for_excel if wish.excel else write_csv
    if kind == PARQUET:
        from conveyor_cli.writing.parquet import write_parquet  # noqa: PLC0415

        return write_parquet
    from conveyor_cli.writing.sheet import write_sheet  # noqa: PLC0415

    return write_sheet


def _beside(path: Path, width: int) -> Write:
    from conveyor_cli.writing.parquet import write_parquet_beside  # noqa: PLC0415

    return partial(write_parquet_beside, path, width)
