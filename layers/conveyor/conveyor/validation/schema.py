"""Decode many lines at once, as requests of the usual forms and nothing else.

Nothing is skipped: an unknown field, null, or a value of another type than expected is an error. Lines with fields that
may contain anything (tools, for example) are decoded once more, by the decoder that `rules` uses, and the rules for
these fields are the same.
"""

import re
from collections.abc import Callable, Sequence
from itertools import chain, islice
from operator import attrgetter
from typing import Annotated, Any, Literal, NamedTuple

import msgspec
import orjson

from conveyor.jsonl.members import values_of
from conveyor.jsonl.struct_count import Ordinal, StructCount
from conveyor.money.bounds import FIELDS_THAT_ADD, Bound, Caching, addition_of, bound_with, caching_for
from conveyor.validation.body_fields import tools_problems
from conveyor.validation.content import messages_problems
from conveyor.validation.params import LARGEST_MAX_TOKENS
from conveyor.validation.rules import LARGEST_CUSTOM_ID, LONGEST_CUSTOM_ID

_CustomId = (
    Annotated[str, msgspec.Meta(min_length=1, max_length=LONGEST_CUSTOM_ID)]
    | Annotated[int, msgspec.Meta(ge=-LARGEST_CUSTOM_ID, le=LARGEST_CUSTOM_ID)]
)
_Model = Annotated[str, msgspec.Meta(min_length=1)]
_MaxTokens = Annotated[int, msgspec.Meta(ge=1, le=LARGEST_MAX_TOKENS)]
_Text = Annotated[str, msgspec.Meta(min_length=1)]
_UNSET = msgspec.UNSET
_Unset = msgspec.UnsetType

_LETTER = re.compile(rb"\\u00(?:5[fF]|6[1-9a-fA-F]|7[0-9aA])")
"""A letter or underscore that is written as an escape, which no library does."""


_params_count, _parts_count, _cached_count = StructCount(), StructCount(), StructCount()
"""Of `params`; of messages and their blocks; and of blocks that are cached."""


class _CacheControl(msgspec.Struct, gc=False, forbid_unknown_fields=True):
    type: str
    ttl: str = ""
    made: Ordinal = _cached_count.field


class _TextBlock(msgspec.Struct, gc=False, forbid_unknown_fields=True):
    type: Literal["text"]
    text: _Text
    cache_control: _CacheControl | None = None
    made: Ordinal = _parts_count.field


class _Message(msgspec.Struct, gc=False, forbid_unknown_fields=True):
    role: Literal["user", "assistant", "system"]
    content: _Text | Annotated[list[_TextBlock], msgspec.Meta(min_length=1)]
    made: Ordinal = _parts_count.field


class _Params(msgspec.Struct, gc=False, forbid_unknown_fields=True):
    """The fields of most lines."""

    model: _Model
    messages: Annotated[list[_Message], msgspec.Meta(min_length=1)]
    max_tokens: _MaxTokens = 0
    """0 if the line has none."""
    system: str | list[_TextBlock] | _Unset = _UNSET
    temperature: float | _Unset = _UNSET
    made: Ordinal = _params_count.field


class _Object(msgspec.Struct, gc=False):
    """An object with any fields."""


class _Typed(msgspec.Struct, gc=False):
    """An object with a type."""

    type: str


class _MoreParams(_Params, gc=False, forbid_unknown_fields=True):
    """All fields of the fast path."""

    top_p: float | _Unset = _UNSET
    top_k: Annotated[int, msgspec.Meta(ge=0, le=LARGEST_MAX_TOKENS)] | _Unset = _UNSET
    stop_sequences: list[str] | _Unset = _UNSET
    service_tier: str | _Unset = _UNSET
    metadata: _Object | _Unset = _UNSET
    thinking: _Typed | _Unset = _UNSET
    tools: list[_Object] | _Unset = _UNSET
    tool_choice: _Typed | _Unset = _UNSET
    output_config: _Object | _Unset = _UNSET
    output_format: _Object | _Unset = _UNSET


class _AnyMessage(msgspec.Struct, gc=False, forbid_unknown_fields=True):
    role: str
    content: _Text | Annotated[list[_Object], msgspec.Meta(min_length=1)]


class _AnyParams(_MoreParams, gc=False, forbid_unknown_fields=True):
    """The same with messages that may contain anything: images, for example."""

    messages: Annotated[list[_AnyMessage], msgspec.Meta(min_length=1)]  # type: ignore[assignment]  # another type


class _Row(msgspec.Struct, gc=False, forbid_unknown_fields=True):
    custom_id: _CustomId
    params: _Params


class _RowOfMore(msgspec.Struct, gc=False, forbid_unknown_fields=True):
    custom_id: _CustomId
    params: _MoreParams


class _RowOfAny(msgspec.Struct, gc=False, forbid_unknown_fields=True):
    custom_id: _CustomId
    params: _AnyParams


class _RawParams(msgspec.Struct, gc=False):
    params: msgspec.Raw


Row = _Row | _RowOfMore | _RowOfAny
"""A request: its id and params."""

_decoders: dict[type[Row], Callable[[memoryview], Sequence[Row]]] = {
    _Row: msgspec.json.Decoder(_Row).decode_lines,
    _RowOfMore: msgspec.json.Decoder(_RowOfMore).decode_lines,
    _RowOfAny: msgspec.json.Decoder(_RowOfAny).decode_lines,
}
_decode_raw_params = msgspec.json.Decoder(_RawParams).decode
_messages_of, _system_of, _content_of = map(attrgetter, ("params.messages", "params.system", "content"))


class DecodedRows(NamedTuple):
    """Requests that are surely valid if no field of their `params` is a duplicate."""

    rows: Sequence[Row]
    are_checked: bool
    """Whether duplicate fields were looked for, line by line."""
    has_last_messages: bool
    """Whether each line surely has a single array of messages: no message and no block was dropped."""
    bounds: Sequence[Bound] | None = None
    """The bound of each request; None if all are plain text."""
    caching: Sequence[Caching] | None = None
    """How long each request of plain text asks to be cached; None if none does."""


def decode_rows(lines: memoryview) -> DecodedRows:
    """Return a row for each request in lines that contain nothing else. Line ends are not checked.

    Raises ValueError or an error of msgspec if anything is in doubt.
    """
    for row_type, decode in _decoders.items():
        params_start, parts_start, cached_start = _params_count.start(), _parts_count.start(), _cached_count.start()
        try:
            rows = decode(lines)
        except msgspec.ValidationError:
            continue
        if not rows or _params_count.since(params_start) != len(rows):
            raise ValueError('missing or duplicate "params" key')
        systems = list(map(_system_of, rows))
        if row_type is _RowOfAny:
            _count_blocks(systems)
            bounds = _check_each(lines, has_any=True)
            return DecodedRows(rows, are_checked=True, has_last_messages=False, bounds=bounds)
        messages = list(chain.from_iterable(map(_messages_of, rows)))
        contents = list(map(_content_of, messages))
        parts = len(messages) + _count_blocks(contents) + _count_blocks(systems)
        if row_type is _RowOfMore:
            bounds = _check_each(lines, has_any=False)
            return DecodedRows(rows, are_checked=True, has_last_messages=False, bounds=bounds)
        are_all = _parts_count.since(parts_start) == parts
        has_last_messages = are_all and list not in set(map(type, systems))
        caching = _caching(rows, systems, contents) if _cached_count.since(cached_start) else None
        return DecodedRows(rows, are_checked=False, has_last_messages=has_last_messages, caching=caching)
    raise ValueError("unknown field, or unexpected type of a value")


def may_repeat_a_field(rows: Sequence[Row], data: bytes, begin: int, end: int) -> bool:
    """Return whether any `params` of lines of the most usual form may have a duplicate field.

    Each field's name occurs at least once per line with the field. More occurrences may be part of a text.
    """
    if data.find(b"\\u00", begin, end) >= 0 and _LETTER.search(data, begin, end):
        return True
    given = {name: [getattr(row.params, name) for row in rows] for name in ("system", "temperature")}
    counts = {name: len(values) - values.count(_UNSET) for name, values in given.items()}
    counts["max_tokens"] = sum(row.params.max_tokens > 0 for row in rows)
    names = ("model", "messages", *counts)
    return any(data.count(b'"%b"' % name.encode(), begin, end) != counts.get(name, len(rows)) for name in names)


def may_give(rows: Sequence[Row], field: str) -> bool:
    """Return whether any row may have a field in its `params`."""
    if field not in rows[0].params.__struct_fields__:
        return False
    return any(getattr(row.params, field) is not _UNSET for row in rows)


def _count_blocks(texts: list[Any]) -> int:
    """Count the blocks in texts and lists of blocks. Raises ValueError if a text contains only white space."""
    blocks: list[_TextBlock] = []
    types = set(map(type, texts))
    if types != {str}:
        blocks = [block for text in texts if type(text) is list for block in text] if list in types else []
        texts = [text for text in texts if type(text) is str]
    if any(map(str.isspace, texts)) or any(block.text.isspace() for block in blocks):
        raise ValueError("a text contains only white space")
    return len(blocks)


def _caching(rows: Sequence[Row], systems: list[Any], contents: list[Any]) -> list[Caching]:
    """Return how long each row of plain text asks to be cached. `systems` and `contents`: theirs, all in order."""
    found = [_longest(system) if type(system) is list else Caching.NONE for system in systems]
    if list not in set(map(type, contents)):
        return found
    left = iter(contents)
    for place, row in enumerate(rows):
        for content in islice(left, len(row.params.messages)):
            if type(content) is list:
                found[place] = max(found[place], _longest(content))
    return found


def _longest(blocks: list[_TextBlock]) -> Caching:
    longest = Caching.NONE
    for block in blocks:
        control = block.cache_control
        if control is not None:
            longest = max(longest, caching_for(control.ttl))
    return longest


def _check_each(lines: memoryview, *, has_any: bool) -> list[Bound]:
    """Check whole lines: of a duplicate field the first value is dropped here, but would be sent.

    Returns the bound of each. Raises ValueError if a line is not JSON or breaks a rule, and DuplicateKey if it has a
    duplicate field. Most lines have the same tools as the line before.
    """
    bounds: list[Bound] = []
    before: list[msgspec.Raw | None] | None = None
    for line in bytes(lines).removesuffix(b"\n").split(b"\n"):
        params = orjson.loads(line)["params"]
        values = values_of(bytes(_decode_raw_params(line).params))
        given = [values.get(name) for name in FIELDS_THAT_ADD]
        if given != before:
            before, addition = given, addition_of(params)
            if next(tools_problems(params), None):
                raise ValueError("a tool is invalid")
        if has_any and next(messages_problems(params["messages"], strict=True), None):
            raise ValueError("a message is invalid")
        bounds.append(bound_with(params, len(line), addition))
    return bounds
