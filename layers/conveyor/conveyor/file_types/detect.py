"""Recognise a file of a wrong type by its beginning, so that it is one refusal and not thousands of faults.

No valid drop is refused here: if the first line that is not blank is a request, the lines are checked one by one. The
same is true if any line at the beginning is a JSON object, unless the lines around it show what the file is.
"""

import re
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import NamedTuple

import msgspec

from conveyor.file_types import known_types
from conveyor.file_types.arrays import are_arrays, array_type_by_end, has_records
from conveyor.file_types.known_types import FileType
from conveyor.file_types.records import are_records
from conveyor.file_types.signatures import type_by_signature
from conveyor.file_types.text_formats import type_of_python_value, type_of_text
from conveyor.jsonl.complexity import has_too_many_values
from conveyor.jsonl.gzip_stream import Unreadable
from conveyor.jsonl.lines import BYTE_ORDER_MARK, LONGEST_LINE, LineBlock, split_block
from conveyor.jsonl.prefix import Prefix, State, read_prefix

WINDOW = 1 << 18
"""Bytes that are examined; a longer first line is read up to the limit for lines."""
_MAX_BYTES_TO_END = 1 << 28
"""How far a file is read to see how it ends."""
_END = 1 << 10
_UNSEEN = re.compile(rb"(?:[ \t\r\n\v\f]++|%b)*+" % BYTE_ORDER_MARK)
_VISIBLE = re.compile(rb"[^ \t\r\n]")
_CR_BETWEEN = re.compile(rb"\}[ \t]*\r[ \t\r]*\{")
_ARRAY_OF_LINES = re.compile(rb"\[[ \t\r\n]*\{[^\n]*,[ \t\r]*\n[ \t]*\{")
_OBJECTS = re.compile(rb"\[\s*\{")
_BODY = re.compile(rb'\{\s*"requests"\s*:\s*\[')
_FIRST_KEY = re.compile(rb'\{\s*"(?>[^"\\]++|\\.)*+"\s*:\s*', re.DOTALL)
_BODIES = ("requests", "data", "items", "batch", "lines", "rows", "records", "messages_batch")


class WrongFileType(Unreadable):
    """The file is of another type than lines of requests."""

    def __init__(self, file_type: FileType) -> None:
        super().__init__(file_type.code, f"the file is {file_type.what}: {file_type.advice}")
        self.file_type = file_type


class Beginning(NamedTuple):
    """The first bytes of a file."""

    data: bytes
    """From the first byte that is not white space."""
    start: bytes
    """From byte 0; empty if the file begins with much white space."""
    is_whole: bool
    """Whether this is the whole file."""


class _Head(msgspec.Struct):
    """The fields that show what a line is."""

    custom_id: msgspec.Raw = msgspec.Raw(b"")
    params: msgspec.Raw = msgspec.Raw(b"")
    body: msgspec.Raw = msgspec.Raw(b"")
    messages: msgspec.Raw = msgspec.Raw(b"")


_decode_head = msgspec.json.Decoder(_Head).decode
_decode_fields = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode


def reject_wrong_type(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Yield the chunks of a file unchanged. Raises WrongFileType, before any content, if it is not a file of lines.

    Buffers `WINDOW` bytes and one chunk, or a longer first line. Blank lines before it are yielded at once.
    """
    chunks, before = iter(chunks), b""
    for chunk in chunks:
        visible = _VISIBLE.search(chunk)
        if visible:
            buffered, is_whole = _fill_window(chunk, visible.start(), chunks)
            data = b"".join(buffered)[visible.start() :]
            start = before + b"".join(buffered)[:WINDOW] if len(before) < _END else b""
            file_type = type_of_file(Beginning(data, start, is_whole))
            if file_type is known_types.ARRAY and not is_whole:
                file_type = _array_type_by_end(data, chunks)
            if file_type is known_types.ARRAY and has_records(_without_marks(data)[:WINDOW]):
                file_type = known_types.ARRAY_OF_RECORDS
            if file_type:
                raise WrongFileType(file_type)
            del data, start
            yield from chain(buffered, chunks)
            return
        before += chunk[:_END] if len(before) < _END else b""
        yield chunk


def _fill_window(chunk: bytes, begin: int, chunks: Iterator[bytes]) -> tuple[list[bytes], bool]:
    """Read until the window is full and its first line has ended; also return whether the file has ended."""
    buffered, size = [chunk], len(chunk) - begin
    has_end = b"\n" in chunk[begin:]
    while size < WINDOW or (not has_end and size <= LONGEST_LINE):
        following = next(chunks, None)
        if following is None:
            return buffered, True
        buffered.append(following)
        size += len(following)
        has_end = has_end or b"\n" in following
    return buffered, False


def _array_type_by_end(data: bytes, chunks: Iterator[bytes]) -> FileType:
    """Return the type of an array by its end, if that is near enough to be read."""
    end, left = data[-_END:], _MAX_BYTES_TO_END
    for chunk in chunks:
        end = (end + chunk)[-_END:]
        left -= len(chunk)
        if left < 0:
            return known_types.ARRAY
    return array_type_by_end(end)


def type_of_file(beginning: Beginning) -> FileType | None:
    """Return the type of a file; None if its lines are to be checked."""
    text = _without_marks(beginning.data)
    line, _, rest = text.partition(b"\n")
    head = _head(line)
    if head and _is_request(head):
        return None
    file_type = type_by_signature(beginning.start)
    if file_type or not text:
        return file_type
    match text[:1]:
        case b"[":
            return _type_of_array(text, is_whole=beginning.is_whole)
        case b"{":
            if not head:
                return _type_of_object(text, line, rest)
            shown = text[: len(line) + WINDOW]
            is_cut = len(shown) < len(text) or not beginning.is_whole
            of_line = _type_of_line(line, head, is_alone=not _VISIBLE.search(rest))
            return of_line or (known_types.RECORDS if are_records(shown, is_cut=is_cut) else None)
        case _:
            return None if _has_objects(text) else type_of_text(text[:WINDOW])


def _without_marks(data: bytes) -> bytes:
    """Remove byte order marks and white space before the first line's content."""
    before = _UNSEEN.match(data)
    return data[before.end() :] if before else data


def _head(line: bytes) -> _Head | None:
    """Decode a line; None if it is not one JSON object."""
    if len(line) > LONGEST_LINE:
        return None
    try:
        return _decode_head(line)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return None


def _is_request(head: _Head) -> bool:
    """Return whether a line is meant as a request, valid or not."""
    return bytes(head.custom_id)[:1] not in {b"", b"{", b"["} and bool(bytes(head.params) or bytes(head.body))


def _has_objects(text: bytes) -> bool:
    """Return whether any line at the beginning of a file is a JSON object."""
    return next(_heads(text), None) is not None


def _has_one_request_at_most(text: bytes) -> bool:
    """Return whether at most one line is a whole request: in an array, all lines but the last end with a comma."""
    return sum(map(_is_request, _heads(text))) <= 1


def _heads(text: bytes) -> Iterator[_Head]:
    """Decode the lines at the beginning of a file that are one JSON object each."""
    begin = text[: len(text.partition(b"\n")[0]) + WINDOW]
    for line in split_block(LineBlock(begin, 0, len(begin), 0), 1):
        if line.raw and line.raw[:1] == b"{" and (head := _head(line.raw)) is not None:
            yield head


def _type_of_array(text: bytes, *, is_whole: bool) -> FileType | None:
    prefix = read_prefix(text[:WINDOW])
    rest = text[prefix.end :]
    if prefix.state is State.WHOLE and (following := _VISIBLE.search(rest)):
        return known_types.ARRAY if following[0] == b"[" and are_arrays(text[:WINDOW]) else None
    if prefix.state is State.BROKEN and (python := type_of_python_value(text)):
        return None if _has_objects(text) else python
    if prefix.state is State.BROKEN and not (_ARRAY_OF_LINES.match(text) and _has_one_request_at_most(text)):
        return None
    if prefix.state is State.WHOLE and not text[1 : prefix.end - 1].strip():
        return known_types.EMPTY_ARRAY
    return array_type_by_end(text[-_END:]) if is_whole else known_types.ARRAY


def _type_of_line(line: bytes, head: _Head, *, is_alone: bool) -> FileType | None:
    """Return the type of a file that is one JSON object on one line, but not a request."""
    if is_alone and bytes(head.custom_id)[:1] == b"{" and bytes(head.params)[:1] == b"{":
        return known_types.TABLE_BY_COLUMN
    if not is_alone or bytes(head.custom_id) or bytes(head.params) or has_too_many_values(line):
        return None
    fields = {name: bytes(value).lstrip() for name, value in _decode_fields(line).items()}
    if all(fields.get(name, b"")[:1] == b"[" for name in ("columns", "data")):
        return known_types.TABLE_SPLIT
    named = next((name for name in _BODIES if _OBJECTS.match(fields.get(name, b""))), None)
    if named:
        return known_types.body_under(named)
    return _type_of_fields(fields)


def _type_of_fields(fields: dict[str, bytes]) -> FileType | None:
    if fields.keys() >= {"cells", "nbformat"}:
        return known_types.NOTEBOOK
    if fields.get("error", b"")[:1] in {b"{", b'"'}:
        return known_types.SERVER_ERROR
    return _type_of_entries(list(fields.values()))


def _type_of_entries(values: list[bytes]) -> FileType | None:
    """Return the type of an object whose values are all requests or parts of requests."""
    rows = [row for row in map(_head, values) if row is not None]
    if not rows or len(rows) < len(values):
        return None
    if all(map(_is_request, rows)):
        return known_types.TABLE_BY_ROW
    if all(bytes(row.params or row.body)[:1] == b"{" for row in rows):
        return known_types.REQUESTS_BY_ID
    return known_types.PARAMS_BY_ID if all(bytes(row.messages)[:1] == b"[" for row in rows) else None


def _type_by_first_entry(text: bytes) -> FileType | None:
    """Return the same for an object that is too large to decode, by its first value."""
    key = _FIRST_KEY.match(text)
    value = read_prefix(text[:WINDOW], key.end()) if key else None
    return _type_of_entries([text[key.end() : value.end]]) if key and value and value.state is State.WHOLE else None


def _type_of_object(text: bytes, line: bytes, rest: bytes) -> FileType | None:
    """Return the type of a file whose first line begins an object but is not a complete one."""
    prefix = read_prefix(text[:WINDOW])
    if not prefix.breaks and _CR_BETWEEN.search(line):
        return None if _has_objects(rest) else known_types.CARRIAGE_RETURNS
    if prefix.state is State.BROKEN:
        return None if _has_objects(text) else type_of_text(text[:WINDOW])
    following = text[prefix.end : prefix.end + _END].lstrip()[:1] if prefix.state is State.WHOLE else b""
    if prefix.breaks:
        return _type_of_multiline_objects(prefix, following, text)
    if following == b"," and _have_commas(text):
        return known_types.LINES_WITH_COMMAS
    if following == b"{" and not _VISIBLE.search(rest):
        return known_types.OBJECTS_ON_ONE_LINE
    return _type_of_long_line(line) if len(line) > LONGEST_LINE else None


def _type_of_long_line(line: bytes) -> FileType | None:
    return known_types.body_under("requests") if _BODY.match(line) else _type_by_first_entry(line)


def _type_of_multiline_objects(prefix: Prefix, following: bytes, text: bytes) -> FileType | None:
    """Return the type of a file whose first object spans several lines. `following`: the byte after that object."""
    named = next((name for name in _BODIES if prefix.keys.get(f'"{name}"'.encode()) == b"["), None)
    if named and not prefix.keys.keys() & {b'"custom_id"', b'"params"'}:
        return known_types.body_under(named)
    if any(map(_is_request, _heads(text))):
        return None
    if prefix.has_trailing_comma or following not in {b"", b"{", b","}:
        return known_types.BROKEN_PRETTY_JSON
    if following:
        return known_types.OBJECTS_WITH_COMMAS if following == b"," else known_types.PRETTY_JSON
    return _type_of_single_object(prefix, text) or known_types.PRETTY_JSON


def _type_of_single_object(prefix: Prefix, text: bytes) -> FileType | None:
    """Return the type of a file that is one object on several lines."""
    if prefix.keys.get(b'"cells"') == b"[" and b'"cell_type"' in text:
        return known_types.NOTEBOOK
    if prefix.state is State.CUT:
        return _type_by_first_entry(text)
    value = text[: prefix.end]
    head = _head(value)
    return _type_of_line(value, head, is_alone=True) if head else None


def _have_commas(text: bytes) -> bool:
    """Return whether each line at the beginning of a file, except its last, ends with a comma."""
    *lines, _ = [stripped for line in text[:WINDOW].split(b"\n") if (stripped := line.strip())]
    return (bool(lines) and all(line.endswith(b",") for line in lines)) or text.rstrip().endswith(b",")
