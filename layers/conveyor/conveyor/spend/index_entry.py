"""An entry of the index: how a run has ended, and what it cost, in a key. A listing of a month has all of its runs."""

import re
from decimal import Decimal
from typing import NamedTuple

from conveyor.domain import keys

_ENTRY = re.compile(
    rf"{keys.INDEX}(?P<project>[^/~]+)/[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}/"
    r"(?P<run>[0-9]{8}T[0-9]{6}Z-[0-9a-f]{12})~(?P<status>[a-z-]+)~"
    r"(?P<requests>[0-9]+)-(?P<results>[0-9]+)-(?P<failures>[0-9]+)~"
    r"(?:(?P<usd>[0-9]+(?:\.[0-9]{1,6})?)(?P<more>\+?))?"
)
_LOWER_BOUND = "+"


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
    """Return what the key of an entry says; None for any other key, and for a later version's."""
    match = _ENTRY.fullmatch(key)
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
