"""A run in a list."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import NamedTuple

from conveyor.domain.drop import STAMP
from conveyor.spend.index_entry import IndexEntry
from conveyor_cli.state import Group, State, ended


class ListedRun(NamedTuple):
    """A run, as far as a list shows it. None: not known yet, or not at all."""

    run: str
    state: State
    project: str | None = None
    name: str | None = None
    requests: int | None = None
    results: int | None = None
    failures: int | None = None
    usd: Decimal | None = None
    is_lower_bound: bool = False
    """Whether it cost more than that."""
    forecast_usd: Decimal | None = None

    @property
    def received_at(self) -> datetime:
        """When the drop was last modified, by the id of the run."""
        return received_at(self.run)

    @property
    def order(self) -> tuple[int, float]:
        """Its place in a list: what needs a person, then what runs, then what ended, the newest first."""
        return self.state.group.value, -self.received_at.timestamp()

    @property
    def is_ended(self) -> bool:
        """Whether it has ended."""
        return self.state.group is Group.ENDED


def received_at(run: str) -> datetime:
    """Return when the drop of a run was last modified."""
    return datetime.strptime(run.partition("-")[0], STAMP).replace(tzinfo=UTC)


def of_entry(entry: IndexEntry) -> ListedRun:
    """Return a run that has ended, by its entry in the index. The entry has no name."""
    return ListedRun(
        entry.run,
        ended(entry),
        entry.project,
        None,
        entry.requests,
        entry.results,
        entry.failures,
        entry.usd,
        is_lower_bound=entry.is_lower_bound,
    )
