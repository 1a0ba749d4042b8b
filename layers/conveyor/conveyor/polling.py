"""What comes next for a run, from its ledger and the provider's answers."""

from datetime import datetime, timedelta
from typing import Any, NamedTuple

import msgspec

from conveyor.api import Trouble
from conveyor.clients import Clients
from conveyor.control import Control
from conveyor.invocation import Invocation
from conveyor.looking import CANCEL_AFTER, cancel_duplicates, look, look_for_late, over_at, release
from conveyor.notice import Notice
from conveyor.plan import Batch
from conveyor.records import BatchFacts, Cancel, Facts, Refusal, Stuck, Submitted
from conveyor.schedule import Next, seconds_until, wait_seconds
from conveyor.splitting import reread_at, unread_until
from conveyor.submission import last_refusal, told_of
from conveyor.turn import Turn
from conveyor.warning import Held, held_notice, troubled_notice

STUCK_AFTER = timedelta(hours=6)
"""After a cancel that does not end."""
RETENTION = timedelta(days=29)
"""After a batch's creation: so long the provider keeps its results."""


class _Verdict(NamedTuple):
    """What one batch, or the run, needs; `until`: the moment before which it needs nothing."""

    next: Next
    until: datetime | None = None
    trouble: str | None = None
    """Why the provider cannot be asked."""
    held: Held | None = None
    """What a person could decide meanwhile."""
    is_answer: bool = False
    """True where the trouble is with something that a person has just told us."""


class _Trouble(msgspec.Struct):
    """Trouble that lasts. It travels in the state machine's state, since it is no fact of the run."""

    reason: str
    since: datetime
    told: bool = False
    """Whether a message about it has been sent."""


def poll(event: dict[str, Any], clients: Clients, invocation: Invocation) -> dict[str, Any]:
    """Ask the provider once and return the state machine's next state: ids and counters, and words for a person."""
    turn = clients.turn(event["run"], invocation)
    control = Control(turn.storage, turn.run.run)
    verdicts = _verdicts(turn, _facts(turn, control), control)
    settings = turn.run.settings
    elapsed = turn.now() - turn.run.drop.last_modified
    longest = wait_seconds(elapsed, settings.poll_min_seconds, settings.poll_max_seconds)
    moments = [verdict.until for verdict in verdicts.values() if verdict.until]
    following = _following(list(verdicts.values()))
    troubled = next((verdict for verdict in verdicts.values() if verdict.trouble), None)
    trouble = _lasting(troubled, msgspec.convert(event.get("trouble"), _Trouble | None), turn.now())
    words = None
    if troubled and trouble and following is Next.WAIT and _is_due(turn, trouble, troubled):
        following, trouble.told = Next.TELL, True
        words = _words(turn, trouble, troubled, clients.environment.api_key_secret)
    return {
        "run": turn.run.run,
        "next": following,
        "wait_seconds": seconds_until(moments, turn.now(), longest),
        "batches": [number for number, verdict in verdicts.items() if verdict.next is Next.SPLIT],
        "trouble": msgspec.to_builtins(trouble),
        "notice": words and words._asdict(),
    }


def _facts(turn: Turn, control: Control) -> Facts:
    """Return the facts, after a stop has become one of them.

    A stop waits for a validation under way, which would otherwise go on behind it and pay. It is too late for a run
    whose results are all there.
    """
    facts = turn.ledger.facts()
    if not control.is_stopped or facts.refused:
        return facts
    if _is_over(turn, facts) if facts.planned else _validating_until(turn, facts):
        return facts
    stopped = Refusal(turn.invocation.writer, turn.now(), "stopped", "the run was stopped by a person")
    turn.ledger.write_refusal(stopped)
    return turn.ledger.facts()  # anew: an attempt begun meanwhile must be seen, or must see the stop


def _is_over(turn: Turn, facts: Facts) -> bool:
    return all(facts.batches.get(batch.number, BatchFacts()).parted for batch in turn.ledger.plan().batches)


def _lasting(troubled: _Verdict | None, before: _Trouble | None, now: datetime) -> _Trouble | None:
    if troubled is None or troubled.trouble is None:
        return None
    if before is None:
        return _Trouble(troubled.trouble, now)
    told = before.told and (before.reason == troubled.trouble or not troubled.is_answer)
    return _Trouble(troubled.trouble, before.since, told)


def _is_due(turn: Turn, trouble: _Trouble, troubled: _Verdict) -> bool:
    """Tell whether a person must hear of it now: after some hours, or at once who has told us something unclear."""
    patience = timedelta(seconds=turn.run.settings.trouble_seconds)
    return not trouble.told and (troubled.is_answer or turn.now() - trouble.since >= patience)


def _words(turn: Turn, trouble: _Trouble, troubled: _Verdict, secret: str) -> Notice:
    if troubled.held:
        return held_notice(turn.run, trouble.reason, trouble.since, troubled.held, secret)
    return troubled_notice(turn.run, trouble.reason, trouble.since, secret)


def _verdicts(turn: Turn, facts: Facts, control: Control) -> dict[int, _Verdict]:
    """Return a verdict for each batch by number, for a run without plan one under 0."""
    if facts.stuck:
        return {0: _Verdict(Next.REPORT)}
    if not facts.planned:
        return {0: _before_plan(turn, facts)}
    return {batch.number: _of_batch(turn, batch, facts, control) for batch in turn.ledger.plan().batches}


def _before_plan(turn: Turn, facts: Facts) -> _Verdict:
    if facts.refused:
        return _Verdict(Next.REPORT)
    until = _validating_until(turn, facts)
    return _Verdict(Next.WAIT, until) if until else _Verdict(Next.SUBMIT)


def _validating_until(turn: Turn, facts: Facts) -> datetime | None:
    """Return until when the drop may still be being validated, if so."""
    until = turn.ledger.validation().not_after if facts.validating else None
    return until if until and until > turn.now() else None


def _of_batch(turn: Turn, batch: Batch, facts: Facts, control: Control) -> _Verdict:
    about = facts.batches.get(batch.number, BatchFacts())
    if about.submitted:
        return _of_submitted(turn, batch, about, stop=control.is_stopped)
    if about.undecided:
        return _of_undecided(turn, batch, about.undecided, about, control)
    if facts.refused:
        return _Verdict(Next.REPORT)
    refused = last_refusal(batch.number, about, turn.ledger)
    if refused is None:
        return _Verdict(Next.SUBMIT)
    trouble = told_of(refused.status, refused.type)
    if refused.retry_at > turn.now():
        return _Verdict(Next.WAIT, refused.retry_at, trouble)
    return _Verdict(Next.SUBMIT, trouble=trouble)


def _of_undecided(turn: Turn, batch: Batch, number: int, about: BatchFacts, control: Control) -> _Verdict:
    over = over_at(turn, batch.number, number, about)
    if over > turn.now():
        return _Verdict(Next.WAIT, over)
    word = control.release(batch.number, number)
    problem = release(turn, batch, number, word) if word is not None else None
    if word is not None and problem is None:
        return _Verdict(Next.WAIT, turn.now())
    found = look(turn, batch, number, about, may_conclude=problem is None)
    if control.is_stopped and found.trouble and _is_patience_over(turn):
        return _end(turn, f"it was stopped before it was known whether its call created a batch: {found.trouble}")
    held = Held(batch.number, number, found.doubtful)
    return _Verdict(Next.WAIT, found.until, problem or found.trouble, held, is_answer=bool(problem))


def _is_patience_over(turn: Turn) -> bool:
    """Tell whether a run was stopped so long ago that what is not known by now need not be waited for."""
    return turn.ledger.refusal().at + timedelta(seconds=turn.run.settings.trouble_seconds) <= turn.now()


def _of_submitted(turn: Turn, batch: Batch, about: BatchFacts, *, stop: bool) -> _Verdict:
    submitted = turn.ledger.submitted(batch.number)
    if about.absent:
        look_for_late(turn, batch, about, submitted)
    cancel_duplicates(turn, about)
    if about.parted:
        return _Verdict(Next.REPORT)
    if not submitted.adopted:  # an adopted one was claimed before; whoever submitted this one may not have come to it
        turn.ledger.write_claim(submitted.id, batch.number)
    progress = turn.api.progress(submitted.id)
    if isinstance(progress, Trouble) or not progress.ended:
        trouble = progress.reason if isinstance(progress, Trouble) else None
        due = turn.now() if stop else submitted.expires_at + CANCEL_AFTER
        verdict = _unended(turn, batch.number, about, submitted, due)
        return verdict._replace(trouble=verdict.trouble or trouble)
    return _of_ended(turn, batch.number, about, submitted)


def _of_ended(turn: Turn, batch: int, about: BatchFacts, submitted: Submitted) -> _Verdict:
    unread = unread_until(turn, batch, about)
    moments = (unread and unread[0], reread_at(turn, batch, about))
    again = max((moment for moment in moments if moment), default=turn.now())
    if again > submitted.created_at + RETENTION:
        message = f"the results of {submitted.id} could not be read in 29 days, and the provider keeps them no longer"
        return _end(turn, message)
    trouble = unread[1] if unread else None
    return _Verdict(Next.WAIT, again, trouble) if again > turn.now() else _Verdict(Next.SPLIT, trouble=trouble)


def _unended(turn: Turn, batch: int, about: BatchFacts, submitted: Submitted, due: datetime) -> _Verdict:
    """Cancel a batch that has not ended when it is due to, and give it up six hours after that."""
    if about.cancelled:
        end = turn.ledger.cancel(batch).at + STUCK_AFTER
        if end <= turn.now():
            return _end(turn, f"the provider did not end {submitted.id}, although it was cancelled hours ago")
        return _Verdict(Next.WAIT, end, _cancel(turn, submitted))  # again: the first call may have been lost
    if due > turn.now():
        return _Verdict(Next.WAIT, due)
    turn.ledger.write_cancel(batch, Cancel(turn.invocation.writer, turn.now()))
    return _Verdict(Next.WAIT, trouble=_cancel(turn, submitted))


def _cancel(turn: Turn, submitted: Submitted) -> str | None:
    """Ask for a batch to end; return what was wrong in asking."""
    answer = turn.api.cancel(submitted.id)
    return answer.reason if isinstance(answer, Trouble) else None


def _end(turn: Turn, message: str) -> _Verdict:
    turn.ledger.write_stuck(Stuck(turn.invocation.writer, turn.now(), message))
    return _Verdict(Next.REPORT)


def _following(verdicts: list[_Verdict]) -> Next:
    """Return what the run does next: what one batch needs now comes before what all may wait for."""
    kinds = {verdict.next for verdict in verdicts}
    return next((kind for kind in (Next.SUBMIT, Next.SPLIT, Next.WAIT) if kind in kinds), Next.REPORT)
