"""All the provider knows: settings, batches, counters and the faults to come. A reset starts another world."""

from __future__ import annotations

import time
from collections import Counter
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, get_args

import msgspec

from local.provider.batches.batch import Batches, moment
from local.provider.faults.actions import FILE_CALLS, AnyAction, CallName
from local.provider.faults.fault_queue import FaultQueue
from local.provider.files.file_store import Files
from local.provider.settings import Settings, merge_settings

if TYPE_CHECKING:
    from collections.abc import Mapping

    from local.provider.batches.batch import Batch


class World:
    """One history of the provider. A call belongs to the world it came into, even when that world is reset."""

    def __init__(self, settings: Settings) -> None:
        """Start without batches."""
        self.settings = settings
        self.batches = Batches()
        self.files = Files()
        self.calls: Counter[str] = Counter(dict.fromkeys(get_args(CallName.__value__), 0))
        self.faults = FaultQueue(settings.faults)
        self.early: Counter[str] = Counter()
        self._closed_until = 0.0

    @property
    def now(self) -> float:
        """Give the provider's time, in seconds since 1970."""
        start = time.time() if self.settings.now is None else self.settings.now
        return start + self.settings.ahead_seconds

    def configure(self, changes: dict[str, Any]) -> None:
        """Change settings. `seconds` moves the end of running batches, `faults` replaces those to come.

        Raises `msgspec.ValidationError`, and then changes nothing.
        """
        settings = merge_settings(self.settings, changes)
        before = self.now
        self.settings = settings
        if "faults" in changes:
            self.faults = FaultQueue(settings.faults)
        if "seconds" in changes:
            for batch in self.batches:
                if not batch.ended(before) and batch.cancel_initiated_at is None:
                    batch.plan_end(settings.seconds, before)

    def arrive(self, call: CallName) -> None:
        """Count a call, and whether it came before the moment that an answer named in Retry-After."""
        self.calls[call] += 1
        self.early[call] += self.now < self._closed_until

    def send_away(self, headers: Mapping[str, str]) -> None:
        """Remember until when an answer asks everybody to stay away, if it does."""
        given = next((value for name, value in headers.items() if name.lower() == "retry-after"), "")
        try:
            until = self.now + float(given) if given.isdigit() else parsedate_to_datetime(given).timestamp()
        except ValueError:
            return
        self._closed_until = max(self._closed_until, until)

    def meet(self, call: CallName, batch_id: str | None = None, file_id: str | None = None) -> list[AnyAction]:
        """Give what goes wrong at a call about a batch, or a file it ends in, or about none."""
        told_by_file = self.files.batch_of(file_id) if file_id else None
        about = told_by_file.id if told_by_file else batch_id
        number = next((batch.number for batch in self.batches if batch.id == about), None)
        return self.faults.take(call, number)

    def stats(self) -> dict[str, Any]:
        """Give the provider's own account, for tests: calls by name, faults, files, and the batches, oldest first.

        `early`: the calls that came before the moment for which an answer had asked (Retry-After).

        The calls that only the dialect of the files has are there once it has been spoken.
        """
        now = self.now
        spoken = any(self.calls[name] for name in FILE_CALLS)
        return {
            "calls": {name: count for name, count in self.calls.items() if spoken or name not in FILE_CALLS},
            "early": dict(+self.early),
            "created": self.batches.created,
            "faults": self.faults.account(),
            "batches": [_account(batch, now) for batch in self.batches],
            "files": self.files.account(now),
        }


class Provider:
    """The provider as a server holds it: the world of the moment."""

    def __init__(self, settings: Settings) -> None:
        """Begin with these settings; a reset comes back to them."""
        self._settings = settings
        self.world = World(settings)

    def reset(self) -> None:
        """Forget everything. Calls that are under way end in the old world and leave no trace in the new one."""
        self.world = World(self._settings)


def _account(batch: Batch, now: float) -> dict[str, Any]:
    return {
        "id": batch.id,
        "requests": len(batch.requests),
        "first_custom_id": batch.requests[0].custom_id if batch.requests else None,
        "created_at": moment(batch.created_at),
        "processing_status": batch.status(now),
        "cancel_initiated": batch.cancel_initiated_at is not None,
        "dialect": batch.dialect,
        "betas": sorted(batch.betas),
        "failed": batch.failed,
        "input_file_id": batch.job and batch.job.input_file_id,
        "metadata": batch.job and batch.job.metadata,
    }


def settings_of(world: World) -> Any:  # noqa: ANN401
    """Give the settings as JSON values."""
    return msgspec.to_builtins(world.settings, str_keys=True)
