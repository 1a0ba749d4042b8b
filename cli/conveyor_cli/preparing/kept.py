"""Which columns are carried along with each request, and come back with its outcome."""

from typing import NamedTuple

from conveyor.jsonl.members import OUR_KEYS
from conveyor.validation.rules import FIELDS_OF_PARAMS
from conveyor_cli.exits import Exit
from conveyor_cli.tables.header import listed
from conveyor_cli.tables.table import Columns, Note, Table
from conveyor_cli.trouble import Trouble

ALL, NONE = "all", "none"
_REFUSED = frozenset(FIELDS_OF_PARAMS) - {"model", "messages", "max_tokens"}
"""Fields of a request that would not be sent beside it; each request has the other three."""


class Kept(NamedTuple):
    """The columns that are kept, and what is said about others."""

    columns: Columns
    notes: list[Note]


def choose(table: Table, used: frozenset[str], id_column: str | None, wish: str | None) -> Kept:
    """Return the columns to keep. `used`: by the prompt and for other fields. `wish`: `all`, `none`, or names.

    By default all that are not used, with the column of ids. Raises Trouble for a name that cannot be kept.
    """
    if wish == NONE:
        return Kept((), [])
    if wish in {None, ALL}:
        wanted = [each for each in table.columns if wish or each == id_column or each not in used | {table.content}]
        left = {each: reason for each in wanted if (reason := _why_not(table, each)) and each != id_column}
        notes = [Note("not-kept", f'"{name}" is not kept: {reason}') for name, reason in left.items()]
        return Kept(tuple(each for each in wanted if not _why_not(table, each)), notes)
    names = _names(table, str(wish))
    for name in names:
        if reason := _why_not(table, name):
            raise _refused(f'"{name}" cannot be kept: {reason}')
    return Kept(names, [])


def _names(table: Table, wish: str) -> Columns:
    """Return the columns of a list of names with commas between them; a name may have commas itself."""
    if wish in table.columns:
        return (wish,)
    names = tuple(dict.fromkeys(each.strip() for each in wish.split(",") if each.strip()))
    if missing := [name for name in names if name not in table.columns]:
        raise _refused(f'--keep names "{missing[0]}"; {table.name} has: {listed(table.columns)}')
    return names


def _why_not(table: Table, name: str) -> str:
    if name in OUR_KEYS:
        return "lines have a key of this name already; rename the column"
    if name in _REFUSED:
        return "a key of this name belongs into the request; rename the column"
    return "its values are bytes" if name in table.binary else ""


def _refused(message: str) -> Trouble:
    return Trouble("keep", message, "Nothing was written.", exit_code=Exit.USAGE)
