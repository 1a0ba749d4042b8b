"""The faults still to come: each call takes the first that applies to it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from local.provider.faults.actions import AnyAction, CallName, Fault


@dataclass(slots=True)
class _Turn:
    """How far a fault has got."""

    fault: Fault
    passed: int = 0
    struck: int = 0

    def meets(self, call: CallName, batch: int | None) -> bool:
        used_up = self.fault.times is not None and self.struck >= self.fault.times
        return not used_up and self.fault.call == call and self.fault.batch in (None, batch)

    def strikes(self) -> bool:
        if self.passed < self.fault.after:
            self.passed += 1
            return False
        self.struck += 1
        return True


class FaultQueue:
    """The faults still to come, used up call by call."""

    def __init__(self, faults: list[Fault]) -> None:
        """Start with every fault unused."""
        self._turns = [_Turn(fault) for fault in faults]

    def take(self, call: CallName, batch: int | None) -> list[AnyAction]:
        """Give what goes wrong at this call, and count it as done; empty when the call goes well."""
        turn = next((turn for turn in self._turns if turn.meets(call, batch)), None)
        return turn.fault.actions if turn is not None and turn.strikes() else []

    def account(self) -> list[dict[str, int | str]]:
        """Say of every fault how many calls it let pass and how many it struck."""
        return [{"call": turn.fault.call, "passed": turn.passed, "struck": turn.struck} for turn in self._turns]
