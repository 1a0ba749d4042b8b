"""The life of a batch: created, running, cancelled, ended, archived.

Nothing here does I/O or reads a clock; the time is passed in. Where the APIs do not document an answer, this provider
decides: cancelling an ended batch is 400 in the Message Batches API, and changes nothing in the file batch API.
"""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal

from local.provider.errors import ApiError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from local.provider.batches.file_fields import FileFields
    from local.provider.batches.request import BatchRequest
    from local.provider.settings import Settings

type Dialect = Literal["messages", "files"]


@dataclass(slots=True, kw_only=True, eq=False)
class Batch:
    """A batch of either API; moments are seconds since 1970."""

    id: str
    number: int
    """Order of creation, from 1."""
    requests: Sequence[BatchRequest]
    settings: Settings
    """As they were at creation."""
    created_at: float
    betas: frozenset[str] = frozenset()
    """The betas that the create call named."""
    file_fields: FileFields | None = None
    """None for a batch of the Message Batches API."""
    ends_at: float = math.inf
    unfinished_outcome: str = ""
    """The outcome of unfinished requests when the batch ends early: `canceled` or `expired`."""
    cancel_initiated_at: float | None = None
    archived_at: float = math.inf
    hidden_listings: int = 0
    """How many more listings leave this batch out."""
    _outcome_counts: Counter[str] = field(default_factory=Counter)

    @property
    def expires_at(self) -> float:
        """The moment by which the provider promises the end."""
        return self.created_at + self.settings.expires_seconds

    @property
    def dialect(self) -> Dialect:
        """The API that created the batch."""
        return "files" if self.file_fields else "messages"

    @property
    def failed(self) -> bool:
        """Whether its input file has faults, so that nothing of it runs."""
        return self.file_fields is not None and bool(self.file_fields.faults)

    @property
    def starts_at(self) -> float:
        """The moment its file has been validated."""
        return self.created_at + (self.settings.validating_seconds if self.file_fields else 0)

    @property
    def finalizing_at(self) -> float:
        """The moment its requests are done."""
        return self.ends_at - (self.settings.finalizing_seconds if self.file_fields else 0)

    @property
    def results_expire_at(self) -> float:
        """The moment the results are deleted: their retention counts from creation."""
        return min(self.archived_at, self.created_at + self.settings.retention_seconds)

    def plan_end(self, seconds: float | None, now: float) -> None:
        """Set the end to `seconds` after the start, or to `now` if that is later; a failed batch keeps its end."""
        if self.failed:
            self.ends_at = self.starts_at
            return
        self._outcome_counts.clear()
        end = max(now, self.starts_at + (math.inf if seconds is None else seconds))
        end += self.settings.finalizing_seconds if self.file_fields else 0
        if self.settings.expire and end > self.expires_at:
            self.ends_at, self.unfinished_outcome = max(now, self.expires_at), "expired"
        else:
            self.ends_at, self.unfinished_outcome = end, ""

    def cancel(self, now: float) -> None:
        """Cancel the unfinished requests; a second cancel changes nothing. Raises `ApiError` 400 after the end."""
        if self.ended(now):
            raise ApiError(400, f"Batch {self.id} cannot be canceled: its processing has ended.")
        if self.cancel_initiated_at is None:
            wait = self.settings.canceling_seconds
            self.cancel_initiated_at, self.unfinished_outcome = now, "canceled"
            self.ends_at = math.inf if wait is None else now + wait
            self._outcome_counts.clear()

    def archive(self, now: float) -> None:
        """Delete the results."""
        self.archived_at = min(self.archived_at, now)

    def ended(self, now: float) -> bool:
        """Return whether every request has its outcome."""
        return now >= self.ends_at

    def archived(self, now: float) -> bool:
        """Return whether the results are deleted."""
        return now >= self.results_expire_at

    def status(self, now: float) -> str:
        """Return the `processing_status` of the Message Batches API."""
        if self.ended(now):
            return "ended"
        return "in_progress" if self.cancel_initiated_at is None else "canceling"

    def outcome(self, position: int) -> str:
        """Return the outcome of the request at a position (from 1) of an ended batch."""
        if self.unfinished_outcome and position > self.settings.finished_share * len(self.requests):
            return self.unfinished_outcome
        return self.settings.outcome_at(position) or self.requests[position - 1].outcome

    def outcome_counts(self) -> Counter[str]:
        """Count all requests by outcome, without its detail, as they are if the batch ends as planned."""
        if not self._outcome_counts:
            positions = range(1, len(self.requests) + 1)
            self._outcome_counts.update(self.outcome(position).partition(":")[0] for position in positions)
        return self._outcome_counts


def rfc3339(seconds: float) -> str:
    """Write seconds since 1970 as RFC 3339, in UTC."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
