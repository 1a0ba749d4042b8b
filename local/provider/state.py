"""The state of the provider: settings, batches, files, counters and the faults still to come."""

from __future__ import annotations

import time
from collections import Counter
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, get_args

from local.provider.batches.batch import rfc3339
from local.provider.batches.batch_store import BatchStore
from local.provider.faults.actions import FILE_CALLS, AnyAction, CallName
from local.provider.faults.fault_queue import FaultQueue
from local.provider.files.file_store import FileStore
from local.provider.settings import Settings, merge_settings

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from local.provider.batches.batch import Batch


class ProviderState:
    """The state between two resets. A call keeps the state it started with, also when a reset replaces it."""

    def __init__(self, settings: Settings) -> None:
        """Start without batches and files."""
        self.settings = settings
        self.batches = BatchStore()
        self.files = FileStore()
        self.calls: Counter[str] = Counter(dict.fromkeys(get_args(CallName.__value__), 0))
        self.faults = FaultQueue(settings.faults)
        self.early_calls: Counter[str] = Counter()
        self._retry_after = 0.0

    @property
    def now(self) -> float:
        """The provider's time, in seconds since 1970."""
        start = time.time() if self.settings.now is None else self.settings.now
        return start + self.settings.ahead_seconds

    @property
    def today(self) -> date:
        """The provider's day, in UTC."""
        return datetime.fromtimestamp(self.now, UTC).date()

    def configure(self, changes: dict[str, Any]) -> None:
        """Change settings. Those of seconds move the end of running batches; `faults` replaces those still to come.

        Raises `msgspec.ValidationError`, and then changes nothing.
        """
        settings = merge_settings(self.settings, changes)
        now = self.now  # by the clock of the old settings
        self.settings = settings
        if "faults" in changes:
            self.faults = FaultQueue(settings.faults)
        if changes.keys() & {"seconds", "batch_seconds"}:
            for batch in self.batches:
                if not batch.ended(now) and batch.cancel_initiated_at is None:
                    batch.plan_end(settings.seconds_of(batch.number), now)

    def count_call(self, call: CallName) -> None:
        """Count a call, and whether it came before the moment of the latest Retry-After."""
        self.calls[call] += 1
        self.early_calls[call] += self.now < self._retry_after

    def note_retry_after(self, headers: Mapping[str, str]) -> None:
        """Remember the moment of a Retry-After header, if an answer has one."""
        value = next((value for name, value in headers.items() if name.lower() == "retry-after"), "")
        try:
            until = self.now + float(value) if value.isdigit() else parsedate_to_datetime(value).timestamp()
        except ValueError:
            return
        self._retry_after = max(self._retry_after, until)

    def faults_of(self, call: CallName, batch_id: str | None = None, file_id: str | None = None) -> list[AnyAction]:
        """Return the faults that meet a call, which may concern a batch, or the result file of one."""
        batch = self.files.batch_of(file_id) if file_id else None
        batch_id = batch.id if batch else batch_id
        number = next((batch.number for batch in self.batches if batch.id == batch_id), None)
        return self.faults.take(call, number)

    def stats(self) -> dict[str, Any]:
        """Return what happened, for tests: calls by name, faults, files, and the batches, oldest first.

        `early`: the calls that came before the moment of a Retry-After. Calls that only the file batch API has are
        left out until the first of them.
        """
        now = self.now
        uses_files = any(self.calls[name] for name in FILE_CALLS)
        return {
            "calls": {name: count for name, count in self.calls.items() if uses_files or name not in FILE_CALLS},
            "early": dict(+self.early_calls),
            "created": self.batches.created,
            "faults": self.faults.stats(),
            "batches": [_batch_stats(batch, now) for batch in self.batches],
            "files": self.files.stats(now),
        }


class Provider:
    """The provider, whose state a reset replaces."""

    def __init__(self, settings: Settings) -> None:
        """Start with these settings, to which each reset returns."""
        self._settings = settings
        self.state = ProviderState(settings)

    def reset(self) -> None:
        """Start again with an empty state, which no call that is under way can change."""
        self.state = ProviderState(self._settings)


def _batch_stats(batch: Batch, now: float) -> dict[str, Any]:
    return {
        "id": batch.id,
        "requests": len(batch.requests),
        "first_custom_id": batch.requests[0].custom_id if batch.requests else None,
        "created_at": rfc3339(batch.created_at),
        "ended_at": rfc3339(batch.ends_at) if batch.ended(now) else None,
        "processing_status": batch.status(now),
        "cancel_initiated": batch.cancel_initiated_at is not None,
        "dialect": batch.dialect,
        "betas": sorted(batch.betas),
        "failed": batch.failed,
        "input_file_id": batch.file_fields and batch.file_fields.input_file_id,
        "metadata": batch.file_fields and batch.file_fields.metadata,
    }
