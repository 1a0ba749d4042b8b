"""Room in the provider's queue, whose limit counts requests over all batches of the workspace.

A batch is sent if the provider's list shows room for it, and if no other run waits that has fewer batches under way, or
as many and is older. So large drops leave room for small ones, and small ones for large ones. A run that waits writes a
mark in `claims/waiting/`, one in each window of time, so that a run that has ended is forgotten without being deleted.
A run whose batch has not fitted for hours, because other programs fill the queue, and others let each other go first in
turns of as many hours.
"""

import re
from datetime import datetime, timedelta
from typing import NamedTuple, Self

from conveyor.context import RunContext
from conveyor.domain import keys
from conveyor.gates.gate import stands_at_gate
from conveyor.ledger.ledger import Ledger
from conveyor.ledger.state import RunState
from conveyor.provider.protocol import Trouble

WINDOW = timedelta(minutes=15)
"""Three times the longest usual pause between two polls, so a run that waits has a mark in this window or the last."""
PATIENCE = 24
"""Windows in which a waiting run goes first; in the next as many windows it does not. Six hours."""
_GRACE = timedelta(hours=2)
"""After a batch should have ended: an older one has, or is being cancelled."""
_FORM = re.compile(r"(\d+)-(\d+)-(\d+)-(.+)", re.ASCII)


class _WaitingRun(NamedTuple):
    """A run that waits, as its mark describes it; the least one goes first."""

    under_way: int
    """Batches that are sent and not split."""
    run: str
    """Sorts by age."""
    attempts: int
    """Made before it waited: if there are more by now, the mark is out of date."""
    since: int
    """The window in which it began to wait."""

    @classmethod
    def read(cls, text: str) -> Self | None:
        """Read a mark; None for a name of another form."""
        parts = _FORM.fullmatch(text)
        return cls(int(parts[1]), parts[4], int(parts[2]), int(parts[3])) if parts else None

    def __str__(self) -> str:
        """Return the mark."""
        return f"{self.under_way}-{self.attempts}-{self.since}-{self.run}"

    def has_priority(self, window: int) -> bool:
        """Return whether it may go before others in this window."""
        return (window - self.since) // PATIENCE % 2 == 0


def admit_or_wait(context: RunContext, requests: int, run_state: RunState) -> bool:
    """Return whether a batch of so many requests may be sent now; if not, write that the run waits.

    If the provider does not answer, the batch is admitted: the provider itself will refuse it if there is no room. If
    the provider asks not to be called, the batch is not admitted, and nothing is written.
    """
    listed = context.api.find(context.now() - context.api.dialect.window - _GRACE)
    if isinstance(listed, Trouble):
        return not context.retry_after.is_active
    queued = sum(batch.requests for batch in listed if not batch.ended)
    window = _window(context.now())
    waiting = _waiting_runs(context, window)
    this = _waiting_run(context.run.run, run_state, waiting, window)
    ahead = [run for run in waiting if run.run != this.run and run < this and run.has_priority(window)]
    has_room = queued + requests <= context.run.settings.max_queued_requests
    if has_room and not any(_still_waits(context, run) for run in ahead):
        return True
    context.bucket.put_if_absent(f"{keys.waiting(window)}{this}", b"")
    return False


def _waiting_run(name: str, run_state: RunState, waiting: list[_WaitingRun], window: int) -> _WaitingRun:
    """Return a run as it waits now: since its earliest mark that is still true, or since this window."""
    begun = [run.since for run in waiting if (run.run, run.attempts) == (name, run_state.attempts)]
    return _WaitingRun(run_state.under_way, name, run_state.attempts, min(begun, default=window))


def _waiting_runs(context: RunContext, window: int) -> list[_WaitingRun]:
    """Read the marks of this window and the last, in the order in which the runs go."""
    prefixes = [keys.waiting(window - 1), keys.waiting(window)]
    marks = {key.removeprefix(prefix) for prefix in prefixes for key in context.bucket.list(prefix)}
    return sorted(filter(None, {_WaitingRun.read(mark) for mark in marks}))


def _still_waits(context: RunContext, waiting: _WaitingRun) -> bool:
    """Read whether a run still waits as its mark says: no role may delete a mark."""
    ledger = Ledger(context.bucket, waiting.run)
    run_state = ledger.run_state()
    is_waiting = not run_state.refused and run_state.attempts == waiting.attempts
    return is_waiting and not stands_at_gate(ledger, run_state)


def _window(now: datetime) -> int:
    return int(now.timestamp() // WINDOW.total_seconds())
