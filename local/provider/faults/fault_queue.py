"""The faults still to come. Each call takes the first that applies to it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from local.provider.faults.actions import AnyAction, CallName, Fault


@dataclass(slots=True)
class _QueuedFault:
    """A fault, and how often it has been used."""

    fault: Fault
    passed: int = 0
    struck: int = 0

    def applies_to(self, call: CallName, batch: int | None) -> bool:
        used_up = self.fault.times is not None and self.struck >= self.fault.times
        return not used_up and self.fault.call == call and self.fault.batch in (None, batch)

    def use(self) -> bool:
        """Count a call; return whether the fault happens, or still lets the call pass."""
        if self.passed < self.fault.after:
            self.passed += 1
            return False
        self.struck += 1
        return True


class FaultQueue:
    """The faults still to come, used up call by call."""

    def __init__(self, faults: list[Fault]) -> None:
        """Start with every fault unused."""
        self._queue = [_QueuedFault(fault) for fault in faults]

    def take(self, call: CallName, batch: int | None) -> list[AnyAction]:
        """Return and use up what goes wrong at this call; empty if nothing does."""
        queued = next((queued for queued in self._queue if queued.applies_to(call, batch)), None)
        return queued.fault.actions if queued is not None and queued.use() else []

    def stats(self) -> list[dict[str, int | str]]:
        """Return how many calls each fault let pass, and how many it struck."""
        return [{"call": queued.fault.call, "passed": queued.passed, "struck": queued.struck} for queued in self._queue]
