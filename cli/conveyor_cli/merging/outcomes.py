"""What became of each failure that was sent again: a table on the disk, since there may be millions."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple, Self

import msgspec

_SCHEMA = """
create table sent_again (
    id text primary key, source integer not null default -1, answered integer not null default 0, start integer
) without rowid
"""
_INSERT = "insert or ignore into sent_again (id) values (?)"
_UPDATE = "update sent_again set source = ?, answered = ?, start = ? where id = ? and answered = 0"
_SELECT = "select source, answered, start from sent_again where id = ?"


class OutcomeLine(msgspec.Struct):
    """What is read of a line of `results.jsonl` or `failures.jsonl`. Only failures have more than the id."""

    custom_id: Any = None
    line: int | None = None
    retryable: bool = False


class Later(NamedTuple):
    """The last outcome of a request that was sent again."""

    source: int
    """Of which retry, in order."""
    answered: bool
    start: int
    """Where its line begins: in the results of that retry if it was answered, else in its failures."""


class Outcomes:
    """The requests that may be sent again, by id, and what became of them."""

    def __init__(self, table: sqlite3.Connection) -> None:
        """Use `open`."""
        self._table = table
        self.strange = 0
        """Outcomes of retries that are of no request that could be sent again."""
        self.twice = 0
        """Outcomes of requests that had been answered by an earlier retry."""

    @classmethod
    @contextmanager
    def open(cls, path: Path) -> Iterator[Self]:
        """Yield an empty table, in a file that is gone afterwards. Raises OSError, sqlite3.Error."""
        path.unlink(missing_ok=True)
        table = sqlite3.connect(path, isolation_level=None)
        try:
            for setting in ("journal_mode = off", "synchronous = off", "locking_mode = exclusive"):
                table.execute(f"pragma {setting}")
            table.execute(_SCHEMA)
            table.execute("begin")
            yield cls(table)
        finally:
            table.close()
            path.unlink(missing_ok=True)

    def expect(self, failures: Path) -> None:
        """Take the failures of the run itself: those that could be sent again."""
        decode = msgspec.json.Decoder(OutcomeLine).decode
        with failures.open("rb") as lines:
            found = map(decode, lines)
            self._table.executemany(_INSERT, ((name_of(each),) for each in found if is_sendable(each)))

    def add(self, source: int, results: Path, failures: Path) -> None:
        """Take the outcomes of a retry. The first answer to a request counts, and else its last failure."""
        self._add(source, failures, answered=False)
        self._add(source, results, answered=True)

    def of(self, failure: OutcomeLine) -> Later | None:
        """Return what became of a failure; None if no retry says anything of it."""
        if not is_sendable(failure):
            return None
        source, answered, start = self._table.execute(_SELECT, (name_of(failure),)).fetchone()
        return Later(source, bool(answered), start) if source >= 0 else None

    def _add(self, source: int, path: Path, *, answered: bool) -> None:
        decode = msgspec.json.Decoder(OutcomeLine).decode
        start = 0
        with path.open("rb") as lines:
            for line in lines:
                name = name_of(decode(line))
                if name is None or not self._note(name, source, answered=answered, start=start):
                    self.strange += 1
                start += len(line)

    def _note(self, name: str, source: int, *, answered: bool, start: int) -> bool:
        """Note an outcome; return whether it is of a request that could be sent again."""
        if self._table.execute(_UPDATE, (source, answered, start, name)).rowcount:
            return True
        is_known = self._table.execute(_SELECT, (name,)).fetchone() is not None
        self.twice += is_known
        return is_known


def is_sendable(failure: OutcomeLine) -> bool:
    """Return whether a failure's line is in `retry.jsonl`."""
    return failure.retryable and name_of(failure) is not None


def name_of(line: OutcomeLine) -> str | None:
    """Return the id of a line as text, since 7 and "7" are one id; None if it has none."""
    given = line.custom_id
    return str(given) if isinstance(given, str | int) and not isinstance(given, bool) else None
