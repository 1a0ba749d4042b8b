"""Batches at the provider that may be ours, and the proof: the provider's word, or results that repeat our ids."""

from datetime import datetime, timedelta
from typing import NamedTuple

from conveyor.context import RunContext
from conveyor.domain.drop import line_of, nonce
from conveyor.domain.invocation import SKEW
from conveyor.domain.plan import Batch
from conveyor.ledger.batch_facts import Foreign, Submitted
from conveyor.ledger.state import BatchState
from conveyor.poll.decisions.decide import cancel_at
from conveyor.provider.protocol import Progress, ResultsUnreadable, Trouble

_SPARE = timedelta(seconds=45)
"""Time that poll needs for everything else; results are not read for a proof when less is left."""
_READ_SECONDS = 15
"""Longest pause in a stream that is read for a proof."""
_ENOUGH_LINES = 1000
"""Results with other ids than ours, after which a batch is surely another's, whatever else it contains."""


class Proof(NamedTuple):
    """Which of some candidates is ours, if any is."""

    ours: Progress | None = None
    doubtful: tuple[str, ...] = ()
    """Those of which it is unknown."""
    reason: str | None = None
    """Why it is unknown of the first of them."""
    failed: str | None = None
    """Why the last request for their results failed, if one did."""


class _Unclear(ResultsUnreadable):
    """No request failed, and it is unknown all the same whose results they are."""


def list_candidates(context: RunContext, batch: Batch, batch_state: BatchState) -> list[Progress] | Trouble:
    """Ask for the batches that may be ours: created since the drop came, of this size, not known to be another's.

    Since the drop and not since the attempt: the ledger, and with it earlier attempts, may have been lost.
    """
    listed = context.api.find(context.run.drop.last_modified - SKEW, context.origin(batch))
    if isinstance(listed, Trouble):
        return listed
    failed = {
        context.ledger.read(Submitted, batch.number, generation).id
        for generation in batch_state.generations
        if generation < batch_state.generation
    }
    known = batch_state.duplicates | batch_state.foreign | failed
    new = [candidate for candidate in listed if _may_be_ours(candidate, batch) and candidate.id not in known]
    return [candidate for candidate in new if not _is_claimed_by_another(context, batch.number, candidate.id)]


def _may_be_ours(candidate: Progress, batch: Batch) -> bool:
    """Tell whether a batch may be ours by what the provider says: at first perhaps not how many requests it has.

    A batch of which nothing was run cost nothing: it matters only if the provider itself says that it is ours.
    """
    if candidate.is_ours is not None:
        return candidate.is_ours
    return candidate.requests in (0, batch.requests) and candidate.not_run is None


def _is_claimed_by_another(context: RunContext, batch: int, batch_id: str) -> bool:
    owner = context.claims.owner_of(batch_id)
    return owner is not None and (owner.run, owner.batch) != (context.leg_id, batch)


def prove_or_rule_out(context: RunContext, batch: Batch, candidates: list[Progress], over: datetime) -> Proof:
    """Find ours among the candidates, and write down which are proved to be another's, so that none is read again.

    The provider's word counts first, then the results of those that have ended. One that is ours ends the search.
    `over`: when the call of the attempt was over, so that its batch was created before.
    """
    doubts, failed = dict[str, str](), None
    for candidate in sorted(candidates, key=lambda known: (not known.is_ours, known.not_run is not None)):
        if candidate.is_ours:
            return Proof(candidate)
        if candidate.ended:
            try:
                if has_our_results(context, batch, candidate.id):
                    return Proof(candidate)
                context.ledger.write(Foreign(context.writer, context.now()), batch.number, candidate.id)
            except ResultsUnreadable as error:
                doubts[candidate.id] = str(error)
                is_failure = error.was_asked and not isinstance(error, _Unclear)
                # Without the path, which has an id of the provider's: who checks the stack may read it.
                failed = str(error).partition(" for /")[0] if is_failure else failed
        elif cancel_at(over, context.api.dialect.window, candidate.expires_at) < context.now():
            doubts[candidate.id] = f"{candidate.id} has not ended, although its time is over"
    return Proof(None, tuple(doubts), next(iter(doubts.values()), None), failed)


def is_surely_anothers(context: RunContext, batch: Batch, batch_id: str) -> bool:
    """Tell whether the results of an ended batch answer other requests than ours; False where they cannot be read."""
    try:
        return not has_our_results(context, batch, batch_id)
    except ResultsUnreadable:
        return False


def has_our_results(context: RunContext, batch: Batch, batch_id: str) -> bool:
    """Tell whether the results of a batch repeat the ids we sent. Raises ResultsUnreadable where that is unknown."""
    if context.invocation.left < _SPARE:
        raise _Unclear("there are more batches of this size than can be read in time")
    run_nonce = nonce(context.leg_id)
    others = unreadable = 0
    with context.api.results(batch_id, seconds=_READ_SECONDS) as results:
        for result in results:
            line = line_of(result.wire_id, run_nonce)
            if line is not None and batch.first_line <= line <= batch.last_line:
                return True
            others += bool(result.wire_id)
            unreadable += not result.wire_id
            if others >= _ENOUGH_LINES:
                return False
    if unreadable or not others:
        raise _Unclear(f"the results of {batch_id} hold lines that cannot be read, and none of ours")
    return False
