"""The lines of output and error files, in each form that some provider uses."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec

from local.provider.batches.result_stream import ResultFormat
from local.provider.errors import TYPE_OF_STATUS
from local.provider.files.batch_object import filled_result_files, result_file_of
from local.provider.files.chat import CHAT, chat_completion
from local.provider.messages.result_writer import error_of, message_of, result_line

if TYPE_CHECKING:
    from local.provider.batches.batch import Batch
    from local.provider.batches.file_fields import FileFields, ResultFileKind
    from local.provider.batches.request import AnswerShape, BatchRequest
    from local.provider.file_settings import FailureForm, ResultForm

UNFINISHED = {
    "expired": {"code": "batch_expired", "message": "The completion window ended before this request ran."},
    "canceled": {"code": "batch_cancelled", "message": "The batch was cancelled before this request ran."},
}
"""The `error` of a request that never ran."""
STATUS_OF_TYPE = {error_type: status for status, error_type in reversed(TYPE_OF_STATUS.items())}


def format_of(batch: Batch, fields: FileFields, kind: ResultFileKind) -> ResultFormat:
    """Return the format of one result file of an ended batch."""
    strays_in = "error" if filled_result_files(batch) == {"error"} else "output"
    form = batch.settings.result_form or ("flat" if fields.form == "params" else "status")
    failure_form = batch.settings.failure_form or ("status" if form == "status" else "error")
    return ResultFormat(
        LineWriter(form, failure_form, fields.endpoint),
        includes=lambda outcome: result_file_of(outcome) == kind,
        has_strays=kind == strays_in,
    )


@dataclass(frozen=True, slots=True)
class LineWriter:
    """Writes the lines of a batch, all in one form."""

    form: ResultForm
    failure_form: FailureForm
    endpoint: str

    def __call__(self, request: BatchRequest, outcome: str, shape: AnswerShape) -> bytes:
        """Return a result line without its newline; `outcome` is any but `missing`."""
        if self.form == "anthropic":
            return result_line(request, outcome, shape)
        result_id = {"id": f"batch_req_{request.digest}"} if self.form == "status" else {}
        result = self._result(request, outcome, shape)
        return msgspec.json.encode(result_id | {"custom_id": request.custom_id} | result)

    def _result(self, request: BatchRequest, outcome: str, shape: AnswerShape) -> dict[str, Any]:
        outcome_type, _, detail = outcome.partition(":")
        if outcome_type == "errored":
            return _failure(self.failure_form, request, detail)
        if outcome_type != "succeeded":
            unknown = {"code": outcome_type, "message": outcome_type}
            return {"response": None, "error": UNFINISHED.get(outcome_type, unknown)}
        body = message_of(request, detail, shape)
        body = chat_completion(body) if self.endpoint == CHAT else body
        return {"response": _response(request, 200, body) if self.form == "status" else body, "error": None}


def _failure(form: FailureForm, request: BatchRequest, error_type: str) -> dict[str, Any]:
    """Return the response and the error of a request that was refused."""
    error = error_of(request, error_type)
    if form == "inside":
        return {"response": {"error": error}, "error": None}
    if form == "status":
        body = {"error": {"message": error["message"], "type": error_type, "param": None, "code": error_type}}
        return {"response": _response(request, STATUS_OF_TYPE.get(error_type, 500), body), "error": None}
    response = _response(request, 400, None) if form == "both" else None
    return {"response": response, "error": {"code": error_type, "message": error["message"]}}


def _response(request: BatchRequest, status: int, body: dict[str, Any] | None) -> dict[str, Any]:
    return {"status_code": status, "request_id": f"req_01{request.digest}", "body": body}
