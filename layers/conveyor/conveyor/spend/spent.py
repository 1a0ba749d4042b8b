"""What a project has spent: by the index of runs that have ended, and by the log of a day."""

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

from conveyor.domain import keys
from conveyor.s3.bucket import Bucket
from conveyor.spend.claim import Day
from conveyor.spend.index_entry import IndexEntry, entries_by_run
from conveyor.spend.log import DayLog


class Costs(NamedTuple):
    """What runs have cost."""

    runs: int
    usd: Decimal
    """US dollars, as far as the costs are known."""
    is_lower_bound: bool
    """Whether they cost more than that, or may have: a run has no known cost, or a model of it has no price."""

    @classmethod
    def of(cls, entries: Iterable[IndexEntry]) -> "Costs":
        """Add up the costs of runs."""
        found = list(entries)
        usd = sum((each.usd for each in found if each.usd is not None), Decimal(0))
        return cls(len(found), usd, any(each.usd is None or each.is_lower_bound for each in found))


class Spent(NamedTuple):
    """What the runs of a project have cost that have ended. A run belongs to the UTC day on which its id begins."""

    month: Costs
    today: Costs


class Taken(NamedTuple):
    """What is taken of a day: spent, or reserved for batches that are under way."""

    usd: Decimal
    ceiling_usd: Decimal
    """Of the day, when its last claim was written."""


def taken(bucket: Bucket, log: str, day: Day) -> Taken | None:
    """Return what is taken of the day of a log; None if nothing was reserved on it. It takes two requests."""
    claim = DayLog(bucket, log, day).latest().claim
    return Taken(claim.total_usd, claim.ceiling_usd) if claim else None


def spent(bucket: Bucket, project: str, now: datetime) -> Spent:
    """Return what a project has spent in the month of `now` (UTC), and on its day: a request for each 500 runs."""
    by_run = entries_by_run(bucket.list(keys.index_month(project, f"{now:%Y-%m}")))  # each counts once
    ended = [entry for entry in by_run.values() if isinstance(entry, IndexEntry)]
    of_today = (entry for entry in ended if entry.day == f"{now:%Y-%m-%d}")
    return Spent(Costs.of(ended), Costs.of(of_today))
