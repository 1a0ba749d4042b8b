"""Batches and their lives: created, looked at, cancelled, ended, deleted. Pure but for the ids; time is passed in.

Where the API's answer is not documented this provider decides: cancel of an ended batch and delete of a running one are
400; results before the end or after their retention, and a page beside an unknown batch, are 404; a full queue is 429.
"""

from __future__ import annotations

import math
import secrets
import string
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from local.provider.answers import natural_outcome
from local.provider.errors import ApiError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from local.provider.params import Asked
    from local.provider.settings import Settings

COUNTS = ("processing", "succeeded", "errored", "canceled", "expired")
_ALPHABET = string.ascii_letters + string.digits


@dataclass(slots=True, kw_only=True, eq=False)
class Job:
    """What a batch that is made of a file was created with."""

    file_id: str
    endpoint: str
    window: str
    line_form: str
    metadata: dict[str, str] | None
    faults: list[dict[str, Any]]  # why it fails; code, line, message, param


@dataclass(slots=True, kw_only=True, eq=False)
class Batch:
    """One batch; moments are seconds since 1970."""

    id: str
    number: int  # order of creation, from 1
    requests: Sequence[Asked]
    settings: Settings  # as they were at creation
    created_at: float
    ends_at: float = math.inf
    cut: str = ""  # what becomes of the unfinished requests when the batch ends early: canceled, expired
    cancel_initiated_at: float | None = None
    archived_at: float = math.inf
    unlisted_looks: int = 0
    job: Job | None = None  # where the batch was made of a file
    _tally: dict[str, int] = field(default_factory=dict)
    _fates: frozenset[str] | None = None

    @property
    def expires_at(self) -> float:
        """Give the moment the provider promises to be done with it."""
        return self.created_at + self.settings.expires_seconds

    @property
    def gone_at(self) -> float:
        """Give the moment the results go: their retention counts from creation."""
        return min(self.archived_at, self.created_at + self.settings.retention_seconds)

    def plan_end(self, seconds: float | None, now: float) -> None:
        """Let the batch end by itself so long after its creation, but never in the past."""
        end = max(now, self.created_at + (math.inf if seconds is None else seconds))
        expires = self.settings.expire and end > self.expires_at
        self.ends_at, self.cut = (max(now, self.expires_at), "expired") if expires else (end, "")

    def cancel(self, now: float) -> None:
        """Stop at once what can be stopped; a second cancel changes nothing."""
        if self.ended(now):
            if self.job:
                return
            raise ApiError(400, f"Batch {self.id} cannot be canceled: its processing has ended.")
        if self.cancel_initiated_at is None:
            wait = self.settings.canceling_seconds
            self.cancel_initiated_at, self.cut = now, "canceled"
            self.ends_at = math.inf if wait is None else now + wait

    @property
    def failed(self) -> bool:
        """Tell whether nothing of it is ever run, since its file is faulty."""
        return bool(self.job and self.job.faults)

    def ended(self, now: float) -> bool:
        """Tell whether every request has got its outcome."""
        return now >= self.ends_at

    def status(self, now: float) -> str:
        """Give the `processing_status`."""
        if self.ended(now):
            return "ended"
        return "in_progress" if self.cancel_initiated_at is None else "canceling"

    def outcome(self, position: int) -> str:
        """Give what became of the request at a position (from 1) of an ended batch."""
        if self.cut and position > self.settings.finished_share * len(self.requests):
            return self.cut
        return self.settings.outcome_at(position) or natural_outcome(self.requests[position - 1])

    def fates(self) -> frozenset[str]:
        """Give every outcome that some request of an ended batch came to."""
        if self._fates is None:
            self._fates = frozenset(map(self.outcome, range(1, len(self.requests) + 1)))
        return self._fates

    def counts(self, now: float) -> dict[str, int]:
        """Count by outcome; everything is `processing` until the whole batch has ended."""
        total = len(self.requests)
        if not self.ended(now):
            return dict.fromkeys(COUNTS, 0) | {"processing": total}
        if not self._tally:
            fates = Counter(self.outcome(position).partition(":")[0] for position in range(1, total + 1))
            fates["succeeded"] += fates.pop("missing", 0)
            self._tally = dict.fromkeys(COUNTS, 0) | fates
        return self._tally

    def archived(self, now: float) -> bool:
        """Tell whether the results are gone."""
        return now >= self.gone_at

    def view(self, now: float, origin: str) -> dict[str, Any]:
        """Give the batch object of the API; `origin` is scheme and host for `results_url`."""
        ended, archived = self.ended(now), self.archived(now)
        return {
            "id": self.id,
            "type": "message_batch",
            "processing_status": self.status(now),
            "request_counts": self.counts(now),
            "created_at": moment(self.created_at),
            "expires_at": moment(self.expires_at),
            "ended_at": moment(self.ends_at) if ended else None,
            "cancel_initiated_at": moment(self.cancel_initiated_at) if self.cancel_initiated_at else None,
            "archived_at": moment(self.gone_at) if archived else None,
            "results_url": f"{origin}/v1/messages/batches/{self.id}/results" if ended and not archived else None,
        }


class Batches:
    """All batches of the workspace, in order of creation."""

    def __init__(self) -> None:
        """Start with none."""
        self._by_id: dict[str, Batch] = {}
        self.created = 0

    def __iter__(self) -> Iterator[Batch]:
        """Go through the batches that were not deleted, oldest first."""
        return iter(self._by_id.values())

    def create(self, requests: Sequence[Asked], settings: Settings, now: float) -> Batch:
        """Take a batch in; raises `ApiError` 429 when the queue has no room for it."""
        if not self.has_room(len(requests), settings, now):
            limit = f"This batch would exceed your limit of {settings.queue_limit} enqueued batch requests."
            raise ApiError(429, limit)
        batch = self._add("msgbatch_01", requests, settings, now)
        batch.plan_end(settings.seconds, now)
        return batch

    def create_of(self, job: Job, requests: Sequence[Asked], settings: Settings, now: float) -> Batch:
        """Take a batch in that is made of a file; one whose file is faulty fails without being run."""
        batch = self._add("batch_", requests, settings, now)
        batch.job = job
        if job.faults:
            batch.ends_at = now + settings.validating_seconds
        else:
            batch.plan_end(settings.seconds, now)
        return batch

    def has_room(self, requests: int, settings: Settings, now: float) -> bool:
        """Tell whether so many more requests fit into the queue."""
        queued = sum(len(batch.requests) for batch in self if not batch.ended(now))
        return settings.queue_limit is None or queued + requests <= settings.queue_limit

    def _add(self, prefix: str, requests: Sequence[Asked], settings: Settings, now: float) -> Batch:
        self.created += 1
        batch = Batch(id=_new_id(prefix), number=self.created, requests=requests, settings=settings, created_at=now)
        self._by_id[batch.id] = batch
        return batch

    def get(self, batch_id: str) -> Batch:
        """Find a batch; raises `ApiError` 404."""
        if batch_id not in self._by_id:
            raise ApiError(404, f"No message batch {batch_id} was found.")
        return self._by_id[batch_id]

    def delete(self, batch_id: str, now: float) -> None:
        """Forget an ended batch; raises `ApiError` 400 while it runs."""
        if not self.get(batch_id).ended(now):
            raise ApiError(400, f"Batch {batch_id} cannot be deleted: cancel it and wait for its end.")
        del self._by_id[batch_id]

    def page(self, limit: int, after_id: str | None, before_id: str | None) -> tuple[list[Batch], bool]:
        """Give a page, newest first, and whether there is more in its direction; counts as one look."""
        shown = [batch for batch in reversed(self._by_id.values()) if batch.unlisted_looks == 0]
        for batch in self:
            batch.unlisted_looks = max(0, batch.unlisted_looks - 1)
        if before_id is not None:
            newer = shown[: _place(shown, self.get(before_id))]
            return newer[-limit:], len(newer) > limit
        older = shown if after_id is None else shown[_place(shown, self.get(after_id)) + 1 :]
        return older[:limit], len(older) > limit


def moment(seconds: float) -> str:
    """Write seconds since 1970 as RFC 3339, in UTC."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def _place(shown: list[Batch], cursor: Batch) -> int:
    if cursor not in shown:
        raise ApiError(404, f"No message batch {cursor.id} was found.")
    return shown.index(cursor)


def _new_id(prefix: str) -> str:
    return prefix + "".join(secrets.choice(_ALPHABET) for _ in range(22))
