"""Many lines decoded at once, as requests of the usual kinds and nothing else.

Nothing is skipped: a field that is not known here, or a value of another kind than is expected, ends it, so that
nothing can hide there. Lines with what may hold anything (tools, say) are decoded once more, by the decoder that has
the last word.
"""

from collections.abc import Callable, Sequence
from itertools import count
from typing import Annotated, Literal, cast

import msgspec
import orjson

from conveyor.line import LARGEST_MAX_TOKENS, LONGEST_CUSTOM_ID

_CustomId = Annotated[str, msgspec.Meta(min_length=1, max_length=LONGEST_CUSTOM_ID)]
_Model = Annotated[str, msgspec.Meta(min_length=1)]
_MaxTokens = Annotated[int, msgspec.Meta(ge=1, le=LARGEST_MAX_TOKENS)]
_NOTHING = msgspec.Raw(b"")


class _Made:
    """A number of a kind that has no form in JSON, so that no line can give it."""


_made = count()
_MADE: _Made = msgspec.field(default_factory=cast("type[_Made]", _made.__next__))
"""Counts `params` as they are made."""


class _CacheControl(msgspec.Struct, gc=False, forbid_unknown_fields=True):
    type: str
    ttl: str = ""


class _TextBlock(msgspec.Struct, gc=False, forbid_unknown_fields=True):
    type: Literal["text"]
    text: str
    cache_control: _CacheControl | None = None


class _Message(msgspec.Struct, gc=False, forbid_unknown_fields=True):
    role: str
    content: str | list[_TextBlock]


class _Params(msgspec.Struct, gc=False, forbid_unknown_fields=True):
    """What most lines hold."""

    model: _Model
    messages: Annotated[list[_Message], msgspec.Meta(min_length=1)]
    max_tokens: _MaxTokens = 0
    """0 where a line gives none."""
    system: str | list[_TextBlock] = ""
    temperature: float | None = None
    made: _Made = _MADE


class _MoreParams(msgspec.Struct, gc=False, forbid_unknown_fields=True):
    """What lines may hold; the raw values may be anything."""

    model: _Model
    messages: Annotated[list[_Message], msgspec.Meta(min_length=1)]
    max_tokens: _MaxTokens = 0
    system: str | list[_TextBlock] = ""
    temperature: float | None = None
    top_p: float | None = None
    top_k: Annotated[int, msgspec.Meta(ge=0, le=LARGEST_MAX_TOKENS)] | None = None
    stop_sequences: list[str] | None = None
    service_tier: str | None = None
    metadata: msgspec.Raw = _NOTHING
    thinking: msgspec.Raw = _NOTHING
    tools: msgspec.Raw = _NOTHING
    tool_choice: msgspec.Raw = _NOTHING
    output_config: msgspec.Raw = _NOTHING
    output_format: msgspec.Raw = _NOTHING
    made: _Made = _MADE


class _AnyMessage(msgspec.Struct, gc=False, forbid_unknown_fields=True):
    role: str
    content: str | list[msgspec.Raw]


class _AnyParams(_MoreParams, gc=False, forbid_unknown_fields=True):
    """The same with messages that may hold anything: images, say."""

    messages: Annotated[list[_AnyMessage], msgspec.Meta(min_length=1)]  # type: ignore[assignment]  # another kind
    system: str | list[msgspec.Raw] = ""  # type: ignore[assignment]  # another kind


class _Row(msgspec.Struct, gc=False, forbid_unknown_fields=True):
    custom_id: _CustomId
    params: _Params


class _RowOfMore(msgspec.Struct, gc=False, forbid_unknown_fields=True):
    custom_id: _CustomId
    params: _MoreParams


class _RowOfAny(msgspec.Struct, gc=False, forbid_unknown_fields=True):
    custom_id: _CustomId
    params: _AnyParams


Row = _Row | _RowOfMore | _RowOfAny
"""A request as far as it needs to be known: its id, and its `max_tokens`."""

_decoders: tuple[Callable[[memoryview], Sequence[Row]], ...] = (
    msgspec.json.Decoder(_Row).decode_lines,
    msgspec.json.Decoder(_RowOfMore).decode_lines,
    msgspec.json.Decoder(_RowOfAny).decode_lines,
)


def decode_rows(lines: memoryview) -> Sequence[Row]:
    """Return a row for each request in lines that hold nothing else; where one line ends is not looked at.

    Raises ValueError or an error of msgspec's where anything is in doubt.
    """
    for decode in _decoders:
        before = next(_made)
        try:
            rows = decode(lines)
        except msgspec.ValidationError:
            continue
        if next(_made) - before != len(rows) + 1:
            raise ValueError("params are given twice, the first of them for nothing")
        if rows and not isinstance(rows[0], _Row):
            # Whole lines, since of a field that is given twice the first value is lost here, and is sent all the same.
            for line in bytes(lines).removesuffix(b"\n").split(b"\n"):
                orjson.loads(line)
        return rows
    raise ValueError("a field is not known, or a value is of another kind")


def may_give(rows: Sequence[Row], field: str) -> bool:
    """Tell whether `params` of some rows have a field, or may have it: typed ones do not tell null from absent."""
    if field not in rows[0].params.__struct_fields__:
        return False
    values = [getattr(row.params, field) for row in rows]
    return any(values) if isinstance(values[0], msgspec.Raw) else True
