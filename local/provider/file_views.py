"""How the file dialect words batches, files and results; the settings choose between what servers really do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec

from local.provider.answers import error_of, message_of, result_line
from local.provider.batches import moment
from local.provider.results import results

if TYPE_CHECKING:
    from local.provider.batches import Batch
    from local.provider.files import File, Files, Kind
    from local.provider.params import Asked
    from local.provider.settings import Settings

DONE = {"canceled": "cancelled", "expired": "expired"}
STATUS_OF = {
    "invalid_request_error": 400,
    "authentication_error": 401,
    "permission_error": 403,
    "not_found_error": 404,
    "rate_limit_error": 429,
    "overloaded_error": 529,
}


@dataclass(frozen=True)
class Sheet:
    """One of a batch's two files: its successes, or all others."""

    batch: Batch
    kind: Kind
    has_additions: bool

    @property
    def settings(self) -> Settings:
        """The settings as they were at the batch's creation."""
        return self.batch.settings

    def holds(self, outcome: str) -> bool:
        """Tell whether a request with this outcome stands here."""
        return outcome.startswith("succeeded") is (self.kind == "output")

    def line(self, asked: Asked, outcome: str) -> bytes:
        """Write a request's result."""
        is_plain = self.batch.job is None or self.batch.job.line_form == "params"
        form = self.settings.result_form or ("flat" if is_plain else "status")
        if form == "anthropic":
            return result_line(asked, outcome, self.settings.answer_chars)
        fate, _, detail = outcome.partition(":")
        if fate == "succeeded":
            response: Any = message_of(asked, detail, self.settings.answer_chars)
            if form == "status":
                response = {"status_code": 200, "request_id": f"req_{asked.digest}", "body": response}
            return _line(asked, form, response, None)
        if fate != "errored":
            spelled = self.settings.cancel_spelling if fate == "canceled" else fate
            return _line(asked, form, None, {"code": f"batch_{spelled}", "message": f"This request was {spelled}."})
        return _failure(asked, form, self.settings.failure_form or ("error" if is_plain else "status"), detail)


def _failure(asked: Asked, form: str, where: str, kind: str) -> bytes:
    error: dict[str, Any] = error_of(asked, kind)
    status = STATUS_OF.get(kind, 500)
    if where == "inside":
        return _line(asked, form, {"error": error}, None)
    if where == "status":
        body = {"type": "error", "error": error}
        return _line(asked, form, {"status_code": status, "request_id": f"req_{asked.digest}", "body": body}, None)
    response = {"status_code": status, "request_id": f"req_{asked.digest}", "body": None} if where == "both" else None
    return _line(asked, form, response, {"code": error["type"], "message": error["message"]})


def _line(asked: Asked, form: str, response: Any, error: Any) -> bytes:  # noqa: ANN401 - JSON
    own = {"id": f"batch_req_{asked.digest}"} if form == "status" else {}
    return msgspec.json.encode({**own, "custom_id": asked.custom_id, "response": response, "error": error})


def sheets(batch: Batch) -> dict[Kind, Sheet]:
    """Return the files that an ended batch has made: none for outcomes that no request came to."""
    if batch.failed:
        return {}
    fates = batch.fates() - {"missing"}
    first: Kind = "output" if any(fate.startswith("succeeded") for fate in fates) else "error"
    kinds: tuple[Kind, ...] = ("output", "error")
    every = {kind: Sheet(batch, kind, has_additions=kind == first) for kind in kinds}
    return {kind: sheet for kind, sheet in every.items() if any(map(sheet.holds, fates))}


def batch_view(batch: Batch, files: Files, now: float) -> dict[str, Any]:
    """Give the batch object."""
    settings, job = batch.settings, batch.job
    assert job is not None  # noqa: S101 - it is a batch of this dialect
    status = _status(batch, now)
    ends: dict[str, Any] = {f"{name}_at": None for name in ("completed", "failed", "expired", "cancelled")}
    if batch.ended(now):
        ends[f"{status}_at"] = _time(batch.ends_at, settings)
    view = {
        "id": batch.id,
        "object": "batch",
        "endpoint": job.endpoint,
        "input_file_id": job.file_id,
        "completion_window": job.window,
        "status": _spelled(status, settings),
        "created_at": _time(batch.created_at, settings),
        "expires_at": _time(batch.expires_at, settings),
        **ends,
        "errors": _errors(job.faults, settings) if status == "failed" else None,
        "request_counts": _counts(batch, status, now),
        "metadata": job.metadata if settings.metadata == "kept" else None,
    }
    return view | _made(batch, files, now)


def _status(batch: Batch, now: float) -> str:
    if now < batch.created_at + batch.settings.validating_seconds:
        return "validating"
    if batch.ended(now):
        return "failed" if batch.failed else DONE.get(batch.cut, "completed")
    if batch.cancel_initiated_at is not None:
        return "cancelling"
    return "finalizing" if now >= batch.ends_at - batch.settings.finalizing_seconds else "in_progress"


def _spelled(status: str, settings: Settings) -> str:
    spelled = status.replace("cancell", "cancel") if settings.cancel_spelling == "canceled" else status
    return spelled.upper() if settings.status_case == "upper" else spelled


def _time(seconds: float, settings: Settings) -> float | str:
    return int(seconds) if settings.time_form == "unix" else moment(seconds)


def _errors(faults: list[dict[str, Any]], settings: Settings) -> Any:  # noqa: ANN401 - JSON of two shapes
    return faults if settings.batch_errors_form == "plain" else {"object": "list", "data": faults}


def _counts(batch: Batch, status: str, now: float) -> dict[str, int] | None:
    if batch.failed:
        return {"total": 0, "completed": 0, "failed": 0}
    if not batch.settings.counts_at_first and not batch.ended(now):
        return None
    counts = batch.counts(now) if batch.ended(now) else {"succeeded": 0, "errored": 0}
    total = 0 if status == "validating" else len(batch.requests)
    return {"total": total, "completed": counts["succeeded"], "failed": counts["errored"]}


def _made(batch: Batch, files: Files, now: float) -> dict[str, Any]:
    """Name the files that the batch has made; of one that is not there, say so as the settings want."""
    there = sheets(batch) if batch.ended(now) else {}
    absent = batch.settings.absent_file
    view: dict[str, Any] = {}
    kinds: tuple[Kind, ...] = ("output", "error")
    for kind in kinds:
        name = f"{kind}_file_id"
        if kind in there or (absent == "zero" and there):
            view[name] = files.made(batch, kind, 0).id
        elif absent != "missing":
            view[name] = "" if absent == "empty" else None
    return view


def file_view(file: File, batch: Batch | None, settings: Settings) -> dict[str, Any]:
    """Give the file object."""
    sheet = sheets(batch).get(file.kind) if batch else None
    size = sum(map(len, results(batch, None, sheet))) if batch and sheet else file.bytes
    return {
        "id": file.id,
        "object": "file",
        "bytes": size,
        "created_at": _time(file.created_at, settings),
        "filename": file.filename,
        "purpose": "batch" if file.kind == "input" else "batch_output",
        "status": "processed",
        "expires_at": None,
    }
