"""Which columns a table of answers has, and the cells of a row."""

from collections.abc import Iterable
from itertools import chain, count
from typing import NamedTuple

import msgspec

from conveyor_cli.answers.message import Answer, fields_of
from conveyor_cli.answers.record import Record
from conveyor_cli.answers.spool import MOST_FIELDS, Seen
from conveyor_cli.answers.wish import Wish
from conveyor_cli.exits import Exit
from conveyor_cli.trouble import Trouble
from conveyor_cli.writing.cells import Cell, cell_of

ID, TEXT = "custom_id", "text"
_OURS = ("model", "stop_reason", "input_tokens", "output_tokens")
_CACHE = ("cache_write_tokens", "cache_read_tokens")
_ENDED = ("outcome", "error_type", "error")
_MOST_NAMED = 20
_NAMELESS = "column"

type _Fields = dict[str, msgspec.Raw]


class Layout(NamedTuple):
    """The columns beside those of a table that is joined."""

    kept: tuple[str, ...]
    fields: tuple[str, ...]
    """Of answers that are JSON objects, one column each; none: the texts are shown as they are."""
    answer: tuple[str, ...]
    """The columns of an answer beside its fields; none if only failures are wanted."""
    has_id: bool

    @property
    def columns(self) -> list[tuple[str, bool]]:
        """The names, which may collide, and whether each is ours or was carried along."""
        ours = [(name, True) for name in (*self.of_answers, *_ENDED)]
        return [(ID, True)] * self.has_id + [(name, False) for name in self.kept] + ours

    @property
    def of_answers(self) -> list[str]:
        """The names of columns that answers fill."""
        return [*self.fields, *self.answer]

    @property
    def first(self) -> int:
        """The place of the first column that answers fill."""
        return self.has_id + len(self.kept)

    def cells(self, record: Record | None) -> list[Cell]:
        """Return the cells of an outcome; empty ones for a row without a request."""
        if record is None:
            return [None] * len(self.columns)
        cells: list[Cell] = [cell_of(record.custom_id)] if self.has_id else []
        cells += [cell_of(record.kept.get(name)) for name in self.kept]
        if self.answer:
            cells += self._answer(record.answer)
        return [*cells, record.outcome, record.error_type, record.error]

    def _answer(self, answer: Answer | None) -> list[Cell]:
        if answer is None:
            return [None] * (len(self.fields) + len(self.answer))
        found: _Fields = (fields_of(answer.text or "") or {}) if self.fields and answer.is_object else {}
        values: dict[str, Cell] = {
            TEXT: None if self.fields and answer.is_object else answer.text,
            "model": answer.model,
            "stop_reason": answer.stop_reason,
            "input_tokens": answer.input_tokens,
            "output_tokens": answer.output_tokens,
            "cache_write_tokens": answer.cache_write_tokens,
            "cache_read_tokens": answer.cache_read_tokens,
        }
        return [cell_of(found.get(name)) for name in self.fields] + [values[name] for name in self.answer]


def layout_of(seen: Seen, wish: Wish, joined: Iterable[str], key: str | None) -> tuple[Layout, list[str]]:
    """Choose the columns, and say what a person should know of them.

    `joined`: the columns of the table that is joined, which kept columns of the same names are copies of; `key`: the
    one that has the ids. Raises Trouble for a field that no answer has.
    """
    there = frozenset(joined)
    kept = tuple(name for name in seen.kept if name not in there)
    if wish.failed:
        return Layout(kept, (), (), has_id=key != ID), []
    fields, notes = _fields(seen, wish.fields)
    text = (TEXT,) if not fields or seen.objects < seen.answers else ()
    cache = _CACHE if seen.has_cache else ()
    return Layout(kept, fields, (*text, *_OURS, *cache), has_id=key != ID), notes


def unique(names: Iterable[tuple[str, bool]]) -> tuple[list[str], list[str]]:
    """Return names of which no two are the same, whatever their case, and a sentence for each that makes way.

    `names`: each with whether it is ours: ours make way. One that is empty, or has a NUL, is no name in Parquet.
    """
    used, made, notes = set[str](), list[str](), list[str]()
    for given, is_ours in names:
        name = given.replace("\0", "\ufffd") or _NAMELESS
        others = chain([f"{name}_answer"] if is_ours else [], (f"{name}_{number}" for number in count(2)))
        free = next(each for each in chain([name], others) if each.casefold() not in used)
        if free != name:
            which = "the answer's" if is_ours else "the other one"
            notes.append(f'There is a column "{name}" already: {which} is "{free}".')
        used.add(free.casefold())
        made.append(free)
    return made, notes


def _fields(seen: Seen, wish: str | None) -> tuple[tuple[str, ...], list[str]]:
    """Return the fields that become columns: those that are named, or all if at least half of the answers have any."""
    is_known = len(seen.fields) <= MOST_FIELDS
    if wish is not None:
        names = (wish,) if wish in seen.fields else tuple(dict.fromkeys(each.strip() for each in wish.split(",")))
        if is_known and (missing := [name for name in names if name not in seen.fields]):
            raise _no_field(missing[0], seen)
        return names, []
    if seen.objects * 2 < seen.answers:
        return (), []
    if is_known:
        return tuple(seen.fields), []
    return (), [
        f"The answers have more than {MOST_FIELDS} different fields: they are in one column. Name some: --fields."
    ]


def _no_field(name: str, seen: Seen) -> Trouble:
    have = ", ".join([*seen.fields][:_MOST_NAMED]) + (" …" if len(seen.fields) > _MOST_NAMED else "")
    message = f'No answer has a field "{name}"'
    more = f"They have: {have}." if have else "None of them is a JSON object."
    return Trouble("field-missing", message, more, "Nothing was written.", exit_code=Exit.USAGE)
