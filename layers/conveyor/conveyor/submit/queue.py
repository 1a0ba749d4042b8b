"""Room in the provider's queue, whose limit counts requests over all batches of the workspace.

A batch is sent when the provider's own list shows room for it, and when no other run is waiting that has fewer batches
under way, or as many and came first. So a large drop leaves room for small ones, and they for it. A run that waits says
so in `claims/waiting/`, anew in each stretch of time, so that one that is broken off is forgotten by itself. One whose
batch has not fitted for hours, since other programs fill the queue, lets others go first for as many hours, in turns.
"""

import re
from datetime import datetime, timedelta
from typing import NamedTuple, Self

from conveyor.context import RunContext
from conveyor.domain import keys
from conveyor.ledger.ledger import Ledger
from conveyor.ledger.state import RunState
from conveyor.provider.protocol import Trouble

WINDOW = timedelta(minutes=15)
"""Three times the longest usual pause between two looks, so that a run that waits is in this stretch or the last."""
PATIENCE = 24
"""Windows for which a run may hold up others without getting room, and for which it then does not: six hours."""
_GRACE = timedelta(hours=2)
"""After a batch should have ended: one that is older has, or is being cancelled."""
_FORM = re.compile(r"(\d+)-(\d+)-(\d+)-(.+)", re.ASCII)


class _Mark(NamedTuple):
    """A run that waits; the least one goes first."""

    under_way: int
    """Batches that are sent and not split."""
    run: str
    """Sorts by age."""
    attempts: int
    """Made before it waited: a run that has made one since waits no longer, or says so anew."""
    since: int
    """The window in which it began to wait."""

    @classmethod
    def read(cls, text: str) -> Self | None:
        """Read a mark; None where it is none."""
        found = _FORM.fullmatch(text)
        return cls(int(found[1]), found[4], int(found[2]), int(found[3])) if found else None

    def __str__(self) -> str:
        """Write it, as it is read."""
        return f"{self.under_way}-{self.attempts}-{self.since}-{self.run}"

    def holds_up(self, window: int) -> bool:
        """Tell whether others give way to it now."""
        return (window - self.since) // PATIENCE % 2 == 0


def admit(context: RunContext, requests: int, run_state: RunState) -> bool:
    """Tell whether a batch of so many requests may be sent now.

    Where the provider does not say how full its queue is, it will say so to the batch. If it says when to come back
    instead, nothing is sent before.
    """
    found = context.api.find(context.now() - context.api.dialect.window - _GRACE)
    if isinstance(found, Trouble):
        return not context.retry_after.is_active
    queued = sum(batch.requests for batch in found if not batch.ended)
    has_room = queued + requests <= context.run.settings.max_queued_requests
    window = _window(context.now())
    marks = _marks(context, window)
    before = [mark.since for mark in marks if (mark.run, mark.attempts) == (context.run.run, run_state.attempts)]
    mine = _Mark(run_state.under_way, context.run.run, run_state.attempts, min(before, default=window))
    others = (mark for mark in marks if mark.run != mine.run and mark < mine and mark.holds_up(window))
    if has_room and not any(_is_waiting(context, other) for other in others):
        return True
    context.bucket.put_if_absent(f"{keys.waiting(window)}{mine}", b"")
    return False


def _marks(context: RunContext, window: int) -> list[_Mark]:
    """Return the marks of this stretch of time and the last, the one whose turn it is first."""
    prefixes = [keys.waiting(each) for each in (window - 1, window)]
    listed = {_Mark.read(key.removeprefix(prefix)) for prefix in prefixes for key in context.bucket.list(prefix)}
    return sorted(filter(None, listed))


def _is_waiting(context: RunContext, mark: _Mark) -> bool:
    """Tell whether a run still waits as it did when it left its mark, which nobody may delete."""
    run_state = Ledger(context.bucket, mark.run).run_state()
    return not run_state.refused and run_state.attempts == mark.attempts


def _window(now: datetime) -> int:
    return int(now.timestamp() // WINDOW.total_seconds())
