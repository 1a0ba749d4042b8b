"""After a lost response: find out whether the paid call created a batch. Nothing is paid while this is unknown.

Assumption: a created batch is listed within `settle_seconds` after the call was surely over. The search for one that
is listed later continues as long as the run lives.
"""

from datetime import datetime, timedelta
from typing import NamedTuple

from conveyor.context import RunContext
from conveyor.domain.invocation import SKEW
from conveyor.domain.plan import Batch
from conveyor.domain.schedule import Next
from conveyor.gates.release import OTHER_REQUESTS, OTHER_RUN, UNKNOWN_BATCH, Adopt, Release, SubmitAgain, not_adopted
from conveyor.ledger.batch_facts import Attempt, AttemptAbsent, AttemptUnknown, Doubtful, Duplicate, Submitted
from conveyor.ledger.run_facts import Refusal
from conveyor.ledger.state import BatchState
from conveyor.poll.apply import apply
from conveyor.poll.candidates import Proof, is_surely_anothers, list_candidates, prove_or_rule_out
from conveyor.poll.control import Control
from conveyor.poll.decisions.decide import give_up, is_patience_over
from conveyor.poll.decisions.decision import Decision, Undecided
from conveyor.provider.protocol import Progress, Trouble
from conveyor.wording.text import counted
from conveyor.wording.trouble import in_words

_MOST_DOUBTFUL = 20
"""Batches that may be a batch of the run, and are written down: a message names as many."""


class Search(NamedTuple):
    """What a search for the batch of an attempt came to."""

    until: datetime | None = None
    """When it makes sense to search again."""
    trouble: str | None = None
    failed: str | None = None
    """Why a request failed, if one did."""
    doubtful: tuple[str, ...] = ()
    """Batches that may be ours: it is unknown whether they are."""
    ours: Progress | None = None
    """The batch that the attempt created."""
    is_absent: bool = False
    """Whether the attempt created none."""


def settle_attempt(
    context: RunContext, batch: Batch, number: int, batch_state: BatchState, control: Control
) -> Decision:
    """Settle by a person's release, or else by a search, whether attempt `number` created a batch.

    What is certain is written down; until then the decision is to wait, and says what a person could decide.
    """
    over = _call_over_at(context, batch.number, number, batch_state)
    if over > context.now():
        return Decision(Next.WAIT, over)
    release, problem = control.release(batch.number, number, context.leg), None
    if release is not None and not context.retry_after.is_active:
        problem = settle_by_release(context, batch, number, batch_state, release)
    if context.retry_after.is_active:  # what the provider was not asked, it does not deny
        undecided = Undecided(batch.number, number, (), context.leg)
        return Decision(Next.WAIT, trouble=context.retry_after.reason, undecided=undecided)
    if release is not None and problem is None:
        return Decision(Next.WAIT, context.now())
    search = settle_by_search(context, batch, number, batch_state, may_conclude=problem is None)
    if control.is_stopped and search.trouble and _is_stopped_for_long(context):
        reason = in_words(search.trouble)
        decision = give_up(f"it was stopped before it was known whether its call created a batch: {reason}")
        return apply(context, batch.number, batch_state, decision)
    undecided = Undecided(batch.number, number, search.doubtful, context.leg)
    trouble, failed = problem or search.trouble, (search.failed,) if search.failed else ()
    return Decision(Next.WAIT, search.until, trouble, undecided, is_answer=bool(problem), failed=failed)


def _call_over_at(context: RunContext, batch: int, number: int, batch_state: BatchState) -> datetime:
    """Return when the call of an attempt was, or will be, surely over."""
    if number in batch_state.unknown:
        return context.ledger.read(AttemptUnknown, batch, number).at
    return context.ledger.read(Attempt, batch, number).not_after


def _is_stopped_for_long(context: RunContext) -> bool:
    patience = timedelta(seconds=context.run.settings.trouble_seconds)
    return is_patience_over(patience, context.ledger.read(Refusal).at, context.now())


def settle_by_search(
    context: RunContext, batch: Batch, number: int, batch_state: BatchState, *, may_conclude: bool = True
) -> Search:
    """Search for the batch of attempt `number`, whose call is over; adopt it, or write down that there is none.

    `may_conclude=False`: do not write down that there is none, since a person wrote a release that is not understood.
    """
    search = find_created_batch(context, batch, number, batch_state)
    if search.ours is not None:
        _adopt(context, batch.number, batch_state, search.ours)
    elif search.is_absent and may_conclude:
        context.ledger.write(AttemptAbsent(context.writer, context.now()), batch.number, number)
    else:
        return search
    return Search(context.now())


def find_created_batch(context: RunContext, batch: Batch, number: int, batch_state: BatchState) -> Search:
    """Search the provider's list for the batch of attempt `number`, whose call is over."""
    asked = context.now()  # a list shows what was there when it was asked for, however long the rest takes
    over = _call_over_at(context, batch.number, number, batch_state)
    settled = over + timedelta(seconds=context.run.settings.settle_seconds)
    candidates = list_candidates(context, batch, batch_state)
    if isinstance(candidates, Trouble):
        return Search(trouble=candidates.reason, failed=candidates.reason if candidates.was_asked else None)
    in_time = [known for known in candidates if known.is_ours or _may_be_in_time(known, settled, asked)]
    proof = prove_or_rule_out(context, batch, in_time, over)
    _note_doubtful(context, batch.number, batch_state, [known for known in in_time if known.id in proof.doubtful])
    return conclude(proof, in_time, settled, asked)


def _note_doubtful(context: RunContext, batch: int, batch_state: BatchState, doubtful: list[Progress]) -> None:
    """Write down batches that may be ours, so that a person who reads the ledger can decide."""
    new = [known for known in doubtful if known.id not in batch_state.doubtful]
    for known in new[: max(_MOST_DOUBTFUL - len(batch_state.doubtful), 0)]:
        fact = Doubtful(context.writer, context.now(), known.created_at, known.requests)
        context.ledger.write(fact, batch, known.id)


def _may_be_in_time(candidate: Progress, settled: datetime, asked: datetime) -> bool:
    """Tell whether a batch may have been created in time; where its creation lies in the future, nobody knows when."""
    return candidate.created_at <= settled + SKEW or candidate.created_at > asked + SKEW


def conclude(proof: Proof, candidates: list[Progress], settled: datetime, asked: datetime) -> Search:
    """Return what follows from a proof. `settled`: from when on a created batch is listed. `asked`: when it was."""
    if proof.ours is not None:
        return Search(ours=proof.ours)
    if proof.doubtful:
        return Search(trouble=proof.reason, failed=proof.failed, doubtful=proof.doubtful)
    if any(not candidate.ended for candidate in candidates):
        return Search()
    return Search(settled) if settled > asked else Search(is_absent=True)


def settle_by_release(
    context: RunContext, batch: Batch, number: int, batch_state: BatchState, release: Release
) -> str | None:
    """Write down what a person says became of attempt `number`; return why that cannot be done, if so."""
    if isinstance(release, SubmitAgain):
        absent = AttemptAbsent(context.writer, context.now(), released=True)
        context.ledger.write(absent, batch.number, number)
        return None
    if not isinstance(release, Adopt):
        return release.reason
    answer = context.api.progress(release.batch_id)
    problem = _obstacle(context, batch, answer)
    if isinstance(answer, Progress) and problem is None:
        is_adopted = _adopt(context, batch.number, batch_state, answer, released=True)
        problem = None if is_adopted else OTHER_RUN
    # Without the id if the provider does not know it: it may be anything that a person has pasted, a key, too.
    named = release.batch_id if isinstance(answer, Progress) else UNKNOWN_BATCH
    return problem and not_adopted(named, problem)


def _obstacle(context: RunContext, batch: Batch, answer: Progress | Trouble) -> str | None:
    """Return why a batch that a person names cannot be the run's, if it cannot."""
    if isinstance(answer, Trouble):  # without the reason: each other reason would be another message
        return "the provider does not show it under this key"
    if answer.requests not in (0, batch.requests):
        return f"it holds {counted(answer.requests, 'request')}, not {batch.requests:,}"
    if answer.ended and is_surely_anothers(context, batch, answer.id):
        return OTHER_REQUESTS
    return None


def _adopt(
    context: RunContext, batch: int, batch_state: BatchState, found: Progress, *, released: bool = False
) -> bool:
    """Make a batch the run's, and tell whether it is. It is claimed first: of two runs told to adopt it, one does."""
    owner = context.claims.claim_batch(found.id, batch)
    if (owner.run, owner.batch) != (context.leg_id, batch):
        return False
    at, moments = context.now(), (found.created_at, found.expires_at)
    submitted = Submitted(context.writer, at, found.id, *moments, adopted=True, released=released)
    context.ledger.write(submitted, batch, batch_state.generation)
    return True


def note_late_duplicate(context: RunContext, batch: Batch, batch_state: BatchState, submitted: Submitted) -> None:
    """Search for a batch of an earlier attempt that was listed after all, and write down that it is a duplicate."""
    candidates = list_candidates(context, batch, batch_state)
    if isinstance(candidates, Trouble):
        return
    others = [candidate for candidate in candidates if candidate.id != submitted.id]
    late = prove_or_rule_out(context, batch, others, submitted.at).ours
    if late is not None:
        context.claims.claim_own_batch(late.id, batch.number)
        context.ledger.write(Duplicate(context.writer, context.now()), batch.number, late.id)


def cancel_duplicates(context: RunContext, batch_state: BatchState) -> None:
    """Cancel every duplicate of a batch that has not ended."""
    for batch_id in sorted(batch_state.duplicates):
        progress = context.api.progress(batch_id)
        if isinstance(progress, Progress) and not progress.ended:
            context.api.cancel(batch_id)
