"""Kinds of text that hold no JSON object a line: tables, web pages, Python's own notation, and the like."""

import csv
import re

import msgspec

from conveyor import kinds
from conveyor.kinds import Kind

_MOST_LINES = 20
_SAMPLE = 1024
_S3_ERROR = re.compile(rb"(?:<\?xml[^>]*>\s*)?<Error>.{0,200}?<Code>([A-Za-z]{1,60})</Code>", re.DOTALL)
_PAGE = re.compile(rb"<(?:!doctype html|html|head|body|meta|title|script)\b", re.IGNORECASE)
_CELL_OF_JSON = re.compile(rb'"\{\s*""')
_PYTHON = re.compile(rb"\{\s*'")
_CONTROL = re.compile(rb"[\0-\x08\x0e-\x1d\x1f\x7f]")
_SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}
_NAME = re.compile(r"[^\W\d][\w .-]{0,40}")


def kind_of_text(text: bytes) -> Kind | None:
    """Return what the beginning of a file is, none of whose lines is a JSON object of its own."""
    lines = [stripped for line in re.split(rb"[\r\n]+", text, maxsplit=_MOST_LINES) if (stripped := line.strip())]
    if text[:1] == b"<":
        return _markup(text)
    if text[:1] == b"\x1e":
        return kinds.SEQUENCE
    if not lines or _CONTROL.search(text, 0, _SAMPLE):
        return kinds.BINARY
    lines = lines[:_MOST_LINES]
    return _python(lines) if text[:1] == b"{" else _quoted(lines) or _table(lines) or kinds.TEXT


def _python(lines: list[bytes]) -> Kind | None:
    return kinds.REPR if all(map(_PYTHON.match, lines[:2])) else None


def _quoted(lines: list[bytes]) -> Kind | None:
    if all(map(_is_string_of_json, lines[:2])):
        return kinds.STRINGS
    return kinds.TABLE_OF_JSON if any(map(_CELL_OF_JSON.search, lines[:2])) else None


def _markup(text: bytes) -> Kind:
    if error := _S3_ERROR.match(text):
        return kinds.S3_ERROR._replace(what=f"{kinds.S3_ERROR.what} ({error[1].decode()})")
    return kinds.PAGE if _PAGE.search(text) else kinds.XML


def _is_string_of_json(line: bytes) -> bool:
    try:
        value = msgspec.json.decode(line)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return False
    return isinstance(value, str) and value.lstrip().startswith(("{", "["))


def _table(lines: list[bytes]) -> Kind | None:
    """Return the kind of table that lines are: as many columns on each, or names of columns on the only one."""
    shown = [line.decode("latin-1") for line in lines]
    if shown[0].lower().startswith("sep="):
        return kinds.table_of(_SEPARATORS.get(shown[0][4:5], "separators"))
    for separator, name in _SEPARATORS.items():
        try:
            rows = list(csv.reader(shown, delimiter=separator))
        except csv.Error:  # a cell is longer than 131,072 characters
            continue
        whole = rows[:-1] if len(rows) > 1 else rows  # the last one may be cut
        counts = {len(row) for row in whole}
        is_named = all(_NAME.fullmatch(cell.strip()) for cell in rows[0])
        if counts != {1} and len(counts) == 1 and (len(whole) > 1 or is_named):
            return kinds.table_of(name)
    return None
