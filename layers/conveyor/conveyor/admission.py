"""Room in the provider's queue, whose limit counts requests over all batches of the workspace.

A batch is sent when the provider's own list shows room for it, and when no other run is waiting that has fewer batches
under way, or as many and came first. So a large drop leaves room for small ones, and they for it. A run that waits says
so in `claims/waiting/`, anew in each stretch of time, so that one that has ended is forgotten by itself.
"""

from datetime import datetime, timedelta

from conveyor import keys
from conveyor.api import Trouble
from conveyor.turn import Turn

WINDOW = timedelta(minutes=15)
"""Three times the longest usual pause between two looks, so that a run that waits is in this stretch or the last."""
_LONGEST_LIFE = timedelta(hours=26)
"""A batch that is older has ended, or is being cancelled."""


def admit(turn: Turn, requests: int, under_way: int) -> bool:
    """Tell whether a batch of so many requests may be sent now; `under_way`: batches of this run that are not split.

    Where the provider does not say how full its queue is, it will say so to the batch.
    """
    found = turn.api.find(turn.now() - _LONGEST_LIFE)
    if isinstance(found, Trouble):
        return True
    queued = sum(batch.requests for batch in found if not batch.ended)
    has_room = not queued or queued + requests <= turn.run.settings.max_queued_requests
    mine = f"{under_way:06}-{turn.run.run}"
    window = _window(turn.now())
    if has_room and all(mine <= other for other in _waiting(turn, window)):
        return True
    turn.storage.put_if_absent(keys.waiting(window) + mine, b"")
    return False


def _waiting(turn: Turn, window: int) -> list[str]:
    """Return the marks of other runs, first those whose turn it is."""
    prefixes = [keys.waiting(each) for each in (window - 1, window)]
    marks = [key.removeprefix(prefix) for prefix in prefixes for key in turn.storage.list(prefix)]
    return [mark for mark in marks if not mark.endswith(f"-{turn.run.run}")]


def _window(now: datetime) -> int:
    return int(now.timestamp() // WINDOW.total_seconds())
