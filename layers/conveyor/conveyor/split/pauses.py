"""When results are read again, and when waiting ends: after results were missing, or could not be read."""

from datetime import datetime, timedelta
from hashlib import sha256
from typing import NamedTuple

from conveyor.context import RunContext
from conveyor.ledger.batch_facts import Read, Unread
from conveyor.ledger.state import BatchState
from conveyor.split.job import SplitJob

ENOUGH_READS = 3
"""Complete, equal reads after which a request without a result is `missing`."""
READS_PATIENCE = timedelta(hours=24)
"""After the first read with missing results, the next read is final, whether or not reads are equal."""
DROP_PATIENCE = timedelta(hours=24)
"""Results wait this long for a drop that may become readable again; then they are written without ids."""
_SHORTEST_PAUSE, _LONGEST_PAUSE = 30, 3600
"""Seconds between reads that break off; each pause is twice the last one."""


class MissingResults(NamedTuple):
    """Requests of a batch that have no result."""

    requests: int
    fingerprint: list[int]
    """Their lines; if these are unknown, the lines that have a result. Differs if two reads differ."""


def is_settled(job: SplitJob, missing: MissingResults, broken: list[tuple[int, bytes]]) -> bool:
    """Tell whether missing results are final: enough equal reads, this one included, or a day of them.

    If not, this read is written down. `broken`: the missing results of which there is a line that is no JSON, which may
    be complete in another read.
    """
    fingerprint = repr((missing.fingerprint, broken) if broken else missing.fingerprint)
    digest = sha256(fingerprint.encode()).hexdigest()
    reads = [job.read(Read, number) for number in sorted(job.batch_state.reads)]
    before = [read.digest for read in reads[1 - ENOUGH_READS :]]
    if before == [digest] * (ENOUGH_READS - 1) or (reads and reads[0].at + READS_PATIENCE <= job.context.now()):
        return True
    job.write(Read(job.context.writer, job.context.now(), missing.requests, digest), job.number)
    return False


def is_drop_given_up(context: RunContext, batch: int, batch_state: BatchState, reason: str) -> bool:
    """Tell whether a drop has been unreadable, for one reason, for so long that results are written without it."""
    before = (context.ledger.read(Unread, batch, number) for number in sorted(batch_state.unreads))
    first = next((unread.at for unread in before if unread.reason == reason), context.now())
    return first + DROP_PATIENCE <= context.now()


def reread_at(context: RunContext, batch: int, batch_state: BatchState) -> datetime | None:
    """Return when results may be read again after a read in which some were missing; None before the first."""
    if not batch_state.reads:
        return None
    last = context.ledger.read(Read, batch, max(batch_state.reads))
    return last.at + timedelta(seconds=context.run.settings.reread_seconds)


def last_unread(context: RunContext, batch: int, batch_state: BatchState) -> Unread | None:
    """Return why results could last not be read to their end; None if they could."""
    return context.ledger.read(Unread, batch, max(batch_state.unreads)) if batch_state.unreads else None


def next_read_at(last: Unread, batch_state: BatchState) -> datetime:
    """Return when results may be read again after reads that broke off: each pause is twice the last one."""
    pause = min(_SHORTEST_PAUSE << min(len(batch_state.unreads) - 1, 10), _LONGEST_PAUSE)
    return last.at + timedelta(seconds=pause)
