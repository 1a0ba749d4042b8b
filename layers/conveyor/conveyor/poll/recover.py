"""Finding out whether an attempt whose answer is unknown created a batch. Nothing is paid while this is open.

Assumption: a created batch is listed within `settle_seconds` after the attempt was surely over. One that is listed
later is looked for as long as the run lives.
"""

from datetime import datetime, timedelta
from typing import NamedTuple

from conveyor.context import Turn
from conveyor.domain.drop import line_of, nonce
from conveyor.domain.invocation import SKEW
from conveyor.domain.plan import Batch
from conveyor.ledger.records import AttemptAbsent, Duplicate, Foreign, Submitted
from conveyor.ledger.state import BatchFacts
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


def over_at(turn: Turn, batch: int, number: int, about: BatchFacts) -> datetime:
    """Return when the call of an attempt was, or will be, surely over."""
    if number in about.unknown:
        return turn.ledger.attempt_unknown(batch, number).at
    return turn.ledger.attempt(batch, number).not_after


def look(turn: Turn, batch: Batch, number: int, about: BatchFacts, *, may_conclude: bool = True) -> Look:
    """Look for the batch of attempt `number`, whose call is over, and write down what is then certain.

    `may_conclude=False`: not that there is none, since a person has said something else that is not understood.
    """
    asked = turn.now()  # a list shows what was there when it was asked for, however long the rest takes
    over = over_at(turn, batch.number, number, about)
    settled = over + timedelta(seconds=turn.run.settings.settle_seconds)
    found = _candidates(turn, batch, about)
    if isinstance(found, Trouble):
        return Look(trouble=found.reason)
    in_time = [each for each in found if each.is_ours or _may_be_in_time(each, settled, asked)]
    proof = _prove(turn, batch, in_time, over)
    if proof.ours is not None:
        _adopt(turn, batch.number, about, proof.ours)
    elif proof.doubtful:
        return Look(trouble=proof.reason, doubtful=proof.doubtful)
    elif any(not candidate.ended for candidate in in_time):
        return Look()
    elif settled > asked:
        return Look(settled)
    elif not may_conclude:
        return Look()
    else:
        turn.ledger.write_attempt_absent(batch.number, number, AttemptAbsent(turn.invocation.writer, turn.now()))
    return Look(turn.now())


def _may_be_in_time(candidate: Progress, settled: datetime, asked: datetime) -> bool:
    """Tell whether a batch may have been created in time; of one that says it will be created, nobody knows when."""
    return candidate.created_at <= settled + SKEW or candidate.created_at > asked + SKEW


def release(turn: Turn, batch: Batch, number: int, about: BatchFacts, word: Release) -> str | None:
    """Write down what a person says became of attempt `number`; return why that cannot be done, if so."""
    if isinstance(word, SubmitAgain):
        absent = AttemptAbsent(turn.invocation.writer, turn.now(), released=True)
        turn.ledger.write_attempt_absent(batch.number, number, absent)
        return None
    if not isinstance(word, Adopt):
        return word.reason
    found = turn.api.progress(word.batch_id)
    problem = _obstacle(turn, batch, found)
    if isinstance(found, Progress) and problem is None:
        problem = None if _adopt(turn, batch.number, about, found, released=True) else "it is another run's"
    return problem and f"{word.batch_id} cannot be adopted: {problem}"


def _obstacle(turn: Turn, batch: Batch, found: Progress | Trouble) -> str | None:
    """Return what speaks against a batch that a person takes for the run's."""
    if isinstance(found, Trouble):  # which trouble is not said: each other reason would be another message
        return "the provider does not show it under this key"
    if found.requests not in (0, batch.requests):
        return f"it holds {counted(found.requests, 'request')}, not {batch.requests:,}"
    if found.ended and _is_surely_anothers(turn, batch, found.id):
        return "its results answer other requests"
    return None


def _is_surely_anothers(turn: Turn, batch: Batch, batch_id: str) -> bool:
    try:
        return not _is_ours(turn, batch, batch_id)
    except ResultsUnreadable:
        return False


def look_for_late(turn: Turn, batch: Batch, about: BatchFacts, submitted: Submitted) -> None:
    """Look for a batch of an earlier attempt that was listed after all, and write down that it is a duplicate."""
    found = _candidates(turn, batch, about)
    if isinstance(found, Trouble):
        return
    others = [candidate for candidate in found if candidate.id != submitted.id]
    late = _prove(turn, batch, others, submitted.at).ours
    if late is not None:
        turn.ledger.write_claim(late.id, batch.number)
        turn.ledger.write_duplicate(batch.number, late.id, Duplicate(turn.invocation.writer, turn.now()))


def cancel_duplicates(turn: Turn, about: BatchFacts) -> None:
    """Cancel every batch that is a second one of ours and still runs."""
    for batch_id in sorted(about.duplicates):
        progress = turn.api.progress(batch_id)
        if isinstance(progress, Progress) and not progress.ended:
            turn.api.cancel(batch_id)


def _adopt(turn: Turn, batch: int, of: BatchFacts, found: Progress, *, released: bool = False) -> bool:
    """Make a batch the run's, claimed first: of two runs told to adopt it, one does. Tell whether it is ours."""
    owner = turn.ledger.claim(found.id, batch)
    if (owner.run, owner.batch) != (turn.run.run, batch):
        return False
    about = (found.id, found.created_at, found.expires_at)
    adopted = Submitted(turn.invocation.writer, turn.now(), *about, adopted=True, released=released)
    turn.ledger.write_submitted(batch, of.take, adopted)
    return True


def _candidates(turn: Turn, batch: Batch, about: BatchFacts) -> list[Progress] | Trouble:
    """Return the batches that may be ours: since the drop came, of this size, and not known to be another's.

    From the drop on, and not from the attempt: the ledger may have been lost, and earlier attempts with it.
    """
    found = turn.api.find(turn.run.drop.last_modified - SKEW, turn.origin(batch))
    if isinstance(found, Trouble):
        return found
    failed = {turn.ledger.submitted(batch.number, take).id for take in about.takes if take < about.take}
    known = about.duplicates | about.foreign | failed
    new = [candidate for candidate in found if _may_be(candidate, batch) and candidate.id not in known]
    return [candidate for candidate in new if not _is_anothers(turn, batch.number, candidate.id)]


def _may_be(candidate: Progress, batch: Batch) -> bool:
    """Tell whether a batch may be ours by what the provider says of it: at first perhaps not how many it holds.

    One of which nothing was run cost nothing: it matters only if the provider itself says that it is ours.
    """
    if candidate.is_ours is not None:
        return candidate.is_ours
    return candidate.requests in (0, batch.requests) and candidate.unrun is None


def _is_anothers(turn: Turn, batch: int, batch_id: str) -> bool:
    owner = turn.ledger.owner(batch_id)
    return owner is not None and (owner.run, owner.batch) != (turn.run.run, batch)


class _Proof(NamedTuple):
    ours: Progress | None = None
    doubtful: tuple[str, ...] = ()
    reason: str | None = None


def _prove(turn: Turn, batch: Batch, found: list[Progress], over: datetime) -> _Proof:
    """Take the provider's word, or hold the results of those that have ended against the ids we sent.

    One that is ours settles it. `over`: when the call of the attempt was over, so that its batch was created before.
    """
    doubts = dict[str, str]()
    for candidate in sorted(found, key=lambda each: (not each.is_ours, each.unrun is not None)):
        if candidate.is_ours:
            return _Proof(candidate)
        if candidate.ended:
            try:
                if _is_ours(turn, batch, candidate.id):
                    return _Proof(candidate)
                turn.ledger.write_foreign(batch.number, candidate.id, Foreign(turn.invocation.writer, turn.now()))
            except ResultsUnreadable as error:
                doubts[candidate.id] = str(error)
        elif cancel_at(over, turn.api.dialect.window, candidate.expires_at) < turn.now():
            doubts[candidate.id] = f"{candidate.id} has not ended, although its time is over"
    return _Proof(None, tuple(doubts), next(iter(doubts.values()), None))


def _is_ours(turn: Turn, batch: Batch, batch_id: str) -> bool:
    """Prove a batch by its results: they repeat the ids we sent. Raises ResultsUnreadable when they cannot be read."""
    if turn.invocation.left < _SPARE:
        raise ResultsUnreadable("there are more batches of this size than can be read in time")
    mark = nonce(turn.run.run)
    others = unreadable = 0
    with turn.api.results(batch_id, seconds=_READ_SECONDS) as results:
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
