"""The result lines of the Message Batches API. The same request always gets the same line."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from local.provider.batches.request import USUAL
from local.provider.batches.result_stream import ResultFormat

if TYPE_CHECKING:
    from local.provider.batches.request import AnswerShape, BatchRequest

CHARS_PER_TOKEN = 4
ERROR_MESSAGES = {
    "invalid_request_error": "The provider's settings make this request invalid.",
    "authentication_error": "The key of this batch is no longer valid.",
    "billing_error": "There is a problem with the payment details of this organization.",
    "permission_error": "This workspace may not use the model.",
    "not_found_error": "model: not found",
    "rate_limit_error": "This request would exceed the rate limit.",
    "timeout_error": "The request took too long.",
    "api_error": "Internal server error",
    "overloaded_error": "Overloaded",
}
"""The message of each type of error in a result line."""


def result_line(request: BatchRequest, outcome: str, shape: AnswerShape = USUAL) -> bytes:
    """Return a result line without its newline; `outcome` is any but `missing`."""
    return msgspec.json.encode({"custom_id": request.custom_id, "result": _result(request, outcome, shape)})


RESULTS = ResultFormat(result_line)
"""The one result file of a batch."""


def error_of(request: BatchRequest, error_type: str) -> dict[str, str]:
    """Return the error object of a request that was refused."""
    return {"type": error_type, "message": request.refusal or ERROR_MESSAGES.get(error_type, error_type)}


def message_of(request: BatchRequest, stop_reason: str, shape: AnswerShape) -> dict[str, Any]:
    """Return the message that answers a request; an empty stop reason is replaced by the natural one."""
    text = _answer_text(request, shape.chars)
    output_tokens = -(-len(text) // CHARS_PER_TOKEN)
    if output_tokens > request.max_tokens > 0:
        text, output_tokens = text[: request.max_tokens * CHARS_PER_TOKEN], request.max_tokens
        stop_reason = stop_reason or "max_tokens"
    if stop_reason == "refusal":
        text, output_tokens = "", 0
    return {
        "id": f"msg_01{request.digest}",
        "type": "message",
        "role": "assistant",
        "model": request.model,
        "content": [{"type": "text", "text": text}] if text else [],
        "stop_reason": None if stop_reason == "null" else stop_reason or "end_turn",
        "stop_sequence": None,
        "stop_details": {"type": "refusal", "category": None, "explanation": None}
        if stop_reason == "refusal"
        else None,
        "container": None,
        "usage": {
            "input_tokens": request.input_tokens,
            "output_tokens": output_tokens,
            "cache_creation_input_tokens": 0,
            "cache_read_input_tokens": 0,
            "service_tier": "batch",
        }
        | shape.usage,
    }


def _result(request: BatchRequest, outcome: str, shape: AnswerShape) -> dict[str, Any]:
    result_type, _, detail = outcome.partition(":")
    if result_type == "succeeded":
        return {"type": result_type, "message": message_of(request, detail, shape)}
    if result_type == "errored":
        error = {"type": "error", "error": error_of(request, detail), "request_id": f"req_01{request.digest}"}
        return {"type": result_type, "error": error}
    return {"type": result_type}


def _answer_text(request: BatchRequest, answer_chars: int) -> str:
    sentence = f"This is {request.model}, simulated. You asked: “{request.quote}”"
    repeats = -(-answer_chars // len(sentence))
    return (sentence * repeats)[:answer_chars] if repeats > 1 else sentence
