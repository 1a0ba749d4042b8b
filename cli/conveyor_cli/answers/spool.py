"""The outcomes of a run on the disk: read once from where they come, and then row by row, or by key."""

import sqlite3
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, NamedTuple, Self

import msgspec

from conveyor_cli.answers.message import Answer, fields_of
from conveyor_cli.answers.record import Record

MOST_FIELDS = 500
"""Answers with more fields than that, all of them together, have no common form."""

_SCHEMA = "create table keys (key text primary key, answered integer, place integer, number integer) without rowid"
_INSERT = (
    "insert into keys values (?, ?, ?, ?) on conflict do update set answered = excluded.answered, "
    "place = excluded.place, number = excluded.number where excluded.answered > answered"
)
_SELECT = "select place, number from keys where key = ?"
_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Record).decode


class Seen:
    """What the outcomes have, all together."""

    def __init__(self) -> None:
        self.records = self.answers = self.objects = 0
        self.kept = dict[str, None]()
        """Names of kept keys, in the order in which they come."""
        self.fields = dict[str, None]()
        """The same of the fields of answers that are JSON objects; one more than `MOST_FIELDS` at most."""
        self.has_cache = False

    def add(self, record: Record) -> None:
        """Take one more."""
        self.records += 1
        self.kept.update(dict.fromkeys(record.kept))
        if record.answer:
            self._add_answer(record.answer)

    def _add_answer(self, answer: Answer) -> None:
        self.has_cache = self.has_cache or bool(answer.cache_read_tokens or answer.cache_write_tokens)
        self.answers += answer.text is not None
        self.objects += answer.is_object
        if answer.is_object and len(self.fields) <= MOST_FIELDS:
            self.fields.update(dict.fromkeys(fields_of(answer.text or "") or ()))


class Found(NamedTuple):
    """An outcome, and its number."""

    record: Record
    number: int
    """Counted from 0."""


class Spool:
    """Outcomes in a file."""

    def __init__(self, scratch: Path) -> None:
        """`scratch`: a folder for the file."""
        self._path = scratch / "outcomes.jsonl"
        self._keys = scratch / "keys.db"
        self.seen = Seen()

    @classmethod
    def fill(cls, scratch: Path, records: Iterable[Record]) -> Self:
        """Write all outcomes. Raises OSError, and what the records raise."""
        spool = cls(scratch)
        with spool._path.open("wb") as out:
            for record in records:
                spool.seen.add(record)
                out.write(_encode(record) + b"\n")
        return spool

    def __iter__(self) -> Iterator[Record]:
        """Yield all outcomes."""
        with self._path.open("rb") as lines:
            yield from map(_decode, lines)

    @contextmanager
    def by(self, key: Callable[[Record], str | None]) -> Iterator[Callable[[str], Found | None]]:
        """Yield what finds an outcome by its key. If several have it, an answer comes before a failure."""
        self._keys.unlink(missing_ok=True)
        with closing(sqlite3.connect(self._keys, isolation_level=None)) as table, self._path.open("rb") as lines:
            for setting in ("journal_mode = off", "synchronous = off", "locking_mode = exclusive"):
                table.execute(f"pragma {setting}")
            table.execute(_SCHEMA)
            table.execute("begin")
            table.executemany(_INSERT, _entries(lines, key))

            def find(name: str) -> Found | None:
                found = table.execute(_SELECT, (name,)).fetchone()
                if found is None:
                    return None
                lines.seek(found[0])
                return Found(_decode(lines.readline()), found[1])

            yield find


def _entries(lines: Any, key: Callable[[Record], str | None]) -> Iterator[tuple[str, bool, int, int]]:  # noqa: ANN401
    place = 0
    for number, line in enumerate(lines):
        record = _decode(line)
        name = key(record)
        if name is not None:
            yield name, record.answer is not None, place, number
        place += len(line)
