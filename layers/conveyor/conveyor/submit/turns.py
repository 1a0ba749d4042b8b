"""Whose turn it is in the provider's queue: first which project, then which of its runs.

The project with the fewest requests in the queue goes first. Among equals it is the one whose latest batch is the
oldest: where the queue holds one batch at a time, no project has a request in it when the next may be sent. Among those
it is the one with the oldest run. So a project that sends one drop waits for no more than a batch of each other one,
however many runs of these wait. In a project the run with the fewest batches under way goes first, then the oldest.
"""

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import NamedTuple, Self

from conveyor.provider.protocol import Progress

WINDOW = timedelta(minutes=15)
"""Three times the longest usual pause between two polls, so a run that waits has a mark in this window or the last."""
PATIENCE = 24
"""Windows in which a waiting run, or project, goes first; in the next as many windows it does not. Six hours."""
_FORM = re.compile(r"(\d+)-(\d+)-(\d+)-([^@]+)(?:@([^@]+))?", re.ASCII)


class WaitingRun(NamedTuple):
    """A run that waits, as its mark describes it; of one project, the least one goes first."""

    under_way: int
    """Batches that are sent and not split."""
    run: str
    """Sorts by age."""
    attempts: int
    """Made before it waited: if there are more by now, the mark is out of date."""
    since: int
    """The window in which it began to wait."""
    project: str = ""
    """Empty in marks of earlier versions: these runs are as one project, until each writes its next mark."""

    @classmethod
    def read(cls, text: str) -> Self | None:
        """Read a mark; None for a name of another form."""
        parts = _FORM.fullmatch(text)
        return cls(int(parts[1]), parts[4], int(parts[2]), int(parts[3]), parts[5] or "") if parts else None

    def __str__(self) -> str:
        """Return the mark."""
        return f"{self.under_way}-{self.attempts}-{self.since}-{self.run}@{self.project}"


class Sent(NamedTuple):
    """What a project has at the provider, as far as its claims say."""

    queued: int = 0
    """Requests of batches that have not ended."""
    latest: datetime = datetime.min.replace(tzinfo=UTC)
    """When its latest batch was created."""

    def and_batch(self, batch: Progress) -> "Sent":
        """Return the same with one batch more."""
        queued = 0 if batch.ended else batch.requests
        return Sent(self.queued + queued, max(self.latest, batch.created_at))


def runs_ahead(
    this: WaitingRun, others: Iterable[WaitingRun], sent: Mapping[str, Sent], window: int
) -> list[WaitingRun]:
    """Return which other runs go before this one in a window, those of other projects first, in the given order.

    `sent`: by project. All runs see the same order, so there is always one that waits for no other.
    """
    projects = {this.project: [this]}
    for run in others:
        projects.setdefault(run.project, []).append(run)
    places = {project: _place(runs, sent.get(project, Sent())) for project, runs in projects.items()}
    ahead = {
        project
        for project, runs in projects.items()
        if places[project] < places[this.project]
        and _has_priority(_unserved_since(runs, sent.get(project, Sent())), window)
    }
    patient = [run for run in others if _has_priority(run.since, window)]
    of_others = [run for run in patient if run.project in ahead]
    return of_others + [run for run in patient if run.project == this.project and run < this]


def window_of(moment: datetime) -> int:
    """Return the number of the window in which a moment is."""
    return int(moment.timestamp() // WINDOW.total_seconds())


def start_of(window: int) -> datetime:
    """Return when a window begins."""
    return datetime.fromtimestamp(window * WINDOW.total_seconds(), UTC)


def _place(runs: Iterable[WaitingRun], sent: Sent) -> tuple[int, datetime, str]:
    """Return where a project stands; the least one goes first."""
    return sent.queued, sent.latest, min(run.run for run in runs)


def _unserved_since(runs: Iterable[WaitingRun], sent: Sent) -> int:
    """Return the window since which a project waits without a batch being sent."""
    return max(min(run.since for run in runs), window_of(sent.latest))


def _has_priority(since: int, window: int) -> bool:
    """Return whether one that waits since a window may go before others in this window."""
    return max(window - since, 0) // PATIENCE % 2 == 0
