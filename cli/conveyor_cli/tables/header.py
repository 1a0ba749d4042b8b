"""The names of columns, from the row that has them."""

from collections.abc import Sequence

from conveyor_cli.exits import Exit
from conveyor_cli.tables.table import Columns
from conveyor_cli.trouble import Trouble

_MOST_LISTED = 20


def named(file: str, cells: Sequence[object]) -> Columns:
    """Return the names of columns without white space around them; a column without a name is `column_3`.

    Raises Trouble if there are none, or if two are the same.
    """
    names = tuple(str(cell or "").strip() or f"column_{at}" for at, cell in enumerate(cells, 1))
    if not any(cells):
        raise empty(file, "has no row that names its columns")
    if twice := sorted({name for name in names if names.count(name) > 1}):
        what = ", ".join(f'"{name}"' for name in twice[:10])
        raise Trouble(
            "columns-twice",
            f"{file} has more than one column {what}",
            "Nothing was written. Give each column a name of its own.",
            exit_code=Exit.NO_RESULTS,
        )
    return names


def listed(columns: Columns) -> str:
    """Return the names of columns for a message; the first of many."""
    more = len(columns) - _MOST_LISTED
    return ", ".join(columns[:_MOST_LISTED]) + (f" and {more:,} more" if more > 0 else "")


def empty(file: str, how: str, *more: str) -> Trouble:
    """Return that a file holds nothing to make requests of. `more`: why not."""
    return Trouble("table-empty", f"{file} {how}", *more, "Nothing was written.", exit_code=Exit.NO_RESULTS)
