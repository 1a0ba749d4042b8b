"""What a file is, by its beginning, before any of its lines is judged: a wrong file is one fault, not thousands.

A file is left to the checks of its lines where a request stands on its first line that is not blank: so no file that
may be sent is refused here. So is one in whose beginning any line is a JSON object of its own, unless what is around it
tells what the file is: then only some of its lines are wrong.
"""

import re
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import NamedTuple

import msgspec

from conveyor.file_types import known_types
from conveyor.file_types.known_types import Kind
from conveyor.file_types.signatures import kind_by_signature
from conveyor.file_types.text_formats import kind_of_python, kind_of_text
from conveyor.jsonl.complexity import has_too_many_values
from conveyor.jsonl.gzip_stream import Unreadable
from conveyor.jsonl.lines import BYTE_ORDER_MARK, LONGEST_LINE, LineBlock, split_block
from conveyor.jsonl.prefix import Prefix, State, read_prefix

WINDOW = 1 << 18
"""Bytes that are looked at; of a first line that is longer, all that a line may have."""
_MOST_READ_ON = 1 << 28
"""Bytes that are read on to see how a file ends."""
_END = 1 << 10
_UNSEEN = re.compile(rb"(?:[ \t\r\n\v\f]++|%b)*+" % BYTE_ORDER_MARK)
_VISIBLE = re.compile(rb"[^ \t\r\n]")
_DANGLING = re.compile(rb",[ \t\r\n]*\][ \t\r\n]*\Z")
_CLOSED = re.compile(rb"\][ \t\r\n]*\Z")
_CR_BETWEEN = re.compile(rb"\}[ \t]*\r[ \t\r]*\{")
_ARRAY_OF_LINES = re.compile(rb"\[[ \t\r\n]*\{[^\n]*,[ \t\r]*\n[ \t]*\{")
_OBJECTS = re.compile(rb"\[\s*\{")
_BODY = re.compile(rb'\{\s*"requests"\s*:\s*\[')
_FIRST_KEY = re.compile(rb'\{\s*"(?>[^"\\]++|\\.)*+"\s*:\s*', re.DOTALL)
_BODIES = ("requests", "data", "items", "batch", "lines", "rows", "records", "messages_batch")


class WrongKind(Unreadable):
    """A file that holds no lines of requests, but something else that is known."""

    def __init__(self, kind: Kind) -> None:
        super().__init__(kind.code, f"the file is {kind.what}: {kind.advice}")
        self.kind = kind


class Beginning(NamedTuple):
    """The first bytes of a file."""

    data: bytes
    """From the first one on that is no white space."""
    start: bytes
    """The very first ones; empty where there is only white space for long."""
    is_whole: bool
    """Whether nothing follows."""


class _Head(msgspec.Struct):
    """What may stand on a line, as far as it tells what the line is."""

    custom_id: msgspec.Raw = msgspec.Raw(b"")
    params: msgspec.Raw = msgspec.Raw(b"")
    body: msgspec.Raw = msgspec.Raw(b"")
    messages: msgspec.Raw = msgspec.Raw(b"")


_decode_head = msgspec.json.Decoder(_Head).decode
_decode_fields = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode


def recognised(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Pass the chunks of a file on. Raises WrongKind, before the first of them, where it is no file of lines.

    Holds `WINDOW` bytes and a chunk, or a first line that is longer; blank lines before it are passed on at once.
    """
    chunks, before = iter(chunks), b""
    for chunk in chunks:
        found = _VISIBLE.search(chunk)
        if found:
            held, is_whole = _held(chunk, found.start(), chunks)
            data = b"".join(held)[found.start() :]
            start = before + b"".join(held)[:WINDOW] if len(before) < _END else b""
            kind = kind_of(Beginning(data, start, is_whole))
            if kind is known_types.ARRAY and not is_whole:
                kind = _array_by_end(data, chunks)
            if kind:
                raise WrongKind(kind)
            del data, start
            yield from chain(held, chunks)
            return
        before += chunk[:_END] if len(before) < _END else b""
        yield chunk


def _held(chunk: bytes, begin: int, chunks: Iterator[bytes]) -> tuple[list[bytes], bool]:
    """Read on until the window is full and its first line has ended; tell whether nothing follows."""
    held, size = [chunk], len(chunk) - begin
    has_end = b"\n" in chunk[begin:]
    while size < WINDOW or (not has_end and size <= LONGEST_LINE):
        more = next(chunks, None)
        if more is None:
            return held, True
        held.append(more)
        size += len(more)
        has_end = has_end or b"\n" in more
    return held, False


def _array_by_end(data: bytes, chunks: Iterator[bytes]) -> Kind:
    """Tell which array a file is by its end, unless that is too far away."""
    end, left = data[-_END:], _MOST_READ_ON
    for chunk in chunks:
        end = (end + chunk)[-_END:]
        left -= len(chunk)
        if left < 0:
            return known_types.ARRAY
    return _array(end)


def _array(end: bytes) -> Kind:
    if _DANGLING.search(end):
        return known_types.ARRAY_WITH_COMMA
    return known_types.ARRAY if _CLOSED.search(end) else known_types.ARRAY_CUT


def kind_of(beginning: Beginning) -> Kind | None:
    """Return what a file is; None where its lines are to be checked."""
    text = _unmarked(beginning.data)
    line, _, rest = text.partition(b"\n")
    head = _head(line)
    if head and _is_request(head):
        return None
    if kind := kind_by_signature(beginning.start):
        return kind
    if not text:
        return None
    match text[:1]:
        case b"[":
            return _kind_of_array(text, is_whole=beginning.is_whole)
        case b"{":
            others = _VISIBLE.search(rest)
            return _kind_of_line(line, head, is_alone=not others) if head else _kind_of_object(text, line, rest)
        case _:
            return None if _has_objects(text) else kind_of_text(text[:WINDOW])


def _unmarked(data: bytes) -> bytes:
    """Return a file without the byte order marks and white space before its first line's content."""
    before = _UNSEEN.match(data)
    return data[before.end() :] if before else data


def _head(line: bytes) -> _Head | None:
    """Read a line that is one JSON object."""
    if len(line) > LONGEST_LINE:
        return None
    try:
        return _decode_head(line)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return None


def _is_request(head: _Head) -> bool:
    """Tell whether a line is meant as a request, right or wrong."""
    return bytes(head.custom_id)[:1] not in {b"", b"{", b"["} and bool(bytes(head.params) or bytes(head.body))


def _has_objects(text: bytes) -> bool:
    """Tell whether a line of a file's beginning is a JSON object of its own."""
    return next(_heads(text), None) is not None


def _heads(text: bytes) -> Iterator[_Head]:
    """Read the lines of a file's beginning that are a JSON object each."""
    begin = text[: len(text.partition(b"\n")[0]) + WINDOW]
    for line in split_block(LineBlock(begin, 0, len(begin), 0), 1):
        if line.raw and line.raw[:1] == b"{" and (head := _head(line.raw)) is not None:
            yield head


def _kind_of_array(text: bytes, *, is_whole: bool) -> Kind | None:
    prefix = read_prefix(text[:WINDOW])
    rest = text[prefix.end :]
    if prefix.state is State.WHOLE and (behind := _VISIBLE.search(rest)):
        return known_types.ARRAY if behind[0] == b"[" and _are_arrays(text) else None
    if prefix.state is State.BROKEN and (python := kind_of_python(text)):
        return None if _has_objects(text) else python
    if prefix.state is State.BROKEN and not _ARRAY_OF_LINES.match(text):
        return None
    if prefix.state is State.WHOLE and not text[1 : prefix.end - 1].strip():
        return known_types.EMPTY_ARRAY
    return _array(text[-_END:]) if is_whole else known_types.ARRAY


def _are_arrays(text: bytes) -> bool:
    """Tell whether each line of a file's beginning begins as an array."""
    return all(line.lstrip()[:1] in {b"[", b""} for line in text[:WINDOW].split(b"\n"))


def _kind_of_line(line: bytes, head: _Head, *, is_alone: bool) -> Kind | None:
    """Return what one JSON object is that stands alone, and is no request."""
    if is_alone and bytes(head.custom_id)[:1] == b"{" and bytes(head.params)[:1] == b"{":
        return known_types.COLUMNS
    if not is_alone or bytes(head.custom_id) or bytes(head.params) or has_too_many_values(line):
        return None
    fields = {name: bytes(value).lstrip() for name, value in _decode_fields(line).items()}
    if all(fields.get(name, b"")[:1] == b"[" for name in ("columns", "data")):
        return known_types.SPLIT
    named = next((name for name in _BODIES if _OBJECTS.match(fields.get(name, b""))), None)
    if named:
        return known_types.body_under(named)
    return _kind_of_fields(fields)


def _kind_of_fields(fields: dict[str, bytes]) -> Kind | None:
    if fields.keys() >= {"cells", "nbformat"}:
        return known_types.NOTEBOOK
    if fields.get("error", b"")[:1] in {b"{", b'"'}:
        return known_types.ERROR
    return _kind_of_entries(list(fields.values()))


def _kind_of_entries(values: list[bytes]) -> Kind | None:
    """Return what an object is all of whose values are requests, or what belongs into one."""
    rows = [row for row in map(_head, values) if row is not None]
    if not rows or len(rows) < len(values):
        return None
    if all(map(_is_request, rows)):
        return known_types.BY_ROW
    if all(bytes(row.params or row.body)[:1] == b"{" for row in rows):
        return known_types.BY_ID
    return known_types.PARAMS_BY_ID if all(bytes(row.messages)[:1] == b"[" for row in rows) else None


def _kind_by_first_entry(text: bytes) -> Kind | None:
    """Return the same for an object that is too large to be read as a whole."""
    key = _FIRST_KEY.match(text)
    value = read_prefix(text[:WINDOW], key.end()) if key else None
    return _kind_of_entries([text[key.end() : value.end]]) if key and value and value.state is State.WHOLE else None


def _kind_of_object(text: bytes, line: bytes, rest: bytes) -> Kind | None:
    """Return what a file is whose first line begins an object and is not one."""
    prefix = read_prefix(text[:WINDOW])
    if not prefix.breaks and _CR_BETWEEN.search(line):
        return None if _has_objects(rest) else known_types.CARRIAGE_RETURNS
    if prefix.state is State.BROKEN:
        return None if _has_objects(text) else kind_of_text(text[:WINDOW])
    behind = text[prefix.end : prefix.end + _END].lstrip()[:1] if prefix.state is State.WHOLE else b""
    if prefix.breaks:
        return _kind_of_lines(prefix, behind, text)
    if behind == b"," and _have_commas(text):
        return known_types.COMMAS
    if behind == b"{" and not _VISIBLE.search(rest):
        return known_types.ONE_LINE
    return _kind_of_long(line) if len(line) > LONGEST_LINE else None


def _kind_of_long(line: bytes) -> Kind | None:
    return known_types.body_under("requests") if _BODY.match(line) else _kind_by_first_entry(line)


def _kind_of_lines(prefix: Prefix, behind: bytes, text: bytes) -> Kind | None:
    """Return what a file is whose first object goes over several lines. `behind`: what follows it."""
    named = next((name for name in _BODIES if prefix.keys.get(f'"{name}"'.encode()) == b"["), None)
    if named and not prefix.keys.keys() & {b'"custom_id"', b'"params"'}:
        return known_types.body_under(named)
    if any(map(_is_request, _heads(text))):
        return None
    if prefix.has_dangling_comma or behind not in {b"", b"{", b","}:
        return known_types.PRETTY_WITH_FAULTS
    if behind:
        return known_types.COMMAS_BETWEEN if behind == b"," else known_types.PRETTY
    return _kind_of_one(prefix, text) or known_types.PRETTY


def _kind_of_one(prefix: Prefix, text: bytes) -> Kind | None:
    """Return what the only object of a file is, which goes over several lines."""
    if prefix.keys.get(b'"cells"') == b"[" and b'"cell_type"' in text:
        return known_types.NOTEBOOK
    if prefix.state is State.CUT:
        return _kind_by_first_entry(text)
    value = text[: prefix.end]
    head = _head(value)
    return _kind_of_line(value, head, is_alone=True) if head else None


def _have_commas(text: bytes) -> bool:
    """Tell whether each line of a file's beginning but its last ends with a comma."""
    *lines, _ = [stripped for line in text[:WINDOW].split(b"\n") if (stripped := line.strip())]
    return (bool(lines) and all(line.endswith(b",") for line in lines)) or text.rstrip().endswith(b",")
