"""The batch object of the file batch API, and which of its result files hold a line."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from local.provider.batches.batch import Batch
    from local.provider.batches.file_fields import FileFields, ResultFileKind
    from local.provider.settings import Settings

_SUCCEEDED, _MISSING = "succeeded", "missing"


def result_file_of(outcome: str) -> ResultFileKind | None:
    """Return the file that holds the line of an outcome; None if it has no line."""
    outcome_type = outcome.partition(":")[0]
    if outcome_type == _MISSING:
        return None
    return "output" if outcome_type == _SUCCEEDED else "error"


def filled_result_files(batch: Batch) -> set[ResultFileKind]:
    """Return the files that hold at least one line if the batch ends as planned."""
    counts = batch.outcome_counts()
    return {kind for outcome, count in counts.items() if count and (kind := result_file_of(outcome))}


def batch_status(batch: Batch, now: float) -> str:
    """Return the status, spelled as OpenAI does."""
    if batch.ended(now):
        early = {"canceled": "cancelled", "": "completed"}.get(batch.unfinished_outcome, batch.unfinished_outcome)
        return "failed" if batch.failed else early
    if batch.cancel_initiated_at is not None:
        return "cancelling"
    if batch.failed or now < batch.starts_at:
        return "validating"
    return "finalizing" if not batch.unfinished_outcome and now >= batch.finalizing_at else "in_progress"


def batch_object(batch: Batch, fields: FileFields, now: float, *, is_new: bool = False) -> dict[str, Any]:
    """Return the batch as JSON values; a new one is `validating`, whatever the time."""
    status = "validating" if is_new else batch_status(batch, now)
    settings = batch.settings
    values = {
        "id": batch.id,
        "object": "batch",
        "endpoint": fields.endpoint,
        "model": fields.model,
        "errors": _errors(fields, settings) if status == "failed" else None,
        "input_file_id": fields.input_file_id,
        "completion_window": fields.completion_window,
        "status": _spelled(status, settings),
        **{f"{kind}_file_id": _result_file_id(batch, fields, kind, status) for kind in fields.file_ids},
        **{name: timestamp(moment, settings) for name, moment in _moments(batch, status, now).items()},
        "request_counts": _request_counts(batch, status, settings),
        "usage": None,
        "metadata": fields.metadata,
    }
    return {name: value for name, value in values.items() if value is not ...}


def timestamp(moment: float | None, settings: Settings) -> int | str | None:
    """Return a moment as the settings say: whole seconds since 1970, or ISO 8601."""
    if moment is None or settings.time_form == "unix":
        return None if moment is None else int(moment)
    return datetime.fromtimestamp(moment, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _spelled(status: str, settings: Settings) -> str:
    if settings.cancel_spelling == "canceled":
        status = status.replace("cancell", "cancel")
    return status.upper() if settings.status_case == "upper" else status


def _errors(fields: FileFields, settings: Settings) -> dict[str, Any] | list[dict[str, Any]]:
    shift = settings.error_line_base - 1
    data = [
        {
            "code": fault.code,
            "line": None if fault.line is None else fault.line + shift,
            "message": fault.message,
            "param": fault.param,
        }
        for fault in fields.faults
    ]
    return data if settings.batch_errors_form == "plain" else {"object": "list", "data": data}


def _result_file_id(batch: Batch, fields: FileFields, kind: ResultFileKind, status: str) -> Any:  # noqa: ANN401 - `...` leaves the key out
    ended = status in ("completed", "expired", "cancelled")
    form = batch.settings.absent_file
    if ended and (form == "zero" or kind in filled_result_files(batch)):
        return fields.file_ids[kind]
    return {"missing": ..., "empty": ""}.get(form)


def _moments(batch: Batch, status: str, now: float) -> dict[str, float | None]:
    ended = {f"{end}_at": batch.ends_at if status == end else None for end in ("completed", "failed", "expired")}
    started = status not in ("validating", "failed") and batch.starts_at <= (batch.cancel_initiated_at or now)
    finalizing = status in ("finalizing", "completed")
    return {
        "created_at": batch.created_at,
        "in_progress_at": batch.starts_at if started else None,
        "expires_at": batch.expires_at,
        "finalizing_at": batch.finalizing_at if finalizing else None,
        **ended,
        "cancelling_at": batch.cancel_initiated_at,
        "cancelled_at": batch.ends_at if status == "cancelled" else None,
    }


def _request_counts(batch: Batch, status: str, settings: Settings) -> dict[str, int] | None:
    if status in ("validating", "failed"):
        return {"total": 0, "completed": 0, "failed": 0} if settings.counts_at_first else None
    total = len(batch.requests)
    if status in ("in_progress", "cancelling"):
        return {"total": total, "completed": 0, "failed": 0}
    counts = batch.outcome_counts()
    completed = counts[_SUCCEEDED] + counts[_MISSING]
    return {"total": total, "completed": completed, "failed": total - completed}
