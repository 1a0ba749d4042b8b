"""All the provider knows: settings, batches, counters and the faults to come. A reset starts another world."""

from __future__ import annotations

import time
from collections import Counter
from typing import Any, get_args

import msgspec

from local.provider.batches import Batches, moment
from local.provider.faults import AnyAction, CallName, FaultQueue
from local.provider.files import Files
from local.provider.settings import Settings, merge_settings


class World:
    """One history of the provider. A call belongs to the world it came into, even when that world is reset."""

    def __init__(self, settings: Settings) -> None:
        """Start without batches."""
        self.settings = settings
        self.batches = Batches()
        self.calls: Counter[str] = Counter(dict.fromkeys(get_args(CallName.__value__), 0))
        self.files = Files()
        self.faults = FaultQueue(settings.faults)

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
                if not batch.ended(before) and batch.cancel_initiated_at is None and not batch.failed:
                    batch.plan_end(settings.seconds, before)

    def meet(self, call: CallName, batch_id: str | None) -> list[AnyAction]:
        """Give what goes wrong at a call about a batch, or about none."""
        number = next((batch.number for batch in self.batches if batch.id == batch_id), None)
        return self.faults.take(call, number)

    def stats(self) -> dict[str, Any]:
        """Give the provider's own account, for tests: calls by name, faults, and the batches, oldest first."""
        return {
            "calls": dict(self.calls),
            "created": self.batches.created,
            "faults": self.faults.account(),
            "batches": [
                {
                    "id": batch.id,
                    "dialect": "files" if batch.job else "messages",
                    "requests": len(batch.requests),
                    "first_custom_id": batch.requests[0].custom_id if batch.requests else "",
                    "created_at": moment(batch.created_at),
                    "processing_status": batch.status(self.now),
                    "cancel_initiated": batch.cancel_initiated_at is not None,
                    "failed": batch.failed,
                    "metadata": batch.job.metadata if batch.job else None,
                }
                for batch in self.batches
            ],
            "files": self.files.account(),
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


def settings_of(world: World) -> Any:  # noqa: ANN401
    """Give the settings as JSON values."""
    return msgspec.to_builtins(world.settings, str_keys=True)
