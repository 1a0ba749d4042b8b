"""What the claims of a day amount to by now: attempts that created nothing cost nothing, and split batches are known.

A claim is taken off only for what can never change: so a recount may be as old as it likes.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from decimal import Decimal
from functools import partial

from conveyor.domain import keys
from conveyor.gates.spending import real_cost
from conveyor.ledger.batch_facts import CLAIMED, Attempt, AttemptAbsent, AttemptRefused
from conveyor.ledger.ledger import Ledger
from conveyor.ledger.part import Part
from conveyor.ledger.state import BatchState, RunState
from conveyor.s3.bucket import MOST_READS, Bucket
from conveyor.spend.claim import Claim
from conveyor.spend.log import by_attempt


def recount(bucket: Bucket, claims: Iterable[Claim], since: datetime) -> Decimal:
    """Return what is taken of a day: the real cost of what is split, and else what was reserved. `since`: its begin.

    It takes a listing for each run of the day, and a read for each batch that is split; several runs at a time.
    """
    by_run = defaultdict[str, list[Claim]](list)
    for claim in by_attempt(claims):
        by_run[claim.run].append(claim)
    with ThreadPoolExecutor(MOST_READS) as readers:
        return sum(readers.map(partial(_of_run, bucket, since), by_run, by_run.values()), Decimal(0))


def _of_run(bucket: Bucket, since: datetime, run: str, claims: Sequence[Claim]) -> Decimal:
    ledger = Ledger(bucket, run)
    run_state = ledger.run_state()
    by_batch = defaultdict[tuple[str, int], list[Claim]](list)
    for claim in claims:
        by_batch[claim.leg, claim.batch].append(claim)
    usd = Decimal(0)
    for (leg, _), each in by_batch.items():
        of_leg, state = ledger.of_leg(leg), run_state.of_leg(leg)
        own = [claim for claim in each if not _was_made_before(of_leg, state, claim, since)]
        usd += _of_batch(bucket, of_leg, state, own) if own else 0
    return usd


def _was_made_before(ledger: Ledger, run_state: RunState, claim: Claim, since: datetime) -> bool:
    """Return whether a claim of the day before is of an attempt that was made on that day after all.

    It has another claim there: its ceiling was raised.
    """
    made = claim.attempt <= run_state.batch(claim.batch).attempts
    return claim.is_ahead and made and ledger.read(Attempt, claim.batch, claim.attempt).at < since


def _of_batch(bucket: Bucket, ledger: Ledger, run_state: RunState, claims: Sequence[Claim]) -> Decimal:
    """Return what the attempts of one day at one batch cost, or may cost.

    If several may have created a batch, the real cost is that of the last one.
    """
    number = claims[0].batch
    state = run_state.batch(number)
    absent = {attempt: ledger.read(AttemptAbsent, number, attempt).released for attempt in state.absent}
    counted = {
        claim.attempt: claim.usd
        for claim in claims
        if not _is_free(claim.attempt, run_state, state, absent) or _was_paid_before(bucket, ledger, state, claim)
    }
    if counted and state.parted and state.submitted and not state.stuck:
        cost = real_cost(ledger.read(Part, number))
        counted[max(counted)] = counted[max(counted)] if cost is None else cost
    return sum(counted.values(), Decimal(0))


def _is_free(attempt: int, run_state: RunState, state: BatchState, absent: Mapping[int, bool]) -> bool:
    """Return whether an attempt has certainly cost nothing, and never will.

    `absent`: attempts that created no batch; True where only a person says so, who may be wrong. So may be we, if
    there is a second batch with the same requests.
    """
    if attempt > state.attempts:
        return run_state.refused or state.parted or state.stuck
    if attempt in absent:
        return not (absent[attempt] or state.duplicates)
    return attempt in state.refused | state.failed


def _was_paid_before(bucket: Bucket, ledger: Ledger, state: BatchState, claim: Claim) -> bool:
    """Return whether an attempt that looks free was begun under an earlier ledger of its run, which was lost since."""
    if claim.attempt > state.attempts:
        leg_id = keys.leg_id(claim.run, claim.leg)
        return bucket.find(keys.claimed_attempt(leg_id, claim.batch, claim.attempt)) is not None
    if keys.round_number(claim.leg) and claim.attempt in state.refused:
        return ledger.read(AttemptRefused, claim.batch, claim.attempt).type == CLAIMED
    return False
