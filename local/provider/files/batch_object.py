"""What a batch of the dialect of the files has beside its requests, and how it is shown."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal

from msgspec import Struct

if TYPE_CHECKING:
    from local.provider.batches.batch import Batch
    from local.provider.settings import Settings

type Part = Literal["output", "error"]
"""One of the two files of results."""

_SUCCEEDED, _MISSING = "succeeded", "missing"


class LineFault(Struct, frozen=True):
    """Why a batch fails; `line` counts from 1, None is the whole file."""

    code: str
    message: str
    line: int | None = None
    param: str | None = None


def new_file_id() -> str:
    """Make the id of a file, there or still to come."""
    return f"file-{secrets.token_hex(12)}"


@dataclass(slots=True, kw_only=True)
class Job:
    """What a batch was created from, and the names of the files it will end in."""

    input_file_id: str
    endpoint: str
    completion_window: str
    metadata: dict[str, str] | None
    form: Literal["params", "body"]
    model: str | None  # the one model of all lines, where it is one
    faults: list[LineFault]
    file_ids: dict[Part, str] = field(default_factory=lambda: {"output": new_file_id(), "error": new_file_id()})


def part_of(outcome: str) -> Part | None:
    """Tell in which file the line of an outcome stands; None is in neither."""
    fate = outcome.partition(":")[0]
    if fate == _MISSING:
        return None
    return "output" if fate == _SUCCEEDED else "error"


def parts_of(batch: Batch) -> set[Part]:
    """Tell which files a batch whose outcomes are settled has lines for."""
    return {part for fate, count in batch.fates().items() if count and (part := part_of(fate))}


def status(batch: Batch, now: float) -> str:
    """Give the status, spelled as OpenAI does."""
    if batch.ended(now):
        return "failed" if batch.failed else {"canceled": "cancelled", "": "completed"}.get(batch.cut, batch.cut)
    if batch.cancel_initiated_at is not None:
        return "cancelling"
    if batch.failed or now < batch.starts_at:
        return "validating"
    return "finalizing" if not batch.cut and now >= batch.finalizing_at else "in_progress"


def view(batch: Batch, job: Job, now: float, *, fresh: bool = False) -> dict[str, Any]:
    """Give the batch object of the dialect; a fresh one is always validating, as the answer to its creation."""
    state = "validating" if fresh else status(batch, now)
    settings = batch.settings
    shown = {
        "id": batch.id,
        "object": "batch",
        "endpoint": job.endpoint,
        "model": job.model,
        "errors": _errors(job, settings) if state == "failed" else None,
        "input_file_id": job.input_file_id,
        "completion_window": job.completion_window,
        "status": _spelled(state, settings),
        **{f"{part}_file_id": _shown_id(batch, job, part, state) for part in job.file_ids},
        **{name: told(moment, settings) for name, moment in _moments(batch, state, now).items()},
        "request_counts": _counts(batch, state, settings),
        "usage": None,
        "metadata": job.metadata,
    }
    return {name: value for name, value in shown.items() if value is not ...}


def told(moment: float | None, settings: Settings) -> int | str | None:
    """Write a moment: whole seconds since 1970, or ISO text."""
    if moment is None or settings.time_form == "unix":
        return None if moment is None else int(moment)
    return datetime.fromtimestamp(moment, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _spelled(state: str, settings: Settings) -> str:
    if settings.cancel_spelling == "canceled":
        state = state.replace("cancell", "cancel")
    return state.upper() if settings.status_case == "upper" else state


def _errors(job: Job, settings: Settings) -> dict[str, Any] | list[dict[str, Any]]:
    shift = settings.error_line_base - 1
    data = [
        {
            "code": fault.code,
            "line": None if fault.line is None else fault.line + shift,
            "message": fault.message,
            "param": fault.param,
        }
        for fault in job.faults
    ]
    return data if settings.batch_errors_form == "plain" else {"object": "list", "data": data}


def _shown_id(batch: Batch, job: Job, part: Part, state: str) -> Any:  # noqa: ANN401 - `...` leaves the key out
    over = state in ("completed", "expired", "cancelled")
    form = batch.settings.absent_file
    if over and (form == "zero" or part in parts_of(batch)):
        return job.file_ids[part]
    return {"missing": ..., "empty": ""}.get(form)


def _moments(batch: Batch, state: str, now: float) -> dict[str, float | None]:
    ended = {f"{end}_at": batch.ends_at if state == end else None for end in ("completed", "failed", "expired")}
    began = state not in ("validating", "failed") and batch.starts_at <= (batch.cancel_initiated_at or now)
    finalizing = state in ("finalizing", "completed")
    return {
        "created_at": batch.created_at,
        "in_progress_at": batch.starts_at if began else None,
        "expires_at": batch.expires_at,
        "finalizing_at": batch.finalizing_at if finalizing else None,
        **ended,
        "cancelling_at": batch.cancel_initiated_at,
        "cancelled_at": batch.ends_at if state == "cancelled" else None,
    }


def _counts(batch: Batch, state: str, settings: Settings) -> dict[str, int] | None:
    if state in ("validating", "failed"):
        return {"total": 0, "completed": 0, "failed": 0} if settings.counts_at_first else None
    total = len(batch.requests)
    if state in ("in_progress", "cancelling"):
        return {"total": total, "completed": 0, "failed": 0}
    fates = batch.fates()
    completed = fates[_SUCCEEDED] + fates[_MISSING]
    return {"total": total, "completed": completed, "failed": total - completed}
