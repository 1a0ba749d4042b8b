"""Finding out whether an attempt whose answer is unknown created a batch. Nothing is paid while this is open.

Assumption: a created batch is listed within `settle_seconds` after the attempt was surely over.
"""

from datetime import datetime, timedelta
from typing import NamedTuple

from conveyor.api import Progress, ResultsUnreadable, Trouble
from conveyor.drop import line_of, nonce
from conveyor.plan import Batch
from conveyor.records import Attempt, AttemptAbsent, Submitted
from conveyor.turn import Turn

_SKEW = timedelta(seconds=120)
"""How far the provider's clock may be from ours."""


class Look(NamedTuple):
    """What looking came to: written down where it is certain, else when it makes sense to look again."""

    until: datetime | None = None
    trouble: str | None = None


def look(turn: Turn, batch: Batch, number: int) -> Look:
    """Look for the batch of attempt `number` and write down what is then certain."""
    attempt = turn.ledger.attempt(batch.number, number)
    if attempt.not_after > turn.now():
        return Look(attempt.not_after)
    settled = attempt.not_after + timedelta(seconds=turn.run.settings.settle_seconds)
    found = _candidates(turn, attempt, settled)
    if isinstance(found, Trouble):
        return Look(trouble=found.reason)
    try:
        ours = next((candidate for candidate in found if candidate.ended and _is_ours(turn, batch, candidate)), None)
    except ResultsUnreadable as error:
        return Look(trouble=str(error))
    if ours is not None:
        about = (ours.id, ours.created_at, ours.expires_at)
        adopted = Submitted(turn.invocation.writer, turn.now(), *about, adopted=True)
        turn.ledger.write_submitted(batch.number, adopted)
    elif all(candidate.ended for candidate in found):
        if settled > turn.now():
            return Look(settled)
        turn.ledger.write_attempt_absent(batch.number, number, AttemptAbsent(turn.invocation.writer, turn.now()))
    return Look()


def _candidates(turn: Turn, attempt: Attempt, settled: datetime) -> list[Progress] | Trouble:
    """Return the batches that may be an attempt's: of its time and size, and not claimed by another run."""
    found = turn.api.find(attempt.at - _SKEW, attempt.requests)
    if isinstance(found, Trouble):
        return found
    in_time = [candidate for candidate in found if candidate.created_at <= settled + _SKEW]
    return [candidate for candidate in in_time if not _is_anothers(turn, candidate.id)]


def _is_anothers(turn: Turn, batch_id: str) -> bool:
    owner = turn.ledger.owner(batch_id)
    return owner is not None and owner.run != turn.run.run


def _is_ours(turn: Turn, batch: Batch, candidate: Progress) -> bool:
    """Prove a batch by its results: they repeat the ids we sent. Raises ResultsUnreadable when they cannot be read."""
    mark = nonce(turn.run.run)
    with turn.api.results(candidate.id) as results:
        for result in results:
            line = line_of(result.wire_id, mark)
            return line is not None and batch.first_line <= line <= batch.last_line
    raise ResultsUnreadable(f"the results of {candidate.id} are empty")
