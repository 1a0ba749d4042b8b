"""Batches and their lives: created, looked at, cancelled, ended, deleted. Pure but for the ids; time is passed in.

Where the API's answer is not documented this provider decides: cancel of an ended batch and delete of a running one are
400; results before the end or after their retention, and a page beside an unknown batch, are 404; a full queue is 429.
In the dialect of the files the cancel of an ended batch changes nothing, and a full queue fails the batch.
"""

from __future__ import annotations

import math
import secrets
import string
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal

from local.provider.errors import ApiError
from local.provider.files.batch_object import Job, LineFault
from local.provider.messages.result_writer import natural_outcome

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from local.provider.messages.params import Asked
    from local.provider.settings import Settings

type Dialect = Literal["messages", "files"]

COUNTS = ("processing", "succeeded", "errored", "canceled", "expired")
_ALPHABET = string.ascii_letters + string.digits


@dataclass(slots=True, kw_only=True, eq=False)
class Batch:
    """One batch; moments are seconds since 1970."""

    id: str
    number: int  # order of creation, from 1
    requests: Sequence[Asked]
    settings: Settings  # as they were at creation
    created_at: float
    betas: frozenset[str] = frozenset()  # that the create call named
    job: Job | None = None  # what a batch made of a file has beside its requests
    ends_at: float = math.inf
    cut: str = ""  # what becomes of the unfinished requests when the batch ends early: canceled, expired
    cancel_initiated_at: float | None = None
    archived_at: float = math.inf
    unlisted_looks: int = 0
    _fates: Counter[str] = field(default_factory=Counter)

    @property
    def expires_at(self) -> float:
        """Give the moment the provider promises to be done with it."""
        return self.created_at + self.settings.expires_seconds

    @property
    def dialect(self) -> Dialect:
        """Tell which dialect speaks of it."""
        return "files" if self.job else "messages"

    @property
    def failed(self) -> bool:
        """Tell whether it will not run, as its file has faults."""
        return self.job is not None and bool(self.job.faults)

    @property
    def starts_at(self) -> float:
        """Give the moment its file has been checked."""
        return self.created_at + (self.settings.validating_seconds if self.job else 0)

    @property
    def finalizing_at(self) -> float:
        """Give the moment its requests are done."""
        return self.ends_at - (self.settings.finalizing_seconds if self.job else 0)

    @property
    def gone_at(self) -> float:
        """Give the moment the results go: their retention counts from creation."""
        return min(self.archived_at, self.created_at + self.settings.retention_seconds)

    def plan_end(self, seconds: float | None, now: float) -> None:
        """Let the batch end by itself so long after its begin, but never in the past; one that fails keeps its end."""
        if self.failed:
            self.ends_at = self.starts_at
            return
        self._fates.clear()
        end = max(now, self.starts_at + (math.inf if seconds is None else seconds))
        end += self.settings.finalizing_seconds if self.job else 0
        expires = self.settings.expire and end > self.expires_at
        self.ends_at, self.cut = (max(now, self.expires_at), "expired") if expires else (end, "")

    def cancel(self, now: float) -> None:
        """Stop at once what can be stopped; a second cancel changes nothing."""
        if self.ended(now):
            raise ApiError(400, f"Batch {self.id} cannot be canceled: its processing has ended.")
        if self.cancel_initiated_at is None:
            wait = self.settings.canceling_seconds
            self.cancel_initiated_at, self.cut = now, "canceled"
            self.ends_at = math.inf if wait is None else now + wait
            self._fates.clear()

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

    def counts(self, now: float) -> dict[str, int]:
        """Count by outcome; everything is `processing` until the whole batch has ended."""
        if not self.ended(now):
            return dict.fromkeys(COUNTS, 0) | {"processing": len(self.requests)}
        fates = self.fates()
        counts = {name: fates[name] for name in COUNTS}
        return counts | {"succeeded": fates["succeeded"] + fates["missing"]}

    def fates(self) -> Counter[str]:
        """Count by outcome, without its detail, what becomes of all requests if the batch ends as it is planned."""
        if not self._fates:
            self._fates.update(self.outcome(place).partition(":")[0] for place in range(1, len(self.requests) + 1))
        return self._fates

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

    def create(
        self, requests: Sequence[Asked], settings: Settings, now: float, job: Job | None = None,
        betas: frozenset[str] = frozenset(),
    ) -> Batch:  # fmt: skip
        """Take a batch in; where the queue has no room for it, a job fails, and others raise `ApiError` 429."""
        if not (job and job.faults) and self._full(len(requests), settings.queue_limit, now):
            limit = f"This batch would exceed your limit of {settings.queue_limit} enqueued batch requests."
            if job is None:
                raise ApiError(429, limit)
            job.faults.append(LineFault("token_limit_exceeded", limit))
        self.created += 1
        named, number = _new_id("batch_" if job else "msgbatch_01"), self.created
        batch = Batch(
            id=named, number=number, requests=requests, settings=settings, created_at=now, job=job, betas=betas
        )
        batch.plan_end(settings.seconds, now)
        self._by_id[batch.id] = batch
        return batch

    def get(self, batch_id: str, dialect: Dialect = "messages") -> Batch:
        """Find a batch of a dialect; raises `ApiError` 404."""
        batch = self._by_id.get(batch_id)
        if batch is None or batch.dialect != dialect:
            raise _unknown(batch_id)
        return batch

    def delete(self, batch_id: str, now: float) -> None:
        """Forget an ended batch; raises `ApiError` 400 while it runs."""
        if not self.get(batch_id).ended(now):
            raise ApiError(400, f"Batch {batch_id} cannot be deleted: cancel it and wait for its end.")
        del self._by_id[batch_id]

    def page(
        self, limit: int, after_id: str | None, before_id: str | None = None, *, dialect: Dialect = "messages"
    ) -> tuple[list[Batch], bool]:
        """Give a page, newest first, and whether there is more in its direction; counts as one look."""
        listed = [batch for batch in reversed(self._by_id.values()) if batch.dialect == dialect]
        shown = [batch for batch in listed if batch.unlisted_looks == 0]
        for batch in listed:
            batch.unlisted_looks = max(0, batch.unlisted_looks - 1)
        if before_id is not None:
            newer = shown[: _place(shown, before_id)]
            return newer[-limit:], len(newer) > limit
        older = shown if after_id is None else shown[_place(shown, after_id) + 1 :]
        return older[:limit], len(older) > limit

    def _full(self, more: int, limit: int | None, now: float) -> bool:
        queued = sum(len(batch.requests) for batch in self if not (batch.failed or batch.ended(now)))
        return limit is not None and queued + more > limit


def moment(seconds: float) -> str:
    """Write seconds since 1970 as RFC 3339, in UTC."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def _place(shown: list[Batch], cursor: str) -> int:
    for place, batch in enumerate(shown):
        if batch.id == cursor:
            return place
    raise _unknown(cursor)


def _unknown(batch_id: str) -> ApiError:
    return ApiError(404, f"No batch {batch_id} was found.")


def _new_id(prefix: str) -> str:
    return prefix + "".join(secrets.choice(_ALPHABET) for _ in range(22))
