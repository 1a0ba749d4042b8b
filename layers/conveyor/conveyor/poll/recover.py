"""Finding out whether an attempt whose answer is unknown created a batch. Nothing is paid while this is open.

Assumption: a created batch is listed within `settle_seconds` after the attempt was surely over. One that is listed
later is looked for as long as the run lives.
"""

from datetime import datetime, timedelta
from typing import NamedTuple

from conveyor.context import RunContext
from conveyor.domain.drop import line_of, nonce
from conveyor.domain.invocation import SKEW
from conveyor.domain.plan import Batch
from conveyor.ledger.batch_facts import Attempt, AttemptAbsent, AttemptUnknown, Duplicate, Foreign, Submitted
from conveyor.ledger.state import BatchState
from conveyor.poll.control import Adopt, Release, SubmitAgain
from conveyor.poll.deadlines import cancel_at
from conveyor.provider.protocol import Progress, ResultsUnreadable, Trouble
from conveyor.wording.text import counted

_SPARE = timedelta(seconds=45)
"""Time that poll needs for all else; reading results for a proof ends before that."""
_READ_SECONDS = 15
"""Longest pause in a stream that is read for a proof."""
_ENOUGH_LINES = 1000
"""Results with other ids than ours, after which a batch is surely another's, whatever else it holds."""


class Look(NamedTuple):
    """What looking came to: written down where it is certain, else when it makes sense to look again."""

    until: datetime | None = None
    trouble: str | None = None
    doubtful: tuple[str, ...] = ()
    """Batches that may be ours, and of which nobody can tell."""


def over_at(context: RunContext, batch: int, number: int, batch_state: BatchState) -> datetime:
    """Return when the call of an attempt was, or will be, surely over."""
    if number in batch_state.unknown:
        return context.ledger.read(AttemptUnknown, batch, number).at
    return context.ledger.read(Attempt, batch, number).not_after


def look(context: RunContext, batch: Batch, number: int, batch_state: BatchState, *, may_conclude: bool = True) -> Look:
    """Look for the batch of attempt `number`, whose call is over, and write down what is then certain.

    `may_conclude=False`: not that there is none, since a person has said something else that is not understood.
    """
    asked = context.now()  # a list shows what was there when it was asked for, however long the rest takes
    over = over_at(context, batch.number, number, batch_state)
    settled = over + timedelta(seconds=context.run.settings.settle_seconds)
    found = _candidates(context, batch, batch_state)
    if isinstance(found, Trouble):
        return Look(trouble=found.reason)
    in_time = [each for each in found if each.is_ours or _may_be_in_time(each, settled, asked)]
    proof = _prove(context, batch, in_time, over)
    if proof.ours is not None:
        _adopt(context, batch.number, batch_state, proof.ours)
    elif proof.doubtful:
        return Look(trouble=proof.reason, doubtful=proof.doubtful)
    elif any(not candidate.ended for candidate in in_time):
        return Look()
    elif settled > asked:
        return Look(settled)
    elif not may_conclude:
        return Look()
    else:
        context.ledger.write(AttemptAbsent(context.writer, context.now()), batch.number, number)
    return Look(context.now())


def _may_be_in_time(candidate: Progress, settled: datetime, asked: datetime) -> bool:
    """Tell whether a batch may have been created in time; of one that says it will be created, nobody knows when."""
    return candidate.created_at <= settled + SKEW or candidate.created_at > asked + SKEW


def release(context: RunContext, batch: Batch, number: int, batch_state: BatchState, word: Release) -> str | None:
    """Write down what a person says became of attempt `number`; return why that cannot be done, if so."""
    if isinstance(word, SubmitAgain):
        absent = AttemptAbsent(context.writer, context.now(), released=True)
        context.ledger.write(absent, batch.number, number)
        return None
    if not isinstance(word, Adopt):
        return word.reason
    found = context.api.progress(word.batch_id)
    problem = _obstacle(context, batch, found)
    if isinstance(found, Progress) and problem is None:
        problem = None if _adopt(context, batch.number, batch_state, found, released=True) else "it is another run's"
    return problem and f"{word.batch_id} cannot be adopted: {problem}"


def _obstacle(context: RunContext, batch: Batch, found: Progress | Trouble) -> str | None:
    """Return what speaks against a batch that a person takes for the run's."""
    if isinstance(found, Trouble):  # which trouble is not said: each other reason would be another message
        return "the provider does not show it under this key"
    if found.requests not in (0, batch.requests):
        return f"it holds {counted(found.requests, 'request')}, not {batch.requests:,}"
    if found.ended and _is_surely_anothers(context, batch, found.id):
        return "its results answer other requests"
    return None


def _is_surely_anothers(context: RunContext, batch: Batch, batch_id: str) -> bool:
    try:
        return not _is_ours(context, batch, batch_id)
    except ResultsUnreadable:
        return False


def look_for_late(context: RunContext, batch: Batch, batch_state: BatchState, submitted: Submitted) -> None:
    """Look for a batch of an earlier attempt that was listed after all, and write down that it is a duplicate."""
    found = _candidates(context, batch, batch_state)
    if isinstance(found, Trouble):
        return
    others = [candidate for candidate in found if candidate.id != submitted.id]
    late = _prove(context, batch, others, submitted.at).ours
    if late is not None:
        context.claims.claim_own_batch(late.id, batch.number)
        context.ledger.write(Duplicate(context.writer, context.now()), batch.number, late.id)


def cancel_duplicates(context: RunContext, batch_state: BatchState) -> None:
    """Cancel every batch that is a second one of ours and still runs."""
    for batch_id in sorted(batch_state.duplicates):
        progress = context.api.progress(batch_id)
        if isinstance(progress, Progress) and not progress.ended:
            context.api.cancel(batch_id)


def _adopt(context: RunContext, batch: int, of: BatchState, found: Progress, *, released: bool = False) -> bool:
    """Make a batch the run's, claimed first: of two runs told to adopt it, one does. Tell whether it is ours."""
    owner = context.claims.claim_batch(found.id, batch)
    if (owner.run, owner.batch) != (context.run.run, batch):
        return False
    batch_state = (found.id, found.created_at, found.expires_at)
    adopted = Submitted(context.writer, context.now(), *batch_state, adopted=True, released=released)
    context.ledger.write(adopted, batch, of.generation)
    return True


def _candidates(context: RunContext, batch: Batch, batch_state: BatchState) -> list[Progress] | Trouble:
    """Return the batches that may be ours: since the drop came, of this size, and not known to be another's.

    From the drop on, and not from the attempt: the ledger may have been lost, and earlier attempts with it.
    """
    found = context.api.find(context.run.drop.last_modified - SKEW, context.origin(batch))
    if isinstance(found, Trouble):
        return found
    failed = {
        context.ledger.read(Submitted, batch.number, generation).id
        for generation in batch_state.generations
        if generation < batch_state.generation
    }
    known = batch_state.duplicates | batch_state.foreign | failed
    new = [candidate for candidate in found if _may_be(candidate, batch) and candidate.id not in known]
    return [candidate for candidate in new if not _is_anothers(context, batch.number, candidate.id)]


def _may_be(candidate: Progress, batch: Batch) -> bool:
    """Tell whether a batch may be ours by what the provider says of it: at first perhaps not how many it holds.

    One of which nothing was run cost nothing: it matters only if the provider itself says that it is ours.
    """
    if candidate.is_ours is not None:
        return candidate.is_ours
    return candidate.requests in (0, batch.requests) and candidate.not_run is None


def _is_anothers(context: RunContext, batch: int, batch_id: str) -> bool:
    owner = context.claims.owner_of(batch_id)
    return owner is not None and (owner.run, owner.batch) != (context.run.run, batch)


class _Proof(NamedTuple):
    ours: Progress | None = None
    doubtful: tuple[str, ...] = ()
    reason: str | None = None


def _prove(context: RunContext, batch: Batch, found: list[Progress], over: datetime) -> _Proof:
    """Take the provider's word, or hold the results of those that have ended against the ids we sent.

    One that is ours settles it. `over`: when the call of the attempt was over, so that its batch was created before.
    """
    doubts = dict[str, str]()
    for candidate in sorted(found, key=lambda each: (not each.is_ours, each.not_run is not None)):
        if candidate.is_ours:
            return _Proof(candidate)
        if candidate.ended:
            try:
                if _is_ours(context, batch, candidate.id):
                    return _Proof(candidate)
                context.ledger.write(Foreign(context.writer, context.now()), batch.number, candidate.id)
            except ResultsUnreadable as error:
                doubts[candidate.id] = str(error)
        elif cancel_at(over, context.api.dialect.window, candidate.expires_at) < context.now():
            doubts[candidate.id] = f"{candidate.id} has not ended, although its time is over"
    return _Proof(None, tuple(doubts), next(iter(doubts.values()), None))


def _is_ours(context: RunContext, batch: Batch, batch_id: str) -> bool:
    """Prove a batch by its results: they repeat the ids we sent. Raises ResultsUnreadable when they cannot be read."""
    if context.invocation.left < _SPARE:
        raise ResultsUnreadable("there are more batches of this size than can be read in time")
    mark = nonce(context.run.run)
    others = unreadable = 0
    with context.api.results(batch_id, seconds=_READ_SECONDS) as results:
        for result in results:
            line = line_of(result.wire_id, mark)
            if line is not None and batch.first_line <= line <= batch.last_line:
                return True
            others += bool(result.wire_id)
            unreadable += not result.wire_id
            if others >= _ENOUGH_LINES:
                return False
    if unreadable or not others:
        raise ResultsUnreadable(f"the results of {batch_id} hold lines that cannot be read, and none of ours")
    return False
