"""What becomes of a request, as one line of results. The same request always gets the same line."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from local.provider.messages.params import Asked

CHARS_PER_TOKEN = 4
MESSAGES = {
    "invalid_request_error": "This request was told to be invalid.",
    "authentication_error": "The key of this batch is no longer valid.",
    "billing_error": "There is a problem with the payment details of this organization.",
    "permission_error": "This workspace may not use the model.",
    "not_found_error": "model: not found",
    "rate_limit_error": "This request would exceed the rate limit.",
    "timeout_error": "The request took too long.",
    "api_error": "Internal server error",
    "overloaded_error": "Overloaded",
}
"""Message of each kind of error a line can carry."""


def result_line(asked: Asked, outcome: str, answer_chars: int = 0) -> bytes:
    """Write the result of a request, without a newline; `outcome` is any but `missing`."""
    return msgspec.json.encode({"custom_id": asked.custom_id, "result": _result(asked, outcome, answer_chars)})


def natural_outcome(asked: Asked) -> str:
    """Tell what becomes of a request nobody gave an outcome to: refused params are errors, all else succeeds."""
    return "errored:invalid_request_error" if asked.refusal else "succeeded"


def error_of(asked: Asked, kind: str) -> dict[str, str]:
    """Give kind and words of an error a request ends in."""
    return {"type": kind, "message": asked.refusal or MESSAGES.get(kind, kind)}


def _result(asked: Asked, outcome: str, answer_chars: int) -> dict[str, Any]:
    fate, _, detail = outcome.partition(":")
    if fate == "succeeded":
        return {"type": fate, "message": message(asked, detail, answer_chars)}
    if fate == "errored":
        error = {"type": "error", "error": error_of(asked, detail), "request_id": f"req_01{asked.digest}"}
        return {"type": fate, "error": error}
    return {"type": fate}


def message(asked: Asked, stop_reason: str, answer_chars: int) -> dict[str, Any]:
    """Give the message a request ends in; without a stop reason it ends as it must."""
    text = _text(asked, answer_chars)
    output_tokens = -(-len(text) // CHARS_PER_TOKEN)
    if output_tokens > asked.max_tokens > 0:
        text, output_tokens = text[: asked.max_tokens * CHARS_PER_TOKEN], asked.max_tokens
        stop_reason = stop_reason or "max_tokens"
    if stop_reason == "refusal":
        text, output_tokens = "", 0
    return {
        "id": f"msg_01{asked.digest}",
        "type": "message",
        "role": "assistant",
        "model": asked.model,
        "content": [{"type": "text", "text": text}] if text else [],
        "stop_reason": None if stop_reason == "null" else stop_reason or "end_turn",
        "stop_sequence": None,
        "stop_details": {"type": "refusal", "category": None, "explanation": None}
        if stop_reason == "refusal"
        else None,
        "container": None,
        "usage": {
            "input_tokens": asked.input_tokens,
            "output_tokens": output_tokens,
            "cache_creation_input_tokens": 0,
            "cache_read_input_tokens": 0,
            "service_tier": "batch",
        },
    }


def _text(asked: Asked, answer_chars: int) -> str:
    sentence = f"This is {asked.model}, simulated. You asked: “{asked.quote}”"
    repeats = -(-answer_chars // len(sentence))
    return (sentence * repeats)[:answer_chars] if repeats > 1 else sentence
