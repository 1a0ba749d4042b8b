"""Chat completions: a message of the Message Batches API in OpenAI's words."""

from __future__ import annotations

from typing import Any

import msgspec

CHAT = "/v1/chat/completions"
FINISH_REASONS = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "refusal": "content_filter",
    "tool_use": "tool_calls",
}
"""Stop reason -> finish reason of a chat completion; any other keeps its name."""


def chat_completion(message: dict[str, Any]) -> dict[str, Any]:
    """Return a message as a chat completion."""
    return {
        "id": message["id"].replace("msg_", "chatcmpl-"),
        "object": "chat.completion",
        "created": 0,
        "model": message["model"],
        "choices": [
            {
                "index": 0,
                "message": _answer(message["content"]),
                "logprobs": None,
                "finish_reason": FINISH_REASONS.get(message["stop_reason"], message["stop_reason"]),
            }
        ],
        "usage": _usage(message["usage"]),
    }


def _answer(blocks: list[dict[str, Any]]) -> dict[str, Any]:
    text = "".join(block["text"] for block in blocks if block["type"] == "text")
    calls = [
        {
            "id": block["id"].replace("toolu_", "call_"),
            "type": "function",
            "function": {"name": block["name"], "arguments": msgspec.json.encode(block["input"]).decode()},
        }
        for block in blocks
        if block["type"] == "tool_use"
    ]
    if calls:
        return {"role": "assistant", "content": None, "refusal": None, "tool_calls": calls}
    return {"role": "assistant", "content": text, "refusal": None}


def _usage(usage: dict[str, Any]) -> dict[str, Any]:
    """Return the usage; here the tokens of a prompt include those that were cached."""
    cached, written = usage["cache_read_input_tokens"] or 0, usage["cache_creation_input_tokens"] or 0
    prompt, completion = usage["input_tokens"] + cached + written, usage["output_tokens"]
    return {
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": prompt + completion,
        "prompt_tokens_details": {"cached_tokens": cached},
        "completion_tokens_details": {"reasoning_tokens": usage["output_tokens_details"]["thinking_tokens"]},
    }
