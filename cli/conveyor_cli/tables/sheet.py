"""Sheets of Excel workbooks (.xlsx, .xlsm). The only module that knows openpyxl."""

import re
import warnings
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime, time
from shlex import quote
from typing import Any

import openpyxl
from openpyxl.utils.exceptions import InvalidFileException

from conveyor.wording.text import counted
from conveyor_cli.exits import Exit
from conveyor_cli.tables.header import empty, named
from conveyor_cli.tables.source import Source, readable
from conveyor_cli.tables.table import Columns, Note, Row, Table
from conveyor_cli.trouble import Trouble

type _Sheet = Any
"""openpyxl's types do not know how sheets are read in pieces."""

_CHUNK = 1 << 20
_DAMAGED = (
    InvalidFileException, zipfile.BadZipFile, zlib.error,
    LookupError, ValueError, SyntaxError, AttributeError, TypeError,
)  # fmt: skip
_ESCAPE = re.compile(r"_x(?!D[89A-F])([0-9A-F]{4})_", re.IGNORECASE)
"""A character that XML does not have, as Excel writes it: 22.9.2.19 of ECMA-376, part 1."""
_LONGEST_CELL = 1 << 16
"""Bytes of a cell with a formula, at most: Excel allows 8,192 characters."""
_NOT_CALCULATED = re.compile(
    rb'<c\b(?![^>]*\bt="str")[^>]*?\br="([A-Z]{1,3}[0-9]+)"[^>]*>'
    rb"<f\b[^>]*(?:/>|>[^<]*</f>)\s*(?:<v\s*/>|<v></v>)?\s*</c>"
)
"""A formula without a value. An empty text that was calculated has the type `str`."""


def read_sheet(source: Source, sheet: str | None) -> Table:
    """Open a sheet. The first row that is not empty names the columns.

    Raises Trouble if several sheets have content and none is named, or if a formula has no value.
    """
    with readable(source.name):
        warnings.filterwarnings("ignore", module="openpyxl")  # about styles and the like, which are not read
        with _explained(source), ExitStack() as on_error:
            file = on_error.enter_context(source.path.open("rb"))  # of a path, openpyxl looks at the name
            book = openpyxl.load_workbook(file, read_only=True, data_only=True)
            on_error.callback(book.close)
            chosen = _chosen(source, [*book.worksheets], sheet)
            _refuse_without_values(source, chosen)
            notes, rows = list[Note](), _filled(chosen)
            columns = named(source.name, _without_end([_text(cell) for cell in next(rows, [])]))
            close = on_error.pop_all().close
        return Table(source.name, columns, _rows(source, columns, rows, notes), notes, close=close)


@contextmanager
def _explained(source: Source) -> Iterator[None]:
    """Raise a Trouble where a workbook is damaged: openpyxl has no error of its own for that."""
    try:
        yield
    except _DAMAGED as error:
        message = f"{source.name} is damaged, or not a workbook that can be read ({type(error).__name__})"
        raise Trouble("unreadable-table", message, "Nothing was written.", exit_code=Exit.NO_RESULTS) from error


def _chosen(source: Source, sheets: list[_Sheet], name: str | None) -> _Sheet:
    """Return the sheet that is named, or the only one with content."""
    for each in sheets:
        each.reset_dimensions()  # what the file says of its size is often wrong
    if name is not None:
        found = [each for each in sheets if each.title == name]
    else:
        found = [each for each in sheets if each.sheet_state == "visible" and next(_filled(each), None)]
    if len(found) == 1:
        return found[0]
    titles = [each.title for each in (found or sheets)]
    if name is None and not found:
        raise empty(source.name, "has no sheet with content")
    named_ = ", ".join(f'"{title}"' for title in titles[:10])
    message = f'{source.name} has no sheet "{name}"' if name is not None else f"{source.name} has several sheets"
    raise Trouble(
        "which-sheet",
        message,
        f"Nothing was written. Its sheets: {named_}.",
        commands=(f"conveyor prepare {quote(str(source.path))} --sheet {quote(titles[0])} …",),
        exit_code=Exit.USAGE,
    )


def _filled(sheet: _Sheet) -> Iterator[list[Any]]:
    """Yield the cells of each row that is not empty."""
    for row in sheet.iter_rows():
        if any(cell.value is not None for cell in row):
            yield list(row)


def _rows(source: Source, columns: Columns, rows: Iterator[list[Any]], notes: list[Note]) -> Iterator[Row]:
    failed = list[int]()
    for number, cells in enumerate(_read(source, rows), 1):
        values = [_value(cell) for cell in cells]
        if any(cell.data_type == "e" for cell in cells):
            failed.append(number)
        beyond = any(value is not None for value in values[len(columns) :])
        problem = f"a cell beyond the {counted(len(columns), 'column')} that the header names" if beyond else ""
        kept = values[: len(columns)]
        yield Row(number, kept + [None] * (len(columns) - len(kept)), problem)
    if failed:
        rows_ = ", ".join(f"{each:,}" for each in failed[:3])
        words = f"{counted(len(failed), 'row')} with an error of a formula (such as #N/A), taken as empty: {rows_}"
        notes.append(Note("error-cells", words, len(failed)))


def _read(source: Source, rows: Iterator[list[Any]]) -> Iterator[list[Any]]:
    """Yield rows as they are read from the file."""
    with readable(source.name), _explained(source):
        yield from rows


def _value(cell: Any) -> Any:  # noqa: ANN401 - a cell of any kind
    """Return the value of a cell: a day without a time is a date; an error is no value."""
    value = cell.value
    if isinstance(value, str) and cell.data_type != "e":
        return _ESCAPE.sub(lambda found: chr(int(found[1], 16)), value)
    if isinstance(value, datetime):
        has_time = value.time() != time() or "h" in (cell.number_format or "").lower()
        return value if has_time else value.date()
    return None if cell.data_type == "e" else value


def _text(cell: Any) -> str:  # noqa: ANN401
    value = _value(cell)
    return "" if value is None else str(value)


def _without_end(cells: list[str]) -> list[str]:
    """Return the cells up to the last that is not empty."""
    while cells and not cells[-1].strip():
        cells.pop()
    return cells


def _refuse_without_values(source: Source, sheet: _Sheet) -> None:
    """Raise Trouble if a formula was never calculated: its cell would be taken as empty."""
    before = b""
    with zipfile.ZipFile(source.path) as archive, archive.open(sheet._worksheet_path.lstrip("/")) as xml:  # noqa: SLF001 - only it knows
        while chunk := xml.read(_CHUNK):
            if found := _NOT_CALCULATED.search(before + chunk):
                raise Trouble(
                    "formula-without-value",
                    f"{source.name}, cell {found[1].decode()}: the formula has no value",
                    "The program that wrote the file does not calculate. Open it in Excel or LibreOffice, and save it. "
                    "Nothing was written.",
                    exit_code=Exit.NO_RESULTS,
                )
            before = chunk[-_LONGEST_CELL:]
