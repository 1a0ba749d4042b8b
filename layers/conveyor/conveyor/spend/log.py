"""The log of one project and day: numbered claims, of which each knows the sum of those before it.

A number is written once, so claims follow each other, whoever writes them: no two can take the same room.
"""

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

import msgspec

from conveyor.domain import keys
from conveyor.s3.bucket import MOST_READS, Bucket
from conveyor.spend.claim import Claim, Day

_encode = msgspec.json.Encoder(decimal_format="number").encode
_decode = msgspec.json.Decoder(Claim).decode
"""Made before any thread starts: see `ledger/ledger.py`."""


class Latest(NamedTuple):
    """How far a log goes."""

    number: int = 0
    """Of its last claim; 0 for an empty log."""
    claim: Claim | None = None
    told: frozenset[str] = frozenset()
    """The messages about this day that a run has claimed: `reached-80`."""

    @property
    def total_usd(self) -> Decimal:
        """What is taken of the day."""
        return self.claim.total_usd if self.claim else Decimal(0)

    @property
    def recounted_at(self) -> datetime | None:
        """When the claims of the day were last counted again."""
        return self.claim.recounted_at if self.claim else None


class DayLog:
    """The log of one day."""

    def __init__(self, bucket: Bucket, log: str, day: Day) -> None:
        """Read nothing yet. `log`: the project, or the default for all that have no limits of their own."""
        self._bucket = bucket
        self.log = log
        self.day = day

    def latest(self) -> Latest:
        """List the log and read its last claim."""
        prefix = keys.spend_day(self.log, self.day.name)
        names = [key.removeprefix(prefix) for key in self._bucket.list(prefix)]
        numbers = [int(name) for name in names if name.isascii() and name.isdigit()]
        told = frozenset(name for name in names if name.startswith("reached-"))
        number = max(numbers, default=0)
        return Latest(number, self._read(number) if number else None, told)

    def claims(self, last: int, first: int = 1) -> list[Claim]:
        """Read all claims up to a number, several at a time."""
        with ThreadPoolExecutor(MOST_READS) as readers:
            return list(readers.map(self._read, range(max(first, 1), last + 1)))

    def begin_recount(self, now: datetime) -> bool:
        """Return whether this function may count the claims of the day again now: one in each pause may.

        It may fail; then another one counts after the pause.
        """
        return self._bucket.put_if_absent(keys.spend_recount(self.log, self.day.name, self.day.pause_of(now)), b"")

    def append(self, number: int, claim: Claim) -> bool:
        """Write the claim with the next number; return whether it stands, and not that of another.

        A request that is repeated, because its response was lost, may find its own claim.
        """
        key = keys.spend_claim(self.log, self.day.name, number)
        data = _encode(claim)
        return self._bucket.put_once(key, data) == data

    def _read(self, number: int) -> Claim:
        data = self._bucket.get(keys.spend_claim(self.log, self.day.name, number))
        return _decode(data)


def by_attempt(claims: Iterable[Claim]) -> list[Claim]:
    """Return the claims of attempts, each attempt once: a function that crashed after its claim claims again."""
    found: dict[tuple[str, str, int, int], Claim] = {}
    for claim in claims:
        if not claim.is_recount:
            attempt = (claim.run, claim.leg, claim.batch, claim.attempt)
            found[attempt] = max(found.get(attempt, claim), claim, key=lambda each: each.usd)
    return list(found.values())
