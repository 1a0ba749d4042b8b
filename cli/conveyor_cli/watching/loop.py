"""Looking again and again, also while AWS does not answer."""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Protocol

from conveyor_cli.aws.errors import PASSES, explained
from conveyor_cli.trouble import Trouble

_TICK = 0.5
"""Seconds between two frames: a frame is drawn only if a figure has changed."""
_SHARE = 4
"""A look takes a fifth of the time at most, however large the run is."""
_LONGEST_PAUSE = 30.0
"""Seconds until AWS is asked again that did not answer."""
type Lost = Callable[[Trouble, datetime, datetime, datetime], None]


class Seen(Protocol):
    """What one look has seen."""

    def show(self, now: datetime) -> bool:
        """Show it; return whether there is nothing more to wait for."""


def watch[W: Seen](look: Callable[[datetime], W], lost: Lost, every: float) -> W:
    """Look and show what is seen until there is nothing more to wait for; return that.

    `every`: seconds between two looks, at least. Raises Trouble for what does not pass by itself.
    """
    while True:
        begun = time.monotonic()
        seen = _look(look, lost, every)
        if seen.show(now_in_utc()):
            return seen
        _wait(seen, max(every, _SHARE * (time.monotonic() - begun)))


def now_in_utc() -> datetime:
    """Return the time."""
    return datetime.now(UTC)


def _wait(seen: Seen, seconds: float) -> None:
    until = time.monotonic() + seconds
    while (left := until - time.monotonic()) > 0:
        time.sleep(min(left, _TICK))
        seen.show(now_in_utc())


def _look[W](look: Callable[[datetime], W], lost: Lost, pause: float) -> W:
    """Look once; while AWS does not answer, say so and try again, less and less often."""
    since = None
    while True:
        try:
            with explained():
                return look(now_in_utc())
        except Trouble as trouble:
            if trouble.code not in PASSES:
                raise
            since = since or now_in_utc()
            again_at = now_in_utc() + timedelta(seconds=pause)
            while (now := now_in_utc()) < again_at:
                lost(trouble, since, again_at, now)
                time.sleep(min(_TICK, max((again_at - now).total_seconds(), 0)))
            pause = min(2 * pause, _LONGEST_PAUSE)
