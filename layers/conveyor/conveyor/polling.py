"""What comes next for a run, from its ledger and the provider's answers."""

from datetime import datetime, timedelta
from typing import Any, NamedTuple

from conveyor.api import Trouble
from conveyor.clients import Clients
from conveyor.invocation import Invocation
from conveyor.looking import look
from conveyor.plan import Batch
from conveyor.records import BatchFacts, Cancel, Facts, Stuck, Submitted
from conveyor.schedule import Next, seconds_until, wait_seconds
from conveyor.splitting import readable_at, reread_at
from conveyor.submission import free_at
from conveyor.turn import Turn

CANCEL_AFTER = timedelta(hours=1)
"""After a batch's `expires_at`, when it should have ended by itself."""
STUCK_AFTER = timedelta(hours=6)
"""After a cancel that does not end."""
RETENTION = timedelta(days=29)
"""After a batch's creation: so long the provider keeps its results."""


class _Verdict(NamedTuple):
    """What one batch, or the run, needs; `until`: the moment before which it needs nothing; `trouble`: in asking."""

    next: Next
    until: datetime | None = None
    trouble: str | None = None


def poll(event: dict[str, Any], clients: Clients, invocation: Invocation) -> dict[str, Any]:
    """Ask the provider once and return the state machine's next state: ids and counters only."""
    turn = clients.turn(event["run"], invocation)
    verdicts = _verdicts(turn, turn.ledger.facts())
    settings = turn.run.settings
    elapsed = turn.now() - turn.run.drop.last_modified
    longest = wait_seconds(elapsed, settings.poll_min_seconds, settings.poll_max_seconds)
    moments = [verdict.until for verdict in verdicts.values() if verdict.until]
    return {
        "run": turn.run.run,
        "next": _following(list(verdicts.values())),
        "wait_seconds": seconds_until(moments, turn.now(), longest),
        "batches": [number for number, verdict in verdicts.items() if verdict.next is Next.SPLIT],
        "trouble": next((verdict.trouble for verdict in verdicts.values() if verdict.trouble), None),
    }


def _verdicts(turn: Turn, facts: Facts) -> dict[int, _Verdict]:
    """Return a verdict for each batch by number, for a run without plan one under 0."""
    if facts.stuck:
        return {0: _Verdict(Next.REPORT)}
    if not facts.planned:
        return {0: _before_plan(turn, facts)}
    return {batch.number: _of_batch(turn, batch, facts) for batch in turn.ledger.plan().batches}


def _before_plan(turn: Turn, facts: Facts) -> _Verdict:
    if facts.refused:
        return _Verdict(Next.REPORT)
    if facts.validating and (until := turn.ledger.validation().not_after) > turn.now():
        return _Verdict(Next.WAIT, until)
    return _Verdict(Next.SUBMIT)


def _of_batch(turn: Turn, batch: Batch, facts: Facts) -> _Verdict:
    about = facts.batches.get(batch.number, BatchFacts())
    if about.parted:
        return _Verdict(Next.REPORT)
    if about.submitted:
        return _of_submitted(turn, batch, about)
    if about.undecided:
        return _Verdict(Next.WAIT, *look(turn, batch, about.undecided))
    if facts.refused:
        return _Verdict(Next.REPORT)
    free = free_at(batch.number, about, turn.ledger)
    return _Verdict(Next.WAIT, free) if free and free > turn.now() else _Verdict(Next.SUBMIT)


def _of_submitted(turn: Turn, batch: Batch, about: BatchFacts) -> _Verdict:
    submitted = turn.ledger.submitted(batch.number)
    progress = turn.api.progress(submitted.id)
    if isinstance(progress, Trouble) or not progress.ended:
        trouble = progress.reason if isinstance(progress, Trouble) else None
        return _overdue(turn, batch.number, about, submitted, trouble)
    again = max(
        filter(None, (readable_at(turn, batch.number, about), reread_at(turn, batch.number, about))), default=None
    )
    if again and again > submitted.created_at + RETENTION:
        return _end(
            turn, f"the results of {submitted.id} could not be read in 29 days, and the provider keeps them no longer"
        )
    return _Verdict(Next.WAIT, again) if again and again > turn.now() else _Verdict(Next.SPLIT)


def _overdue(turn: Turn, batch: int, about: BatchFacts, submitted: Submitted, trouble: str | None) -> _Verdict:
    """Cancel a batch that has not ended an hour after its time, and give it up six hours after that."""
    due = submitted.expires_at + CANCEL_AFTER
    if about.cancelled:
        end = turn.ledger.cancel(batch).at + STUCK_AFTER
        if end <= turn.now():
            return _end(turn, f"the provider did not end {submitted.id}, although it was cancelled hours ago")
        return _Verdict(Next.WAIT, end, trouble)
    if due > turn.now():
        return _Verdict(Next.WAIT, due, trouble)
    turn.ledger.write_cancel(batch, Cancel(turn.invocation.writer, turn.now()))
    answer = turn.api.cancel(submitted.id)
    return _Verdict(Next.WAIT, trouble=answer.reason if isinstance(answer, Trouble) else None)


def _end(turn: Turn, message: str) -> _Verdict:
    turn.ledger.write_stuck(Stuck(turn.invocation.writer, turn.now(), message))
    return _Verdict(Next.REPORT)


def _following(verdicts: list[_Verdict]) -> Next:
    """Return what the run does next: what one batch needs now comes before what all may wait for."""
    kinds = {verdict.next for verdict in verdicts}
    return next((kind for kind in (Next.SUBMIT, Next.SPLIT, Next.WAIT) if kind in kinds), Next.REPORT)
