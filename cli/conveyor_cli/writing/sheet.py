"""Tables as Excel workbooks (.xlsx): one sheet, written row by row."""

import math
import re
from datetime import date, datetime, time
from pathlib import Path
from typing import Any

import openpyxl
from openpyxl.cell import WriteOnlyCell

from conveyor_cli.exits import Exit
from conveyor_cli.trouble import Trouble
from conveyor_cli.writing.cells import Cell, Number, plain
from conveyor_cli.writing.table import NewTable

MOST_ROWS = 1_048_576
"""With the one that names the columns."""
MOST_COLUMNS = 16_384
LONGEST_CELL = 32_767
"""Characters, in UTF-16."""
_MOST_DIGITS = 15
"""Of a number: Excel changes those after it."""
_FIRST_DAY = date(1900, 3, 1)
"""Excel has a day before that did not exist."""
_NOT_IN_XML = re.compile("[\x00-\x08\x0b-\x1f\ufffe\uffff]|_(?=x[0-9A-Fa-f]{4}_)")
_NUMBER = re.compile(r"-?([0-9]*)\.?([0-9]*)(?:[eE][+-]?[0-9]+)?")


def write_sheet(file: Path, table: NewTable) -> int:
    """Write a workbook; texts are never formulas. Raises Trouble for what does not fit into one, OSError."""
    if len(table.columns) > MOST_COLUMNS:
        raise _too_large(f"{len(table.columns):,} columns; a sheet has {MOST_COLUMNS:,}")
    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet("answers")
    count = 0
    try:
        sheet.append([_cell(sheet, name, 0, name) for name in table.columns])
        for count, row in enumerate(table.rows, 1):
            if count >= MOST_ROWS:
                raise _too_large(f"more than {MOST_ROWS - 1:,} rows; a sheet has one more, for the names")
            sheet.append([_cell(sheet, cell, count, name) for cell, name in zip(row, table.columns, strict=True)])
    finally:
        sheet.close()
    book.save(file)
    return count


def _cell(sheet: Any, value: Cell, row: int, column: str) -> Any:  # noqa: ANN401 - openpyxl's own types are loose
    fits = _fitting(value)
    if not isinstance(fits, str):
        return fits
    if len(fits) > LONGEST_CELL // 2 and (length := len(fits.encode("utf-16-le")) // 2) > LONGEST_CELL:
        where = f'row {row:,}, "{column}"' if row else "the name of a column"
        raise _too_large(f"{where}: {length:,} characters; a cell has {LONGEST_CELL:,}")
    cell: Any = WriteOnlyCell(sheet)
    cell._value = _NOT_IN_XML.sub(_escaped, fits)  # noqa: SLF001 - `value` would take "=" for a formula
    cell.data_type = "s"
    return cell


def _fitting(value: Cell) -> Any:  # noqa: ANN401, PLR0911 - a return for each kind
    """Return what Excel can hold: a number with too many digits, a time with a zone and an early day are texts."""
    match value:
        case None | bool():
            return value
        case int():
            return value if len(str(abs(value))) <= _MOST_DIGITS else str(value)
        case Number():
            return _number(value.text)
        case datetime():
            is_fit = value.tzinfo is None and value.date() >= _FIRST_DAY
            return value if is_fit else value.isoformat()
        case date():
            return value if value >= _FIRST_DAY else value.isoformat()
        case time():
            return value if value.tzinfo is None else value.isoformat()
        case float():
            return value
    return plain(value)


def _number(text: str) -> float | str:
    found = _NUMBER.fullmatch(text)
    digits = (found[1] + found[2]).strip("0") if found else "0" * LONGEST_CELL
    value = float(text) if len(digits) <= _MOST_DIGITS else math.inf
    return value if math.isfinite(value) else text


def _escaped(found: re.Match[str]) -> str:
    """Return a character that XML does not have as Excel writes it."""
    return f"_x{ord(found[0]):04X}_"


def _too_large(what: str) -> Trouble:
    more = "Nothing was written. Write .csv or .parquet instead."
    return Trouble("too-large-for-excel", f"Excel cannot hold this: {what}", more, exit_code=Exit.USAGE)
