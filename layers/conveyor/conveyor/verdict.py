"""What each batch of a run needs next, from the ledger, the provider's answers, and what a person has said."""

from datetime import datetime, timedelta
from typing import NamedTuple

from conveyor.api import Progress, Trouble, TroubleKind
from conveyor.control import Control
from conveyor.deadlines import STUCK_AFTER, at_risk_since, cancel_at, ends_at, kept_until
from conveyor.facts import BatchFacts, Facts
from conveyor.looking import cancel_duplicates, look, look_for_late, over_at, release
from conveyor.plan import Batch
from conveyor.records import Cancel, Discarded, Refusal, RefusalKind, Stuck, Submitted, Unread
from conveyor.schedule import Next
from conveyor.splitting import last_unread, reread_at, rests_until
from conveyor.submission import fail_attempt, last_refusal, told_of
from conveyor.turn import Turn
from conveyor.warning import Held, Risk

_DISCARD_PATIENCE = timedelta(minutes=10)
"""So long a provider that will not delete its files holds up the report; then they are left."""
_SPARE = timedelta(seconds=45)
"""Time that deleting the files of one batch may take; with less, the next poll goes on."""


class Verdict(NamedTuple):
    """What one batch, or the run, needs; `until`: the moment before which it needs nothing."""

    next: Next
    until: datetime | None = None
    trouble: str | None = None
    """Why the provider cannot be asked."""
    held: Held | None = None
    """What a person could decide meanwhile."""
    is_answer: bool = False
    """True where the trouble is with something that a person has just told us."""
    risk: Risk | None = None
    """Of a batch that has not ended, by the provider's own word, and is not being cancelled."""
    ends: datetime | None = None
    """Where the provider does not know the batch, or the file with its results: when the batch is given up."""


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
            each[batch.number] = Verdict(Next.WAIT, risk=_risk(turn, batch, about, submitted))
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
        return _of_submitted(turn, batch, facts, stop=control.is_stopped)
    if about.parted:
        return Verdict(Next.REPORT)
    if about.undecided:
        return _of_undecided(turn, batch, about.undecided, about, control)
    return _of_unsent(turn, batch, about, facts)


def _of_unsent(turn: Turn, batch: Batch, about: BatchFacts, facts: Facts) -> Verdict:
    if facts.refused:  # the lines of a batch that is never sent are failures, if other batches were sent
        if facts.is_sent:
            return _without_results(turn, batch.number, about)
        return Verdict(Next.WAIT if facts.is_undecided else Next.REPORT)
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


def _of_undecided(turn: Turn, batch: Batch, number: int, about: BatchFacts, control: Control) -> Verdict:
    over = over_at(turn, batch.number, number, about)
    if over > turn.now():
        return Verdict(Next.WAIT, over)
    word = control.release(batch.number, number)
    problem = release(turn, batch, number, about, word) if word is not None and not turn.rest.is_on else None
    if turn.rest.is_on:  # what the provider was not asked, it does not deny
        return Verdict(Next.WAIT, trouble=turn.rest.reason, held=Held(batch.number, number, ()))
    if word is not None and problem is None:
        return Verdict(Next.WAIT, turn.now())
    found = look(turn, batch, number, about, may_conclude=problem is None)
    if control.is_stopped and found.trouble and _is_patience_over(turn, turn.ledger.refusal().at, turn.now()):
        message = f"it was stopped before it was known whether its call created a batch: {found.trouble}"
        return _give_up(turn, batch.number, message)
    held = Held(batch.number, number, found.doubtful)
    return Verdict(Next.WAIT, found.until, problem or found.trouble, held, is_answer=bool(problem))


def _is_patience_over(turn: Turn, since: datetime, asked: datetime) -> bool:
    """Tell whether a question was asked so long after a moment that what it did not bring need not be waited for."""
    return since + timedelta(seconds=turn.run.settings.trouble_seconds) <= asked


def _have_failed(turn: Turn, batch: int, about: BatchFacts, since: datetime) -> bool:
    """Tell whether reads have failed for hours since a moment: one that did may have met a provider that was busy."""
    reads = (turn.ledger.unread(batch, number) for number in sorted(about.unreads))
    failed = [read.at for read in reads if read.at > since and not read.ours]
    return bool(failed) and _is_patience_over(turn, failed[0], failed[-1])


def _first_gone(turn: Turn, batch: int, about: BatchFacts, last: Unread) -> datetime:
    """Return when a stopped run first heard that its results are gone, of the answers that all say so up to the last.

    The provider is known to say so of batches that exist: one such answer proves nothing.
    """
    first = last
    for number in sorted(about.unreads, reverse=True)[1:]:
        before = turn.ledger.unread(batch, number)
        if not before.gone:
            break
        first = before
    return max(first.at, turn.ledger.refusal().at)


def _of_submitted(turn: Turn, batch: Batch, facts: Facts, *, stop: bool) -> Verdict:
    about = facts.batches[batch.number]
    if about.parted and not (about.absent or about.duplicates):  # nothing of it is read: a run may have thousands
        return Verdict(Next.REPORT)
    submitted = turn.ledger.submitted(batch.number, about.take)
    if about.absent:
        look_for_late(turn, batch, about, submitted)
    cancel_duplicates(turn, about)
    if about.parted:
        return Verdict(Next.REPORT)
    if not submitted.adopted:  # an adopted one was claimed before; whoever submitted this one may not have come to it
        turn.ledger.write_claim(submitted.id, batch.number)
    progress = turn.api.progress(submitted.id)
    if isinstance(progress, Trouble) and _may_wait(turn, progress, submitted):
        ends = cancel_at(submitted.at, turn.api.dialect.window, submitted.expires_at) + STUCK_AFTER
        risk = None if stop else _risk(turn, batch, about, submitted)
        is_gone = progress.kind is TroubleKind.GONE
        return Verdict(Next.WAIT, trouble=progress.reason, ends=ends if is_gone else None, risk=risk)
    if isinstance(progress, Trouble) or not progress.ended:
        return _running(turn, batch, about, submitted, progress, stop=stop)
    if progress.unrun and progress.unrun.kind is RefusalKind.LATER and not (facts.refused or about.cancelled):
        failed = fail_attempt(turn, batch.number, about, progress.unrun)
        return Verdict(Next.WAIT, failed.retry_at, told_of(failed.status, failed.type))
    return _of_ended(turn, batch.number, about, submitted, stop=stop)


def _may_wait(turn: Turn, trouble: Trouble, submitted: Submitted) -> bool:
    """Tell whether nothing is concluded yet from a look after which the provider is to be left alone.

    One that was asked and says so for ever must not keep a run from its end.
    """
    return trouble.kind is TroubleKind.UNASKED or (turn.rest.is_on and turn.now() < kept_until(submitted.at))


def _of_ended(turn: Turn, batch: int, about: BatchFacts, submitted: Submitted, *, stop: bool) -> Verdict:
    unread = last_unread(turn, batch, about)
    kept, gone_at = kept_until(submitted.at), None
    if unread and not unread.ours and unread.at > kept and (unread.gone or _have_failed(turn, batch, about, kept)):
        message = f"the results of {submitted.id} could not be read in 29 days, and the provider keeps them no longer"
        return _give_up(turn, batch, message)
    if stop and unread and unread.gone:
        gone_at = _first_gone(turn, batch, about, unread)
        if _is_patience_over(turn, gone_at, unread.at):
            message = (
                f"the run was stopped, and the provider does not know {submitted.id}, or the file with its results"
            )
            return _give_up(turn, batch, message)
    moments = (unread and rests_until(unread, about), reread_at(turn, batch, about))
    again = max((moment for moment in moments if moment), default=turn.now())
    trouble, ends = (unread.reason if unread else None), (kept if unread and unread.gone else None)
    ends = gone_at + timedelta(seconds=turn.run.settings.trouble_seconds) if gone_at else ends
    if again > turn.now():
        return Verdict(Next.WAIT, again, trouble, ends=ends)
    return Verdict(Next.SPLIT, trouble=trouble, ends=ends)


def _running(  # noqa: PLR0913  # what is known of the batch, and what was answered
    turn: Turn, batch: Batch, about: BatchFacts, submitted: Submitted, found: Progress | Trouble, *, stop: bool
) -> Verdict:
    """Return what a batch needs that has not ended, as far as is known."""
    due = turn.now() if stop else cancel_at(submitted.at, turn.api.dialect.window, submitted.expires_at)
    risk = None if stop else _risk(turn, batch, about, submitted)
    if not isinstance(found, Trouble):
        return _unended(turn, batch.number, about, submitted, due, None)._replace(ends=None, risk=risk)
    if about.cancelled and found.kind is TroubleKind.LATER and turn.now() < kept_until(submitted.at):
        return Verdict(Next.WAIT, trouble=_cancel(turn, submitted) or found.reason)  # what it has may yet be read
    verdict = _unended(turn, batch.number, about, submitted, due, found.reason)
    ends = verdict.ends if found.kind is TroubleKind.GONE else None
    return verdict._replace(trouble=verdict.trouble or found.reason, ends=ends, risk=risk)


def _risk(turn: Turn, batch: Batch, about: BatchFacts, submitted: Submitted) -> Risk | None:
    """Return when the requests of a batch that has not ended, as far as is known, are at risk, and when they expire."""
    window = turn.api.dialect.window
    if about.cancelled or cancel_at(submitted.at, window, submitted.expires_at) <= turn.now():
        return None
    expires = ends_at(submitted.at, window, submitted.expires_at)
    return Risk(submitted.id, batch.requests, at_risk_since(submitted.at, window), expires)


def _unended(  # noqa: PLR0913, PLR0917  # what is known of the batch, and what was answered
    turn: Turn, batch: int, about: BatchFacts, submitted: Submitted, due: datetime, trouble: str | None
) -> Verdict:
    """Cancel a batch that has not ended when it is due to, and give it up six hours after that."""
    if about.cancelled:
        end = turn.ledger.cancel(batch).at + STUCK_AFTER
        if end <= turn.now():
            told = f"does not show the batch ({trouble})" if trouble else "has not ended it"
            words = f"the cancel of {submitted.id} was requested hours ago, and the provider {told}"
            return _give_up(turn, batch, f"{words}: it may still run and be billed")
        return Verdict(Next.WAIT, end, _cancel(turn, submitted), ends=end)  # again: the first call may have been lost
    if due > turn.now():
        return Verdict(Next.WAIT, due, ends=due + STUCK_AFTER)
    turn.ledger.write_cancel(batch, Cancel(turn.invocation.writer, turn.now()))
    return Verdict(Next.WAIT, trouble=_cancel(turn, submitted), ends=turn.now() + STUCK_AFTER)


def _cancel(turn: Turn, submitted: Submitted) -> str | None:
    """Ask for a batch to end; return what was wrong in asking."""
    answer = turn.api.cancel(submitted.id)
    return answer.reason if isinstance(answer, Trouble) else None


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


def _give_up(turn: Turn, batch: int, message: str) -> Verdict:
    """Write down that no results of a batch can be had; the others of the run go on."""
    turn.ledger.write_stuck(batch, Stuck(turn.invocation.writer, turn.now(), message))
    return Verdict(Next.SPLIT)
