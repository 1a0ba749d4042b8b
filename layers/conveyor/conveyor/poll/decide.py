"""What each batch of a run needs next, from the ledger, the provider's answers, and what a person has said."""

from datetime import datetime, timedelta

from conveyor.context import Turn
from conveyor.domain.plan import Batch
from conveyor.domain.schedule import Next
from conveyor.ledger.records import Discarded, Refusal
from conveyor.ledger.state import BatchFacts, Facts
from conveyor.poll.control import Control
from conveyor.poll.message import Undecided
from conveyor.poll.recover import look, over_at, release
from conveyor.poll.sent_batch import Verdict, give_up, is_patience_over, of_submitted, risk_of
from conveyor.provider.protocol import TroubleKind
from conveyor.split.split import last_unread, rests_until
from conveyor.submit.send import last_refusal, told_of
from conveyor.wording.trouble import in_words

_DISCARD_PATIENCE = timedelta(minutes=10)
"""So long a provider that will not delete its files holds up the report; then they are left."""
_SPARE = timedelta(seconds=45)
"""Time that deleting the files of one batch may take; with less, the next poll goes on."""


def verdicts(turn: Turn, control: Control) -> dict[int, Verdict]:
    """Return a verdict for each batch by number, for a run without plan one under 0."""
    facts = _facts(turn, control)
    if not facts.planned:
        return {0: _before_plan(turn, facts)}
    batches = turn.ledger.plan().batches
    each = _each(turn, batches, facts, control)
    if turn.run.settings.delete_files == "yes" and all(verdict.next is Next.REPORT for verdict in each.values()):
        return {batch.number: _discarded(turn, batch, facts.batches.get(batch.number)) for batch in batches}
    if turn.rest.is_on:
        return {number: _unasked(turn, facts.batches.get(number), verdict) for number, verdict in each.items()}
    return each


def _each(turn: Turn, batches: list[Batch], facts: Facts, control: Control) -> dict[int, Verdict]:
    """Return the verdict of each batch.

    A provider that has asked to be left alone takes few calls: then the looks begin at another batch each minute, and
    where one has ended no more are made, so that its results come before it asks to be left alone again.
    """
    if facts.rests_until is None:
        return {batch.number: _of_batch(turn, batch, facts, control) for batch in batches}
    first = int(turn.now().timestamp() // 60) % len(batches)
    each, may_ask = dict[int, Verdict](), True
    for batch in [*batches[first:], *batches[:first]]:
        about = facts.batches.get(batch.number, BatchFacts())
        is_running = about.submitted and not (about.parted or about.stuck)
        if may_ask or not is_running:
            each[batch.number] = _of_batch(turn, batch, facts, control)
        else:
            submitted = turn.ledger.submitted(batch.number, about.take)
            each[batch.number] = Verdict(Next.WAIT, risk=risk_of(turn, batch, about, submitted))
        may_ask = may_ask and not (is_running and each[batch.number].next is Next.SPLIT)
    return dict(sorted(each.items()))


def _unasked(turn: Turn, about: BatchFacts | None, verdict: Verdict) -> Verdict:
    """Send nobody to a provider that has said when to come back. A stop is seen meanwhile: S3 is looked at as ever."""
    reads = verdict.next is Next.SPLIT and about is not None and about.submitted and not about.stuck
    if reads or verdict.next is Next.SUBMIT:
        return Verdict(Next.WAIT, trouble=verdict.trouble or turn.rest.reason)
    return verdict


def _facts(turn: Turn, control: Control) -> Facts:
    """Return the facts, after a stop has become one of them.

    A stop waits for a validation under way, which would otherwise go on behind it and pay. It is too late for a run
    whose results are all there.
    """
    facts = turn.facts()
    if not control.is_stopped or facts.refused:
        return facts
    if _is_over(turn, facts) if facts.planned else _validating_until(turn, facts):
        return facts
    stopped = Refusal(turn.invocation.writer, turn.now(), "stopped", "the run was stopped by a person")
    turn.ledger.write_refusal(stopped)
    return turn.ledger.facts()  # anew: an attempt begun meanwhile must be seen, or must see the stop


def _is_over(turn: Turn, facts: Facts) -> bool:
    return all(facts.batches.get(batch.number, BatchFacts()).parted for batch in turn.ledger.plan().batches)


def _before_plan(turn: Turn, facts: Facts) -> Verdict:
    if facts.refused:
        return Verdict(Next.REPORT)
    until = _validating_until(turn, facts)
    return Verdict(Next.WAIT, until) if until else Verdict(Next.SUBMIT)


def _validating_until(turn: Turn, facts: Facts) -> datetime | None:
    """Return until when the drop may still be being validated, if so."""
    until = turn.ledger.validation().not_after if facts.validating else None
    return until if until and until > turn.now() else None


def _of_batch(turn: Turn, batch: Batch, facts: Facts, control: Control) -> Verdict:
    about = facts.batches.get(batch.number, BatchFacts())
    if about.stuck:  # its lines are failures
        return Verdict(Next.REPORT) if about.parted else _without_results(turn, batch.number, about)
    if about.submitted:
        return of_submitted(turn, batch, facts, stop=control.is_stopped)
    if about.parted:
        return Verdict(Next.REPORT)
    if about.unsettled_attempt:
        return _of_unsettled(turn, batch, about.unsettled_attempt, about, control)
    return _of_unsent(turn, batch, about, facts)


def _of_unsent(turn: Turn, batch: Batch, about: BatchFacts, facts: Facts) -> Verdict:
    if facts.refused:  # the lines of a batch that is never sent are failures, if other batches were sent
        if facts.is_sent:
            return _without_results(turn, batch.number, about)
        return Verdict(Next.WAIT if facts.is_unsettled else Next.REPORT)
    refused = last_refusal(batch.number, about, turn.ledger)
    if refused is None:
        return Verdict(Next.SUBMIT)
    trouble = told_of(refused.status, refused.type)
    if refused.retry_at > turn.now():
        return Verdict(Next.WAIT, refused.retry_at, trouble)
    return Verdict(Next.SUBMIT, trouble=trouble)


def _without_results(turn: Turn, batch: int, about: BatchFacts) -> Verdict:
    """Let the lines of a batch be written as failures, unless they could not be read a moment ago."""
    unread = last_unread(turn, batch, about)
    if unread is None:
        return Verdict(Next.SPLIT)
    again = rests_until(unread, about)
    if again > turn.now():
        return Verdict(Next.WAIT, again, unread.reason)
    return Verdict(Next.SPLIT, trouble=unread.reason)


def _of_unsettled(turn: Turn, batch: Batch, number: int, about: BatchFacts, control: Control) -> Verdict:
    over = over_at(turn, batch.number, number, about)
    if over > turn.now():
        return Verdict(Next.WAIT, over)
    word = control.release(batch.number, number)
    problem = release(turn, batch, number, about, word) if word is not None and not turn.rest.is_on else None
    if turn.rest.is_on:  # what the provider was not asked, it does not deny
        return Verdict(Next.WAIT, trouble=turn.rest.reason, undecided=Undecided(batch.number, number, ()))
    if word is not None and problem is None:
        return Verdict(Next.WAIT, turn.now())
    found = look(turn, batch, number, about, may_conclude=problem is None)
    if control.is_stopped and found.trouble and is_patience_over(turn, turn.ledger.refusal().at, turn.now()):
        message = f"it was stopped before it was known whether its call created a batch: {in_words(found.trouble)}"
        return give_up(turn, batch.number, message)
    undecided = Undecided(batch.number, number, found.doubtful)
    return Verdict(Next.WAIT, found.until, problem or found.trouble, undecided, is_answer=bool(problem))


def _discarded(turn: Turn, batch: Batch, about: BatchFacts | None) -> Verdict:
    """Delete what the provider keeps of a batch whose results are all here; not of one that a person must ask about."""
    if about is None or not about.attempts or about.discarded or about.stuck:
        return Verdict(Next.REPORT)
    part = turn.ledger.part(batch.number) if about.parted else None
    if part and part.unaccounted:
        return Verdict(Next.REPORT)
    if turn.invocation.left < _SPARE:
        return Verdict(Next.WAIT, turn.now())
    ids = {turn.ledger.submitted(batch.number, take).id for take in about.takes} | about.duplicates
    trouble = turn.api.discard(turn.origin(batch), sorted(ids))
    done_at = part.at if part else turn.ledger.refusal().at
    is_unasked = trouble is not None and trouble.kind is TroubleKind.UNASKED
    if trouble and (is_unasked or turn.now() < done_at + _DISCARD_PATIENCE):
        return Verdict(Next.WAIT, trouble=trouble.reason)
    left = trouble.reason if trouble else None
    turn.ledger.write_discarded(batch.number, Discarded(turn.invocation.writer, turn.now(), left))
    return Verdict(Next.REPORT)
