"""What a person wants of an answer: its text, and what it used."""

from typing import Any

import msgspec
import orjson

from conveyor.answers.stop_reasons import NULL
from conveyor.provider.result_lines import summarize

_ABSENT = msgspec.Raw(b"null")
CUT_OFF = frozenset({"max_tokens", "model_context_window_exceeded"})
REFUSED = "refusal"


class Answer(msgspec.Struct, array_like=True, gc=False):
    """An answer."""

    text: str | None
    """None if it has none."""
    is_object: bool
    """Whether the text is a JSON object that the model has written."""
    model: str | None
    stop_reason: str | None
    input_tokens: int
    output_tokens: int
    cache_write_tokens: int
    cache_read_tokens: int


class _Block(msgspec.Struct):
    """A part of the content of a message."""

    type: Any = None
    text: Any = None
    input: msgspec.Raw = _ABSENT


class _Function(msgspec.Struct):
    arguments: Any = None


class _Call(msgspec.Struct):
    function: _Function | None = None


class _Message(msgspec.Struct):
    content: msgspec.Raw = _ABSENT
    choices: msgspec.Raw = _ABSENT
    tool_calls: msgspec.Raw = _ABSENT


class _Choice(msgspec.Struct):
    message: _Message | None = None


def read_answer(response: bytes) -> Answer:
    """Read a message, a chat completion, or any other JSON, which is its own text."""
    text, is_known = _text_of(response)
    model, usage, stop, *_ = summarize(response)
    return Answer(
        text,
        is_known and text is not None and fields_of(text) is not None,
        model or None,
        None if stop in {"", NULL} else stop,
        usage.input_tokens,
        usage.output_tokens,
        usage.cache_creation_input_tokens or 0,
        usage.cache_read_input_tokens or 0,
    )


def fields_of(text: str) -> dict[str, msgspec.Raw] | None:
    """Return the values of a text that is a JSON object, as they are written there; None for any other text."""
    if not text.lstrip().startswith("{"):
        return None
    try:
        orjson.loads(text)
        return msgspec.json.decode(text, type=dict[str, msgspec.Raw])
    except (orjson.JSONDecodeError, msgspec.DecodeError):
        return None


def _text_of(response: bytes) -> tuple[str | None, bool]:
    """Return the text of an answer, and whether its form is known: of another one, the text is all of its JSON."""
    try:
        message = msgspec.json.decode(response, type=_Message)
        if (choices := bytes(message.choices)).startswith(b"["):
            first = next(iter(msgspec.json.decode(choices, type=list[_Choice])), _Choice())
            message = first.message or _Message()
        content, calls = bytes(message.content), bytes(message.tool_calls)
        if content.startswith(b'"'):
            return msgspec.json.decode(content, type=str), True
        if content.startswith(b"["):
            return _text_in(msgspec.json.decode(content, type=list[_Block])), True
        if content == b"null" and calls.startswith(b"["):
            return _called_with(msgspec.json.decode(calls, type=list[_Call])), True
    except msgspec.DecodeError:
        pass
    return response.decode(), False


def _called_with(calls: list[_Call]) -> str | None:
    """Return what the only function of a chat completion was called with; None if there are several."""
    given = [each.function.arguments for each in calls if each.function]
    return given[0] if len(given) == 1 and isinstance(given[0], str) else None


def _text_in(blocks: list[_Block]) -> str | None:
    """Return the texts of a content as one; without a text, what its only tool was called with."""
    texts = [each.text for each in blocks if each.type == "text" and isinstance(each.text, str)]
    if texts:
        return "".join(texts)
    inputs = [bytes(each.input) for each in blocks if each.type == "tool_use"]
    return inputs[0].decode() if len(inputs) == 1 else None
