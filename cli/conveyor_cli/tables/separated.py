"""Tables as text: CSV, and with tabs, semicolons or bars. Every cell is text, exactly as it is written."""

import csv
import io
from collections.abc import Iterator
from itertools import islice
from shlex import quote
from typing import IO

from conveyor.jsonl.lines import LONGEST_LINE
from conveyor.wording.text import counted
from conveyor_cli.exits import Exit
from conveyor_cli.tables.header import named
from conveyor_cli.tables.source import Source
from conveyor_cli.tables.table import Columns, Row, Table
from conveyor_cli.trouble import Trouble

SEPARATORS = (",", ";", "\t", "|")
_SAID = "sep="
"""A first line such as `sep=;` is for Excel."""
_SAMPLE = 20
"""Rows that show which separator is used."""


def read_separated(source: Source, encoding: str, separator: str | None, beginning: str) -> Table:
    """Open a table as text. `beginning`: its first characters. Raises Trouble without a usable header.

    A cell that is empty is no value; one that is written as "" is an empty text.
    """
    csv.field_size_limit(LONGEST_LINE)
    separator = _character(separator)
    said = beginning.partition("\n")[0].strip() if beginning.lower().startswith(_SAID) else ""
    chosen = separator or said[len(_SAID) :][:1] or separator_of(beginning)
    lines = _rows(source, encoding, chosen, has_said=bool(said))
    columns = named(source.name, next(lines, (0, []))[1])
    return Table(source.name, columns, _checked(columns, lines), [])


def _character(named: str | None) -> str | None:
    """Return the separator that a person has named. Raises Trouble if it is not one character."""
    separator = {"tab": "\t", "\\t": "\t"}.get(named or "", named)
    if separator is not None and (len(separator) != 1 or separator in '"\r\n'):
        message = f'"{separator}" is no separator: name one character, or tab'
        raise Trouble("usage", message, "Nothing was written.", exit_code=Exit.USAGE)
    return separator


def separator_of(beginning: str) -> str:
    """Return the separator with which the first rows have the same number of cells, and the most.

    If they have not with any, the one with which the header has the most cells.
    """
    return max(SEPARATORS, key=lambda separator: _columns(beginning, separator))


def _columns(beginning: str, separator: str) -> tuple[int, int]:
    """Return how many cells the first rows have, 0 if they differ, and how many the header has.

    The last row may be cut.
    """
    reader = csv.reader(io.StringIO(beginning, newline=""), delimiter=separator)
    widths = list[int]()
    try:
        widths.extend(len(row) for row in islice(reader, _SAMPLE + 1) if row)
    except csv.Error:
        return 0, widths[0] if widths else 0
    whole = widths[:-1] if len(widths) > 1 else widths
    return whole[0] if len({*whole}) == 1 and whole[0] > 1 else 0, widths[0] if widths else 0


def _rows(source: Source, encoding: str, separator: str, *, has_said: bool) -> Iterator[tuple[int, list[str]]]:
    """Yield the cells of each row that is not blank, and the line on which it ends."""
    with source.text(encoding) as text:
        if has_said:
            text.readline()
        reader = csv.reader(_lines(text), delimiter=separator, quoting=csv.QUOTE_NOTNULL, strict=True)
        try:
            for cells in reader:
                if cells:
                    yield reader.line_num + has_said, cells
        except csv.Error as error:
            raise _not_a_table(source, separator, reader.line_num + has_said, str(error)) from error


def _lines(text: IO[str]) -> Iterator[str]:
    """Yield lines as pieces that end at a line feed or a carriage return, and no longer ones than a request may be."""
    while line := text.readline(LONGEST_LINE + 2):
        yield line


def _not_a_table(source: Source, separator: str, line: int, reason: str) -> Trouble:
    what = (
        f"a cell has more than {LONGEST_LINE:,} characters; the usual cause is a quote that is never closed"
        if "limit" in reason
        else "a quote is never closed"
        if "unexpected end" in reason
        else "text follows a closing quote: quotes in a cell must be doubled"
    )
    return Trouble(
        "table-quotes",
        f"{source.name}, line {line:,}: {what}",
        "Nothing was written. Write the table with a CSV library, or say what separates its columns.",
        commands=(f"conveyor prepare {quote(str(source.path))} --separator {quote(separator)} …",),
        exit_code=Exit.NO_RESULTS,
    )


def _checked(columns: Columns, lines: Iterator[tuple[int, list[str]]]) -> Iterator[Row]:
    """Yield the rows. One with more or fewer cells than the header has probably an unquoted separator or line end."""
    for number, (line, cells) in enumerate(lines, 1):
        problem = ""
        if len(cells) != len(columns):
            problem = f"{counted(len(cells), 'cell')} (line {line:,}), and the header names {len(columns):,} columns"
        yield Row(number, cells, problem)
