"""Write a file of requests from a table: all of it, or nothing."""

import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from itertools import islice
from pathlib import Path
from typing import IO, Any, NamedTuple

from conveyor.money.estimate import Estimate, Meter
from conveyor.money.prices import PRICES
from conveyor.wording.text import counted
from conveyor_cli.exits import Exit
from conveyor_cli.preparing.ids import Ids, repeated
from conveyor_cli.preparing.request import BadRow, Form, Written, custom_id_of, request_of
from conveyor_cli.tables.header import empty
from conveyor_cli.tables.table import Note, Row, Table
from conveyor_cli.tables.values import is_empty
from conveyor_cli.trouble import Trouble

_MOST_NAMED = 10
_FIRST = 3
"""Rows that a note names."""


class First(NamedTuple):
    """The first request, for a person to look at."""

    row: Row
    written: Written


class Prepared(NamedTuple):
    """What was written."""

    file: Path
    requests: int
    bytes: int
    skipped: int
    estimate: Estimate
    first: First
    notes: list[Note]


class _Empty:
    """The rows in which a column that is used is empty."""

    def __init__(self, column: str) -> None:
        self.column = column
        self.count = 0
        self.first = list[int]()

    def add(self, row: int) -> None:
        """Add a row."""
        self.count += 1
        if len(self.first) < _FIRST:
            self.first.append(row)

    def note(self) -> Note:
        """Return what is said of them."""
        rows = ", ".join(f"{each:,}" for each in self.first)
        more = self.count - len(self.first)
        have, which = ("has", "row") if self.count == 1 else ("have", "rows")
        words = f'{counted(self.count, "row")} {have} an empty "{self.column}": {which} {rows}'
        more_words = f" and {more:,} more" if more else ""
        return Note("empty", f"{words}{more_words}.", self.count, self.column)


class Preparation:
    """One pass over the rows of a table."""

    def __init__(self, form: Form, *, skip_empty: tuple[str, ...], limit: int | None) -> None:
        """`skip_empty`: columns without which a row is left out. `limit`: the most requests."""
        self._form = form
        self._limit = limit
        self._skipped_if = [form.columns.index(name) for name in skip_empty]
        used = form.prompt.used + (form.system.used if form.system else ())
        self._empty = {form.columns.index(name): _Empty(name) for name in dict.fromkeys(used)}
        self._ids = Ids()
        self._meter = Meter(PRICES)
        self._problems = list[str]()
        self._bad = self._seen = self._skipped = self._requests = self._bytes = 0
        self._first: First | None = None

    def write(self, table: Table, again: Callable[[], Table], file: Path, tell: Callable[[int], None]) -> Prepared:
        """Write the requests of a table. `again`: opens it once more, to name rows whose ids are repeated.

        `tell`: takes how many rows are read.

        Raises Trouble, and writes nothing, if a row becomes no request.
        """
        with _replacing(file) as out:
            for row in islice(self._rows(table), self._limit):
                self._add(row, out)
                tell(row.number)
            if self._form.id_column is not None:
                self._look_for_repeated_ids(again)
            if not self._seen:
                raise empty(table.name, "names its columns and has no rows")
            if self._bad:
                raise self._refused(table.name)
            if self._first is None:
                raise empty(table.name, f"has {counted(self._seen, 'row')}, and all of them are left out")
        notes = [each.note() for each in self._empty.values() if each.count]
        estimate = self._meter.estimate()
        return Prepared(file, self._requests, self._bytes, self._skipped, estimate, self._first, [*notes, *table.notes])

    def _rows(self, table: Table) -> Iterator[Row]:
        """Yield the rows that are not left out."""
        for row in table.rows:
            self._seen += 1
            if not row.problem and any(is_empty(row.values[at]) for at in self._skipped_if):
                self._skipped += 1
            else:
                yield row

    def _add(self, row: Row, out: IO[bytes]) -> None:
        try:
            written = request_of(self._form, row)
        except BadRow as error:
            self._bad += 1
            if len(self._problems) < _MOST_NAMED:
                self._problems.append(f"row {row.number:,}: {error}")
            return
        self._ids.add(written.custom_id, row.number)
        for at, found in self._empty.items():
            if row.attached is None and is_empty(row.values[at]):
                found.add(row.number)
        request = written.request
        self._meter.add(request.model, request.bound, request.max_tokens or 0)
        self._requests += 1
        if not self._bad:
            self._bytes += out.write(written.line) + out.write(b"\n")
        self._first = self._first or First(row, written)

    def _look_for_repeated_ids(self, again: Callable[[], Table]) -> None:
        if found := self._ids.may_repeat():
            with closing(again()) as table:
                rows = repeated(found, self._ids_of(table))
            self._bad += len(rows)
            for row, first in rows[: _MOST_NAMED - len(self._problems)]:
                self._problems.append(f'row {row:,}: "{self._form.id_column}" is the same as in row {first:,}')

    def _ids_of(self, table: Table) -> Iterator[tuple[int, Any]]:
        for row in islice(self._rows(table), self._limit):
            with suppress(BadRow):
                yield row.number, custom_id_of(self._form, row)

    def _refused(self, name: str) -> Trouble:
        more = self._bad - len(self._problems)
        rest = [f"and {counted(more, 'more row')}"] if more else []
        message = f"{counted(self._bad, 'row')} of {name} cannot become {'a request' if self._bad == 1 else 'requests'}"
        return Trouble("rows", message, *self._problems, *rest, "Nothing was written.", exit_code=Exit.NO_RESULTS)


@contextmanager
def _replacing(file: Path) -> Iterator[IO[bytes]]:
    """Yield a file beside another, which it replaces if all goes well; else it is removed. Raises Trouble.

    It is hidden, so that it is not read as a file of the folder that is prepared.
    """
    try:
        out = tempfile.NamedTemporaryFile(dir=file.parent, prefix=f".{file.name}.", suffix=".part", delete=False)  # noqa: SIM115
    except OSError as error:
        raise _not_written(file, error) from error
    try:
        with out:
            yield out
        Path(out.name).chmod(0o666 & ~_umask())
        Path(out.name).replace(file)
    except OSError as error:
        raise _not_written(file, error) from error
    finally:
        Path(out.name).unlink(missing_ok=True)


def _umask() -> int:
    """Return which rights new files do not get. It can only be read by setting it."""
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _not_written(file: Path, error: OSError) -> Trouble:
    return Trouble("not-written", f"{file} cannot be written: {error.strerror or type(error).__name__}")
