"""Kinds of text that hold no JSON object a line: tables, web pages, Python's own notation, and the like."""

import csv
import re

import msgspec

from conveyor.file_types import known_types
from conveyor.file_types.known_types import Kind

_MOST_LINES = 20
_SAMPLE = 1024
_S3_ERROR = re.compile(rb"(?:<\?xml[^>]*>\s*)?<Error>.{0,200}?<Code>([A-Za-z]{1,60})</Code>", re.DOTALL)
_PAGE = re.compile(rb"<(?:!doctype html|html|head|body|meta|title|script)\b", re.IGNORECASE)
_CELL_OF_JSON = re.compile(rb'"\{\s*""')
_PYTHON = re.compile(rb"\{\s*'")
_PYTHON_VALUE = re.compile(rb"(?:\[\s*)?\{\s*'[^'\r\n]*'\s*:")
_REQUEST = re.compile(rb"custom_id|[\"'\s{,]params[\"']?\s*[:=]|[\"']messages[\"']")
_BEFORE_OBJECT = re.compile(rb"[^{]+(?=\{)")
_YAML_KEY = re.compile(rb"(?:- +)*[\"']?[a-z_][\w.-]*[\"']?:(?: .*)?")
_YAML_TREE = re.compile(
    rb"(?:- +)*[\"']?(?:[a-z_][\w.-]*[\"']?:(?: *[|>][+-]?)?|(?:custom_id|params|model|role|content)[\"']?:.*)"
)
"""A key with something below it, or one of a request: prose has neither."""
_CONTROL = re.compile(rb"[\0-\x08\x0e-\x1d\x1f\x7f]")
_SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}
_NAME = re.compile(r"[^\W\d][\w .-]{0,40}")


def kind_of_text(text: bytes) -> Kind | None:
    """Return what the beginning of a file is, none of whose lines is a JSON object of its own."""
    lines = [stripped for line in re.split(rb"[\r\n]+", text, maxsplit=_MOST_LINES) if (stripped := line.strip())]
    if text[:1] == b"<":
        return _markup(text)
    if text[:1] == b"\x1e":
        return known_types.SEQUENCE
    if not lines or _CONTROL.search(text, 0, _SAMPLE):
        return known_types.BINARY
    lines = lines[:_MOST_LINES]
    if text[:1] == b"{":
        return _python(lines) or kind_of_python(text)
    return _quoted(lines) or _log(lines) or _yaml(lines) or _table(lines) or _text(lines)


def kind_of_python(text: bytes) -> Kind | None:
    """Return whether text is a Python value: a list of dictionaries, or what pprint writes."""
    return known_types.VALUES if _PYTHON_VALUE.match(text) else None


def _python(lines: list[bytes]) -> Kind | None:
    return known_types.REPR if all(_PYTHON.match(line) and line.endswith(b"}") for line in lines[:2]) else None


def _text(lines: list[bytes]) -> Kind:
    """Tell prompts from what is meant as requests: to make requests of its lines would only cost money."""
    return known_types.TEXT_OF_REQUESTS if any(map(_REQUEST.search, lines)) else known_types.TEXT


def _log(lines: list[bytes]) -> Kind | None:
    """Tell lines of a log: most of them, of which the last may be cut, end with a JSON object."""
    if b"\t" in lines[0] and b"{" not in lines[0]:
        return None  # the names of columns
    found = [_BEFORE_OBJECT.match(line) for line in lines]
    objects = [found and _is_object_of_json(line[found.end() :]) for line, found in zip(lines, found, strict=True)]
    return known_types.LOG if objects.count(True) * 2 >= len(lines) else None


def _is_object_of_json(line: bytes) -> bool:
    try:
        return isinstance(msgspec.json.decode(line), dict)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return False


def _yaml(lines: list[bytes]) -> Kind | None:
    first = [line for line in lines if not line.startswith((b"#", b"---", b"%YAML"))]
    if not first or not _YAML_KEY.fullmatch(first[0]):
        return None
    keyed = sum(map(bool, map(_YAML_KEY.fullmatch, first)))
    is_marked = lines[0].startswith((b"---", b"%YAML"))
    return known_types.YAML if is_marked or (keyed > 1 and any(map(_YAML_TREE.fullmatch, first))) else None


def _quoted(lines: list[bytes]) -> Kind | None:
    if all(map(_is_string_of_json, lines[:2])):
        return known_types.STRINGS
    return known_types.TABLE_OF_JSON if _CELL_OF_JSON.search(b"\n".join(lines[:4])) else None


def _markup(text: bytes) -> Kind:
    if error := _S3_ERROR.match(text):
        return known_types.S3_ERROR._replace(what=f"{known_types.S3_ERROR.what} ({error[1].decode()})")
    return known_types.PAGE if _PAGE.search(text) else known_types.XML


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
        return known_types.table_of(_SEPARATORS.get(shown[0][4:5], "separators"))
    for separator, name in _SEPARATORS.items():
        try:
            rows = list(csv.reader(shown, delimiter=separator))
        except csv.Error:  # a cell is longer than 131,072 characters
            continue
        whole = rows[:-1] if len(rows) > 1 else rows  # the last one may be cut
        counts = {len(row) for row in whole}
        is_named = all(_NAME.fullmatch(cell.strip()) for cell in rows[0])
        if counts != {1} and len(counts) == 1 and (len(whole) > 1 or is_named):
            return known_types.table_of(name)
    return None
