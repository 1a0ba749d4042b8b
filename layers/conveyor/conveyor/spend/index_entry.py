"""Entries of the index: that a run has begun, how it has ended and what it cost, in keys. A listing has all runs."""

import re
from collections.abc import Iterable
from decimal import Decimal
from typing import NamedTuple

from conveyor.domain import keys

_RUN = (
    rf"{keys.INDEX}(?P<project>[^/~]+)/[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}/(?P<run>[0-9]{{8}}T[0-9]{{6}}Z-[0-9a-f]{{12}})~"
)
_STARTED = "started"
"""In the place of a status. No run ends with it."""
_START = re.compile(rf"{_RUN}{_STARTED}~(?P<bytes>[0-9]+)~")
_END = re.compile(
    rf"{_RUN}(?P<status>[a-z-]+)~"
    r"(?P<requests>[0-9]+)-(?P<results>[0-9]+)-(?P<failures>[0-9]+)~"
    r"(?:(?P<usd>[0-9]+(?:\.[0-9]{1,6})?)(?P<more>\+?))?"
)
_LOWER_BOUND = "+"


class StartEntry(NamedTuple):
    """That a run has begun."""

    project: str
    run: str
    bytes: int
    """Of the drop, as it was uploaded."""

    @property
    def key(self) -> str:
        """The key of its object, which is empty. It follows from the run, so it is written once."""
        return keys.index_entry(self.project, self.run, f"{_STARTED}~{self.bytes}~")


class IndexEntry(NamedTuple):
    """How a run has ended."""

    project: str
    run: str
    status: str
    requests: int
    results: int
    failures: int
    usd: Decimal | None
    """What it cost, in US dollars with six decimals at most; None if that is not known."""
    is_lower_bound: bool = False
    """Whether it cost more than that, since a model has no price."""

    @property
    def day(self) -> str:
        """The UTC day of the run's id: when the drop was last modified."""
        return keys.day_of(self.run)

    @property
    def key(self) -> str:
        """The key of its object, which is empty. It follows from the run's facts, so it is written once."""
        usd = "" if self.usd is None else f"{self.usd.normalize():f}" + _LOWER_BOUND * self.is_lower_bound
        counts = f"{self.requests}-{self.results}-{self.failures}"
        return keys.index_entry(self.project, self.run, f"{self.status}~{counts}~{usd}")


def read_index_entry(key: str) -> IndexEntry | None:
    """Return how a run has ended, as the key of its entry says; None for any other key, and for a later version's."""
    match = _END.fullmatch(key)
    if match is None:
        return None
    entry = IndexEntry(
        match["project"],
        match["run"],
        match["status"],
        int(match["requests"]),
        int(match["results"]),
        int(match["failures"]),
        None if match["usd"] is None else Decimal(match["usd"]),
        is_lower_bound=match["more"] == _LOWER_BOUND,
    )
    return entry if entry.key == key else None


def read_start_entry(key: str) -> StartEntry | None:
    """Return that a run has begun, as the key of its entry says; None for any other key, and for a later version's."""
    match = _START.fullmatch(key)
    if match is None:
        return None
    entry = StartEntry(match["project"], match["run"], int(match["bytes"]))
    return entry if entry.key == key else None


def entries_by_run(listed: Iterable[str]) -> dict[str, IndexEntry | StartEntry]:
    """Return for each run how it has ended, or that it has begun if it has not ended. Other keys are left out.

    A run that began before there were entries of starts has none until it ends.
    """
    found = list(listed)
    started = {entry.run: entry for entry in map(read_start_entry, found) if entry is not None}
    ended = {entry.run: entry for entry in map(read_index_entry, found) if entry is not None}
    return started | ended
