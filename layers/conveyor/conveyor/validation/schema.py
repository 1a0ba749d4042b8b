"""Many lines decoded at once, as requests of the usual kinds and nothing else.

Nothing is skipped: a field that is not known here, null, or a value of another kind than is expected, ends it, so that
nothing can hide there. Lines with what may hold anything (tools, say) are decoded once more, by the decoder that has
the last word, and the rules for what it holds are those of `line`.
"""

import re
from collections.abc import Callable, Sequence
from itertools import chain
from operator import attrgetter
from typing import Annotated, Any, Literal, NamedTuple

import msgspec
import orjson

from conveyor.jsonl.members import values_of
from conveyor.jsonl.struct_count import Ordinal, StructCount
from conveyor.validation.body_fields import tools_told
from conveyor.validation.content import messages_told
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
"""A letter or underscore that is written as an escape, as no library does."""


_params_made = StructCount()
_parts_made = StructCount()
"""Of messages: the messages themselves and their blocks."""


class _CacheControl(msgspec.Struct, gc=False, forbid_unknown_fields=True):
    type: str
    ttl: str = ""


class _TextBlock(msgspec.Struct, gc=False, forbid_unknown_fields=True):
    type: Literal["text"]
    text: _Text
    cache_control: _CacheControl | None = None
    made: Ordinal = _parts_made.field


class _Message(msgspec.Struct, gc=False, forbid_unknown_fields=True):
    role: Literal["user", "assistant", "system"]
    content: _Text | Annotated[list[_TextBlock], msgspec.Meta(min_length=1)]
    made: Ordinal = _parts_made.field


class _Params(msgspec.Struct, gc=False, forbid_unknown_fields=True):
    """What most lines hold."""

    model: _Model
    messages: Annotated[list[_Message], msgspec.Meta(min_length=1)]
    max_tokens: _MaxTokens = 0
    """0 where a line gives none."""
    system: str | list[_TextBlock] | _Unset = _UNSET
    temperature: float | _Unset = _UNSET
    made: Ordinal = _params_made.field


class _Object(msgspec.Struct, gc=False):
    """An object that may hold anything."""


class _Typed(msgspec.Struct, gc=False):
    """An object that says of what type it is."""

    type: str


class _MoreParams(msgspec.Struct, gc=False, forbid_unknown_fields=True):
    """What lines may hold."""

    model: _Model
    messages: Annotated[list[_Message], msgspec.Meta(min_length=1)]
    max_tokens: _MaxTokens = 0
    system: str | list[_TextBlock] | _Unset = _UNSET
    temperature: float | _Unset = _UNSET
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
    made: Ordinal = _params_made.field


class _AnyMessage(msgspec.Struct, gc=False, forbid_unknown_fields=True):
    role: str
    content: _Text | Annotated[list[_Object], msgspec.Meta(min_length=1)]


class _AnyParams(_MoreParams, gc=False, forbid_unknown_fields=True):
    """The same with messages that may hold anything: images, say."""

    messages: Annotated[list[_AnyMessage], msgspec.Meta(min_length=1)]  # type: ignore[assignment]  # another kind


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
"""A request as far as it needs to be known: its id, and its `max_tokens`."""

_decoders: dict[type[Row], Callable[[memoryview], Sequence[Row]]] = {
    _Row: msgspec.json.Decoder(_Row).decode_lines,
    _RowOfMore: msgspec.json.Decoder(_RowOfMore).decode_lines,
    _RowOfAny: msgspec.json.Decoder(_RowOfAny).decode_lines,
}
_decode_raw_params = msgspec.json.Decoder(_RawParams).decode
_messages_of, _system_of, _content_of = map(attrgetter, ("params.messages", "params.system", "content"))


class Rows(NamedTuple):
    """Some requests, all of them beyond doubt if no field of their `params` is given twice."""

    rows: Sequence[Row]
    are_checked: bool
    """Whether that was looked at, line by line."""
    has_last_messages: bool
    """Whether what ends like an array of messages is surely the only one of its line: no part of any is lost."""


def decode_rows(lines: memoryview) -> Rows:
    """Return a row for each request in lines that hold nothing else; where one line ends is not looked at.

    Raises ValueError or an error of msgspec's where anything is in doubt.
    """
    for kind, decode in _decoders.items():
        params_start, parts_start = _params_made.start(), _parts_made.start()
        try:
            rows = decode(lines)
        except msgspec.ValidationError:
            continue
        if not rows or _params_made.since(params_start) != len(rows):
            raise ValueError("params are missing, or given twice")
        systems = list(map(_system_of, rows))
        if kind is _RowOfAny:
            _blocks(systems)
            _look_at_each(lines, has_any=True)
            return Rows(rows, are_checked=True, has_last_messages=False)
        messages = list(chain.from_iterable(map(_messages_of, rows)))
        parts = len(messages) + _blocks(list(map(_content_of, messages))) + _blocks(systems)
        if kind is _RowOfMore:
            _look_at_each(lines, has_any=False)
            return Rows(rows, are_checked=True, has_last_messages=False)
        are_all = _parts_made.since(parts_start) == parts
        return Rows(rows, are_checked=False, has_last_messages=are_all and list not in set(map(type, systems)))
    raise ValueError("a field is not known, or a value is of another kind")


def repeats_a_field(rows: Sequence[Row], data: bytes, begin: int, end: int) -> bool:
    """Tell whether `params` of some lines, which are of the most usual kind, may give a field twice.

    Each name stands in its line at least once where the field is given; more of them may be part of a text.
    """
    if data.find(b"\\u00", begin, end) >= 0 and _LETTER.search(data, begin, end):
        return True
    given = {name: [getattr(row.params, name) for row in rows] for name in ("system", "temperature")}
    counts = {name: len(values) - values.count(_UNSET) for name, values in given.items()}
    counts["max_tokens"] = sum(row.params.max_tokens > 0 for row in rows)
    names = ("model", "messages", *counts)
    return any(data.count(b'"%b"' % name.encode(), begin, end) != counts.get(name, len(rows)) for name in names)


def may_give(rows: Sequence[Row], field: str) -> bool:
    """Tell whether `params` of some rows have a field."""
    if field not in rows[0].params.__struct_fields__:
        return False
    return any(getattr(row.params, field) is not _UNSET for row in rows)


def _blocks(texts: list[Any]) -> int:
    """Count the blocks in what may be texts or lists of blocks. Raises ValueError where one is of white space only."""
    blocks: list[_TextBlock] = []
    kinds = set(map(type, texts))
    if kinds != {str}:
        blocks = [block for text in texts if type(text) is list for block in text] if list in kinds else []
        texts = [text for text in texts if type(text) is str]
    if any(map(str.isspace, texts)) or any(block.text.isspace() for block in blocks):
        raise ValueError("a text is of white space only")
    return len(blocks)


def _look_at_each(lines: memoryview, *, has_any: bool) -> None:
    """Look at whole lines, since of a field that is given twice the first value is lost here, and is sent all the same.

    Raises ValueError where a line is no JSON or breaks a rule, and Repeated where it gives a field twice.
    """
    for line in bytes(lines).removesuffix(b"\n").split(b"\n"):
        params = orjson.loads(line)["params"]
        values_of(bytes(_decode_raw_params(line).params))
        if next(tools_told(params), None) or (has_any and next(messages_told(params["messages"], strict=True), None)):
            raise ValueError("a part or a tool is of another API, or empty")
