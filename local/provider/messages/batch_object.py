"""The batch object of the Message Batches API."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from local.provider.batches.batch import rfc3339

if TYPE_CHECKING:
    from local.provider.batches.batch import Batch

COUNTS = ("processing", "succeeded", "errored", "canceled", "expired")


def batch_object(batch: Batch, now: float, origin: str) -> dict[str, Any]:
    """Return the batch as JSON values; `origin` is scheme and host for `results_url`."""
    ended, archived = batch.ended(now), batch.archived(now)
    return {
        "id": batch.id,
        "type": "message_batch",
        "processing_status": batch.status(now),
        "request_counts": _request_counts(batch, now),
        "created_at": rfc3339(batch.created_at),
        "expires_at": rfc3339(batch.expires_at),
        "ended_at": rfc3339(batch.ends_at) if ended else None,
        "cancel_initiated_at": rfc3339(batch.cancel_initiated_at) if batch.cancel_initiated_at else None,
        "archived_at": rfc3339(batch.results_expire_at) if archived else None,
        "results_url": f"{origin}/v1/messages/batches/{batch.id}/results" if ended and not archived else None,
    }


def _request_counts(batch: Batch, now: float) -> dict[str, int]:
    """Count by outcome; every request is `processing` until the whole batch has ended."""
    if not batch.ended(now):
        return dict.fromkeys(COUNTS, 0) | {"processing": len(batch.requests)}
    by_outcome = batch.outcome_counts()
    counts = {name: by_outcome[name] for name in COUNTS}
    return counts | {"succeeded": by_outcome["succeeded"] + by_outcome["missing"]}
