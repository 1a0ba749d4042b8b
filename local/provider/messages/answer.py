"""The answer to a request, before either API puts it into words."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from local.provider.batches.request import AnswerShape, BatchRequest

CHARS_PER_TOKEN = 4


class Answer(NamedTuple):
    """An answer; all tokens are output tokens."""

    text: str
    """What a tool is called with, if there is a tool."""
    tool: str
    """The name of the tool that is used; empty if none is."""
    stop_reason: str
    stop_sequence: str | None
    thinking_tokens: int
    tokens: int
    """All tokens, those of thinking included."""


def answer_to(request: BatchRequest, stop_reason: str, shape: AnswerShape) -> Answer:
    """Answer a request; an empty stop reason is replaced by the one that follows from the request.

    Thinking comes first, and counts towards `max_tokens`: if it needs all of them, there is no text.
    """
    if stop_reason == "refusal":
        return Answer("", "", stop_reason, None, 0, 0)
    thinking = _thinking_tokens(request, shape)
    uses_tool = bool(request.tool) and (stop_reason == "tool_use" or (not stop_reason and request.must_use_tool))
    text, stop_sequence = _text(request, shape), None
    if not uses_tool and not stop_reason:
        text, stop_sequence = _stopped(text, request.stop_sequences)
    text_tokens = -(-len(text) // CHARS_PER_TOKEN)
    if request.max_tokens and thinking + text_tokens > request.max_tokens:
        thinking = min(thinking, request.max_tokens)
        text_tokens = request.max_tokens - thinking
        text, stop_sequence, natural = text[: text_tokens * CHARS_PER_TOKEN], None, "max_tokens"
    else:
        natural = "tool_use" if uses_tool else "end_turn" if stop_sequence is None else "stop_sequence"
    tool = request.tool if uses_tool and text else ""
    return Answer(text, tool, stop_reason or natural, stop_sequence, thinking, thinking + text_tokens)


def _thinking_tokens(request: BatchRequest, shape: AnswerShape) -> int:
    if request.wish.thinking_tokens is not None:
        return request.wish.thinking_tokens
    if shape.thinking_tokens is not None and request.thinks:
        return shape.thinking_tokens
    return request.thinking_tokens


def simulated(model: str, quote: str) -> str:
    """Return the sentence that is answered. `quote`: the beginning of the prompt."""
    return f"This is {model}, simulated. You asked: “{quote}”"


def _text(request: BatchRequest, shape: AnswerShape) -> str:
    sentence = request.structured or simulated(request.model, request.quote)
    wished = request.wish.answer_tokens
    if wished is None and (request.structured or shape.chars <= len(sentence)):
        return sentence
    chars = shape.chars if wished is None else wished * CHARS_PER_TOKEN
    return (sentence * -(-chars // len(sentence)))[:chars]


def _stopped(text: str, stop_sequences: tuple[str, ...]) -> tuple[str, str | None]:
    """Return the text up to the first stop sequence in it, and that sequence."""
    found = [(text.find(sequence), sequence) for sequence in stop_sequences if sequence and sequence in text]
    if not found:
        return text, None
    place, sequence = min(found)
    return text[:place], sequence
