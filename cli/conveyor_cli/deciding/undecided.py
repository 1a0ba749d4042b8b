"""Paid calls of which it is not known whether they created a batch, as the facts of a run say."""

from collections.abc import Iterator
from datetime import datetime
from typing import NamedTuple

from conveyor.domain import keys
from conveyor.domain.plan import Batch
from conveyor.domain.schedule import BatchName
from conveyor.gates.release import OTHER_REQUESTS, OTHER_RUN, not_adopted
from conveyor.ledger.batch_facts import Attempt, AttemptUnknown, Doubtful
from conveyor.ledger.claims import Claims
from conveyor.ledger.ledger import Ledger
from conveyor.ledger.state import BatchState
from conveyor.s3.bucket import Bucket
from conveyor_cli.runs.desk import Going


class Candidate(NamedTuple):
    """A batch that the provider lists, and that may be it."""

    id: str
    created_at: datetime
    requests: int
    """0: not known yet."""


class Undecided(NamedTuple):
    """An attempt whose outcome is unknown, and whose call is over."""

    leg: str
    batch: Batch
    number: int
    since: datetime
    candidates: list[Candidate]
    foreign: frozenset[str]
    """Batches that are proved to have other requests."""

    @property
    def name(self) -> BatchName:
        """The batch."""
        return BatchName(self.leg, self.batch.number)

    @property
    def release(self) -> str:
        """The name of the object by which a person decides."""
        return keys.release_name(self.batch.number, self.number, self.leg)


def undecided(bucket: Bucket, found: Going, now: datetime) -> list[Undecided]:
    """Return the attempts of a run that a person can decide. One whose call may still be answered is not among them."""
    return list(_undecided(Ledger(bucket, found.run.run), found, now)) if found.plan else []


def obstacle(bucket: Bucket, found: Going, attempt: Undecided, batch_id: str) -> str | None:
    """Return why the run would not adopt a batch, as far as facts say so; None if they do not."""
    if batch_id in attempt.foreign:
        return not_adopted(batch_id, OTHER_REQUESTS)
    owner = Claims(bucket, keys.leg_id(found.run.run, attempt.leg), found.run.project).owner_of(batch_id)
    is_others = owner and (owner.run, owner.batch) != (keys.leg_id(found.run.run, attempt.leg), attempt.batch.number)
    return not_adopted(batch_id, OTHER_RUN) if is_others else None


def _undecided(ledger: Ledger, found: Going, now: datetime) -> Iterator[Undecided]:
    for leg, batch in found.plan.all_batches() if found.plan else ():
        state = found.run_state.of_leg(leg).batch(batch.number)
        if number := state.unsettled_attempt:
            of_leg = ledger.of_leg(leg)
            intent = of_leg.read(Attempt, batch.number, number)
            is_unknown = number in state.unknown
            over = of_leg.read(AttemptUnknown, batch.number, number).at if is_unknown else intent.not_after
            if over <= now:
                candidates = [_candidate(of_leg, batch.number, each) for each in _open(state)]
                yield Undecided(leg, batch, number, intent.at, candidates, frozenset(state.foreign))


def _open(state: BatchState) -> list[str]:
    return sorted(state.doubtful - state.foreign - state.duplicates)


def _candidate(ledger: Ledger, batch: int, batch_id: str) -> Candidate:
    fact = ledger.read(Doubtful, batch, batch_id)
    return Candidate(batch_id, fact.created_at, fact.requests)
