"""The result lines of the Message Batches API. The same request always gets the same line."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from local.provider.batches.request import USUAL
from local.provider.batches.result_stream import ResultFormat
from local.provider.messages.answer import answer_to

if TYPE_CHECKING:
    from local.provider.batches.request import AnswerShape, BatchRequest
    from local.provider.messages.answer import Answer

_REFUSED = {"type": "refusal", "category": None, "explanation": None}
_SIGNATURE = "c2ltdWxhdGVk"
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
    answer, cached = answer_to(request, stop_reason, shape), request.cached
    return {
        "id": f"msg_01{request.digest}",
        "type": "message",
        "role": "assistant",
        "model": request.model,
        "content": _content(request, answer),
        "stop_reason": None if stop_reason == "null" else answer.stop_reason,
        "stop_sequence": answer.stop_sequence,
        "stop_details": _REFUSED if stop_reason == "refusal" else None,
        "container": None,
        "usage": {
            "input_tokens": max(0, request.input_tokens - cached.written - cached.read),
            "output_tokens": answer.tokens,
            "output_tokens_details": {"thinking_tokens": answer.thinking_tokens},
            "cache_creation_input_tokens": cached.written,
            "cache_read_input_tokens": cached.read,
            "cache_creation": {
                "ephemeral_5m_input_tokens": cached.written_5m,
                "ephemeral_1h_input_tokens": cached.written_1h,
            },
            "service_tier": "batch",
        }
        | shape.usage
        | request.wish.usage,
    }


def _result(request: BatchRequest, outcome: str, shape: AnswerShape) -> dict[str, Any]:
    result_type, _, detail = outcome.partition(":")
    if result_type == "succeeded":
        return {"type": result_type, "message": message_of(request, detail, shape)}
    if result_type == "errored":
        error = {"type": "error", "error": error_of(request, detail), "request_id": f"req_01{request.digest}"}
        return {"type": result_type, "error": error}
    return {"type": result_type}


def _content(request: BatchRequest, answer: Answer) -> list[dict[str, Any]]:
    """Return the blocks of a message; what the model thought is left out, as newer models do."""
    blocks: list[dict[str, Any]] = []
    if answer.thinking_tokens:
        blocks.append({"type": "thinking", "thinking": "", "signature": _SIGNATURE})
    if answer.tool:
        tool_id, given = f"toolu_01{request.digest}", {"text": answer.text}
        blocks.append({"type": "tool_use", "id": tool_id, "name": answer.tool, "input": given})
    elif answer.text:
        blocks.append({"type": "text", "text": answer.text})
    return blocks
