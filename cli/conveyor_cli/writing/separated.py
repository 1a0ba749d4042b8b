"""Tables as CSV (RFC 4180), in UTF-8."""

import csv
import re
from collections.abc import Callable
from pathlib import Path

from conveyor_cli.writing.cells import Cell, Nested, Number, plain
from conveyor_cli.writing.table import NewTable

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""A spreadsheet may take a text that begins so for a formula: https://owasp.org/www-community/attacks/CSV_Injection"""
_PLAIN_NUMBER = re.compile(r"[+-]?[0-9]+(?:[.,][0-9]+)?(?:[eE][+-]?[0-9]+)?%?")


class _Digits:
    """A number that is written without quotes, with the digits it has."""

    def __init__(self, text: str) -> None:
        self._text = text

    def __str__(self) -> str:
        """Return them."""
        return self._text


def write_csv(file: Path, table: NewTable) -> int:
    """Write each value as it is. An empty text is `""`, and no value is nothing. Raises OSError."""
    return _write(file, table, "utf-8", _exact)


def write_csv_for_excel(file: Path, table: NewTable) -> int:
    """Do the same with a byte order mark, and an apostrophe before each text that would be taken for a formula."""
    return _write(file, table, "utf-8-sig", _harmless)


def _write(file: Path, table: NewTable, encoding: str, form: Callable[[Cell], object]) -> int:
    count = 0
    with file.open("w", encoding=encoding, newline="") as out:
        csv.writer(out).writerow([form(name) for name in table.columns])
        writer = csv.writer(out, quoting=csv.QUOTE_STRINGS)
        for count, row in enumerate(table.rows, 1):  # noqa: B007 - the number of the last row
            writer.writerow(map(form, row))
    return count


def _exact(cell: Cell) -> object:
    if isinstance(cell, Number | bool):
        return _Digits(str(plain(cell)))
    return plain(cell) if isinstance(cell, Nested) or not isinstance(cell, int | float) else cell


def _harmless(cell: Cell) -> object:
    if isinstance(cell, str) and cell.startswith(_FORMULA) and not _PLAIN_NUMBER.fullmatch(cell):
        return f"'{cell}"
    return _exact(cell)
