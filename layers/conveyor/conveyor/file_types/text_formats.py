"""Text formats without one JSON object per line: tables, web pages, Python values, logs, YAML."""

import csv
import re

import msgspec

from conveyor.file_types import known_types
from conveyor.file_types.known_types import FileType

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
"""A key with nested content, or a key of a request. Prose has neither."""
_CONTROL = re.compile(rb"[\0-\x08\x0e-\x1d\x1f\x7f]")
_SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}
_NAME = re.compile(r"[^\W\d][\w .-]{0,40}")


def type_of_text(text: bytes) -> FileType | None:
    """Return the type of a file by its first lines, none of which is a JSON object."""
    lines = [stripped for line in re.split(rb"[\r\n]+", text, maxsplit=_MOST_LINES) if (stripped := line.strip())]
    if text[:1] == b"<":
        return _type_of_markup(text)
    if text[:1] == b"\x1e":
        return known_types.JSON_SEQUENCE
    if not lines or _CONTROL.search(text, 0, _SAMPLE):
        return known_types.BINARY
    lines = lines[:_MOST_LINES]
    if text[:1] == b"{":
        return _type_of_python_dicts(lines) or type_of_python_value(text)
    return (
        _type_of_quoted_json(lines)
        or _type_of_log(lines)
        or _type_of_yaml(lines)
        or _type_of_table(lines)
        or _type_of_plain_text(lines)
    )


def type_of_python_value(text: bytes) -> FileType | None:
    """Return the type of a Python value (a list of dictionaries, or `pprint` output); None for anything else."""
    return known_types.PYTHON_VALUE if _PYTHON_VALUE.match(text) else None


def _type_of_python_dicts(lines: list[bytes]) -> FileType | None:
    return known_types.PYTHON_DICTS if all(_PYTHON.match(line) and line.endswith(b"}") for line in lines[:2]) else None


def _type_of_plain_text(lines: list[bytes]) -> FileType:
    """Tell prompts from text that was meant as requests: making prompts of the latter would only cost money."""
    return known_types.TEXT_OF_REQUESTS if any(map(_REQUEST.search, lines)) else known_types.TEXT


def _type_of_log(lines: list[bytes]) -> FileType | None:
    """Recognise a log: most lines end with a JSON object. The last line may be truncated."""
    if b"\t" in lines[0] and b"{" not in lines[0]:
        return None  # column names
    prefixes = [_BEFORE_OBJECT.match(line) for line in lines]
    objects = [prefix and _is_json_object(line[prefix.end() :]) for line, prefix in zip(lines, prefixes, strict=True)]
    return known_types.LOG if objects.count(True) * 2 >= len(lines) else None


def _is_json_object(line: bytes) -> bool:
    return isinstance(_decoded(line), dict)


def _type_of_yaml(lines: list[bytes]) -> FileType | None:
    first = [line for line in lines if not line.startswith((b"#", b"---", b"%YAML"))]
    if not first or not _YAML_KEY.fullmatch(first[0]):
        return None
    keyed = sum(map(bool, map(_YAML_KEY.fullmatch, first)))
    is_marked = lines[0].startswith((b"---", b"%YAML"))
    return known_types.YAML if is_marked or (keyed > 1 and any(map(_YAML_TREE.fullmatch, first))) else None


def _type_of_quoted_json(lines: list[bytes]) -> FileType | None:
    if all(map(_is_json_string, lines[:2])):
        return known_types.JSON_STRINGS
    return known_types.TABLE_OF_JSON if _CELL_OF_JSON.search(b"\n".join(lines[:4])) else None


def _type_of_markup(text: bytes) -> FileType:
    if error := _S3_ERROR.match(text):
        return known_types.S3_ERROR._replace(what=f"{known_types.S3_ERROR.what} ({error[1].decode()})")
    return known_types.WEB_PAGE if _PAGE.search(text) else known_types.XML


def _is_json_string(line: bytes) -> bool:
    """Return whether a line is a JSON string that contains JSON."""
    value = _decoded(line)
    return isinstance(value, str) and value.lstrip().startswith(("{", "["))


def _decoded(line: bytes) -> object:
    """Decode a line; None if it is not JSON."""
    try:
        return msgspec.json.decode(line)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return None


def _type_of_table(lines: list[bytes]) -> FileType | None:
    """Recognise a table: the same number of columns on each line, or column names on the only line."""
    decoded = [line.decode("latin-1") for line in lines]
    if decoded[0].lower().startswith("sep="):
        return known_types.table_of(_SEPARATORS.get(decoded[0][4:5], "separators"))
    for separator, name in _SEPARATORS.items():
        try:
            rows = list(csv.reader(decoded, delimiter=separator))
        except csv.Error:  # a cell is longer than 131,072 characters
            continue
        complete = rows[:-1] if len(rows) > 1 else rows  # the last one may be truncated
        counts = {len(row) for row in complete}
        is_named = all(_NAME.fullmatch(cell.strip()) for cell in rows[0])
        if counts != {1} and len(counts) == 1 and (len(complete) > 1 or is_named):
            return known_types.table_of(name)
    return None
