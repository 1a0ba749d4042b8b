"""JSON arrays: what their first value is, and how they end."""

import re

from conveyor.file_types import known_types
from conveyor.file_types.known_types import FileType
from conveyor.file_types.records import is_record
from conveyor.jsonl.prefix import State, read_prefix

_TRAILING_COMMA = re.compile(rb",[ \t\r\n]*\][ \t\r\n]*\Z")
_CLOSED = re.compile(rb"\][ \t\r\n]*\Z")
_FIRST_OBJECT = re.compile(rb"\[\s*(?=\{)")


def array_type_by_end(end: bytes) -> FileType:
    """Return the type of an array by its last bytes."""
    if _TRAILING_COMMA.search(end):
        return known_types.ARRAY_WITH_COMMA
    return known_types.ARRAY if _CLOSED.search(end) else known_types.ARRAY_CUT


def are_arrays(text: bytes) -> bool:
    """Return whether each line begins with a bracket."""
    return all(line.lstrip()[:1] in {b"[", b""} for line in text.split(b"\n"))


def has_records(array: bytes) -> bool:
    """Return whether the first value of an array is a record. `array`: its beginning."""
    if not (before := _FIRST_OBJECT.match(array)):
        return False
    first = read_prefix(array, before.end())
    return first.state is State.WHOLE and is_record(array[before.end() : first.end])
