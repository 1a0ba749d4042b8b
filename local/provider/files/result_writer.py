"""The lines of output and error files, in each form somebody speaks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec

from local.provider.batches.result_stream import Form
from local.provider.errors import KIND_OF_STATUS
from local.provider.files.batch_object import part_of, parts_of
from local.provider.messages.result_writer import error_of, message, result_line

if TYPE_CHECKING:
    from local.provider.batches.batch import Batch
    from local.provider.file_settings import FailureForm, ResultForm
    from local.provider.files.batch_object import Job, Part
    from local.provider.messages.params import Asked

CHAT = "/v1/chat/completions"
UNFINISHED = {
    "expired": {"code": "batch_expired", "message": "The window was over before this request ran."},
    "canceled": {"code": "batch_cancelled", "message": "The batch was cancelled before this request ran."},
}
"""What a request that never ran says, in `error`."""
STATUS_OF_KIND = {kind: status for status, kind in reversed(KIND_OF_STATUS.items())}
FINISH = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "refusal": "content_filter",
    "tool_use": "tool_calls",
}
"""What a chat completion calls a stop reason; any other it calls the same."""


def form_of(batch: Batch, job: Job, part: Part) -> Form:
    """Say which lines stand in a file of an ended batch, and how they are written."""
    home = "error" if parts_of(batch) == {"error"} else "output"
    form = batch.settings.result_form or ("flat" if job.form == "params" else "status")
    failure_form = batch.settings.failure_form or ("status" if form == "status" else "error")
    return Form(
        Writer(form, failure_form, job.endpoint), holds=lambda outcome: part_of(outcome) == part, strays=part == home
    )


@dataclass(frozen=True, slots=True)
class Writer:
    """Writes the lines of a batch, all in one form."""

    form: ResultForm
    failure_form: FailureForm
    endpoint: str

    def __call__(self, asked: Asked, outcome: str, answer_chars: int) -> bytes:
        """Write the result of a request, without a newline; `outcome` is any but `missing`."""
        if self.form == "anthropic":
            return result_line(asked, outcome, answer_chars)
        fate, _, detail = outcome.partition(":")
        if fate == "succeeded":
            body = message(asked, detail, answer_chars)
            body = _chat(body) if self.endpoint == CHAT else body
            said = {"response": _response(asked, 200, body) if self.form == "status" else body, "error": None}
        elif fate == "errored":
            said = _failure(self.failure_form, asked, detail)
        else:
            said = {"response": None, "error": UNFINISHED.get(fate, {"code": fate, "message": fate})}
        named = {"id": f"batch_req_{asked.digest}"} if self.form == "status" else {}
        return msgspec.json.encode(named | {"custom_id": asked.custom_id} | said)


def _failure(form: FailureForm, asked: Asked, kind: str) -> dict[str, Any]:
    """Say in one of four places that a request was refused."""
    error = error_of(asked, kind)
    top = {"code": kind, "message": error["message"]}
    if form == "inside":
        return {"response": {"error": error}, "error": None}
    if form == "status":
        body = {"error": {"message": error["message"], "type": kind, "param": None, "code": kind}}
        return {"response": _response(asked, STATUS_OF_KIND.get(kind, 500), body), "error": None}
    return {"response": _response(asked, 400, None) if form == "both" else None, "error": top}


def _response(asked: Asked, status: int, body: dict[str, Any] | None) -> dict[str, Any]:
    return {"status_code": status, "request_id": f"req_01{asked.digest}", "body": body}


def _chat(told: dict[str, Any]) -> dict[str, Any]:
    """Write a message as a chat completion."""
    text = "".join(block["text"] for block in told["content"])
    asked, answered = told["usage"]["input_tokens"], told["usage"]["output_tokens"]
    return {
        "id": told["id"].replace("msg_", "chatcmpl-"),
        "object": "chat.completion",
        "model": told["model"],
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": text},
                "finish_reason": FINISH.get(told["stop_reason"], told["stop_reason"]),
            }
        ],
        "usage": {"prompt_tokens": asked, "completion_tokens": answered, "total_tokens": asked + answered},
    }
