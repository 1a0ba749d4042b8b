"""Rows of a table, each with the outcome of its request."""

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import NamedTuple

from conveyor_cli.answers.record import Record
from conveyor_cli.answers.spool import Found, Spool
from conveyor_cli.exits import Exit
from conveyor_cli.preparing.ids import BadId, id_of
from conveyor_cli.tables.table import Row, Table
from conveyor_cli.tables.values import Written
from conveyor_cli.trouble import Trouble

_ENOUGH = 100
"""Rows with a request that show which column has the ids."""
ROW_NUMBERS = "row number"
type _Open = Callable[[], Table]
type _Find = Callable[[str], Found | None]


class Key(NamedTuple):
    """What a row and its request have in common."""

    column: str | None
    """None: the number of the row is in the id, as `conveyor prepare` makes it."""
    of: Callable[[Row], str | None]
    """Returns the key of a row; None if it has none."""
    find: _Find

    @property
    def words(self) -> str:
        """What it is called."""
        return self.column or ROW_NUMBERS


class Joined:
    """The rows of a table with their outcomes, and how many there were."""

    def __init__(self, table: Table, key: Key, spool: Spool) -> None:
        """`table`: with all rows yet to read."""
        self._table, self._key = table, key
        self._used = bytearray(spool.seen.records)
        self.rows = self.joined = 0

    def __iter__(self) -> Iterator[tuple[Row, Record | None]]:
        """Yield each row with its outcome, if it has one. Raises Trouble for a row that cannot be read."""
        for row in self._table.rows:
            if row.problem:
                message = f"{self._table.name}, row {row.number:,}: {row.problem}"
                raise Trouble("rows", message, "Nothing was written.", exit_code=Exit.USAGE)
            self.rows += 1
            name = self._key.of(row)
            found = None if name is None else self._key.find(name)
            if found:
                self.joined += 1
                self._used[found.number] = 1
            yield row, found.record if found else None

    @property
    def unmatched(self) -> int:
        """How many requests have no row."""
        return len(self._used) - sum(self._used)


@contextmanager
def key_of(again: _Open, spool: Spool, on: str | None) -> Iterator[Key]:
    """Yield what joins a table: ids in a column, or numbers of rows in ids, or a column that was carried along.

    `again`: opens the table. `on`: the column, if a person has named it. Raises Trouble if it is not known.
    """
    with closing(again()) as table, spool.by(lambda record: record.name) as find:
        if on is not None and on not in table.columns:
            message = f'{table.name} has no column "{on}"; it has: {", ".join(table.columns)}'
            raise Trouble("column-missing", message, "Nothing was written.", exit_code=Exit.USAGE)
        columns = table.columns if on is None else (on,)
        ways = [Key(name, _in_column(at), find) for at, name in enumerate(table.columns) if name in columns]
        if on is None:
            ways.append(Key(None, lambda row: f"row-{row.number}", find))
        if chosen := _best(ways, table, is_named=on is not None):
            yield chosen
            return
    if on is None or on not in spool.seen.kept:
        raise _no_key(table.name, on)
    with closing(again()) as table, spool.by(lambda record: _kept(record, on)) as find:
        key = Key(on, _in_column(table.columns.index(on)), find)
        if not _best([key], table, is_named=True):
            raise _no_key(table.name, on)
        _refuse_twice(spool, on, find)
        yield key


def _kept(record: Record, name: str) -> str | None:
    """Return the value of a kept key as the cell of a row is told: 7, 7.0 and "7" are the same."""
    return _told(Written(bytes(record.kept[name]))) if name in record.kept else None


def _in_column(at: int) -> Callable[[Row], str | None]:
    return lambda row: _told(row.values[at]) if at < len(row.values) else None


def _told(value: object) -> str | None:
    """Return a value as the id that it is; None if it is none."""
    try:
        return str(id_of(value))
    except BadId:
        return None


def _best(ways: list[Key], table: Table, *, is_named: bool) -> Key | None:
    """Return the way that finds the most requests; None if none finds any.

    A request counts once: a column of small numbers finds the same few ones in all rows. Raises Trouble if several
    columns may be meant.
    """
    hits = [set[int]() for _ in ways]
    repeats = [False] * len(ways)
    seen = 0
    for row in table.rows:
        found = [way.find(name) if (name := way.of(row)) is not None else None for way in ways]
        for at, each in enumerate(found):
            if each:
                repeats[at] |= each.number in hits[at]
                hits[at].add(each.number)
        seen += any(found)
        if seen == _ENOUGH or (is_named and seen):
            break
    most = max(map(len, hits))
    best = [way for way, numbers in zip(ways, hits, strict=True) if len(numbers) == most]
    if all(again for way, again in zip(ways, repeats, strict=True) if way in best):
        best += [way for way, numbers, again in zip(ways, hits, repeats, strict=True) if numbers and not again]
    if not most:
        return None
    if len(best) > 1 and table.id_column in {way.column for way in best}:
        best = [way for way in best if way.column == table.id_column]
    if len(best) > 1:
        names = " and ".join(f'"{way.words}"' for way in best[:2])
        message = f"Both {names} of {table.name} have ids of requests"
        raise Trouble("which-column", message, "Nothing was written. Say which: --on COLUMN.", exit_code=Exit.USAGE)
    return best[0]


def _refuse_twice(spool: Spool, column: str, find: _Find) -> None:
    """Raise Trouble if a value that was carried along is that of several requests."""
    for number, record in enumerate(spool):
        name = _kept(record, column)
        found = find(name) if name is not None else None
        if found and found.number != number:
            message = f'Several requests have the same "{column}", and it is not their id'
            raise Trouble("key-twice", message, "Nothing was written. Name another column.", exit_code=Exit.USAGE)


def _no_key(name: str, on: str | None) -> Trouble:
    where = f'column "{on}"' if on else "a column"
    message = f"No row of {name} has the id of a request in {where}"
    more = "Nothing was written. Is it the table of this run?" + ("" if on else " Or name a column: --on COLUMN.")
    return Trouble("no-key", message, more, exit_code=Exit.USAGE)
