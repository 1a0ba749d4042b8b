"""Room in the provider's queue, whose limit counts requests over all batches of the workspace.

A batch is sent if the provider's list shows room for it, and if no other run that waits goes before it (`turns.py`):
first projects take turns, then runs of one project. So large drops leave room for small ones, small ones for large
ones, and no project starves another. A run that waits writes a mark in `claims/waiting/`, one in each window of time,
so that a run that has ended is forgotten without being deleted. One whose batch has not fitted for hours, because other
programs fill the queue, and others let each other go first in turns of as many hours.

However many runs wait, a look takes a bounded number of requests. If there is no room it only lists. If there is, it
reads `MOST_LEDGERS` ledgers at most, with one listing and one object each, and before that twice `MOST_CLAIMS` claims
at most, if runs of several projects wait.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial
from itertools import batched

from conveyor.context import RunContext
from conveyor.domain import keys
from conveyor.domain.observed import Wait, WaitsFor
from conveyor.gates.gate import stands_at_gate
from conveyor.ledger.claims import Claims
from conveyor.ledger.ledger import Ledger
from conveyor.ledger.run_facts import RetryAfterAnswer
from conveyor.ledger.state import RunState
from conveyor.provider.protocol import Progress, Trouble
from conveyor.s3.bucket import MOST_READS
from conveyor.spend.claim import Day
from conveyor.submit.turns import Sent, WaitingRun, runs_ahead, start_of, window_of

MOST_CLAIMS = 128
"""The newest batches in the queue whose claims are read, and as many of those that have ended.

The former say what a project has in the queue: one that sends many batches is among them. The latter say which project
was sent last.
"""
MOST_LEDGERS = 256
"""Marks that are compared with the ledgers of their runs. If no run of these waits any more, no other is looked at."""
_GRACE = timedelta(hours=2)
"""After a batch should have ended: an older one has, or is being cancelled."""


def admit_or_wait(context: RunContext, requests: int, run_state: RunState) -> bool:
    """Return whether a batch of so many requests may be sent now; if not, write that the run waits.

    If the provider does not answer, the batch is admitted: the provider itself will refuse it if there is no room. If
    the provider asks not to be called, the batch is not admitted, and nothing is written.
    """
    listed = _listed(context)
    if isinstance(listed, Trouble):
        return not context.retry_after.is_active
    window = window_of(context.now())
    waiting = _waiting_runs(context, window)
    this = _waiting_run(context, run_state, waiting, window)
    has_room = _has_room(context, listed, requests)
    others = [run for run in waiting if run.run != this.run]
    ahead = _runs_ahead(context, this, others, listed, window) if has_room else []
    if _any_waits(context, ahead):
        has_room = False
    elif ahead:  # their marks are out of date: batches of theirs may have been created since the list was read
        listed = _listed(context)
        if isinstance(listed, Trouble):
            return not context.retry_after.is_active
        has_room = _has_room(context, listed, requests)
    if not has_room:
        context.bucket.put_if_absent(f"{keys.waiting(window)}{this}", b"")
        context.invocation.observed.wait = Wait(WaitsFor.ROOM, min(start_of(this.since), context.now()))
    return has_room


def _listed(context: RunContext) -> list[Progress] | Trouble:
    """Return the batches that may be in the provider's queue."""
    return context.api.find(context.now() - context.api.dialect.window - _GRACE)


def _has_room(context: RunContext, listed: Iterable[Progress], requests: int) -> bool:
    queued = sum(batch.requests for batch in listed if not batch.ended)
    return queued + requests <= context.run.settings.max_queued_requests


def _waiting_run(context: RunContext, run_state: RunState, waiting: Iterable[WaitingRun], window: int) -> WaitingRun:
    """Return the run as it waits now: since its earliest mark that is still true, or since this window."""
    name, attempts = context.run.run, run_state.attempts

    def begun(runs: Iterable[WaitingRun]) -> list[int]:
        return [run.since for run in runs if (run.run, run.attempts) == (name, attempts)]

    since = begun(waiting)
    if not since and (before := _window_before_pauses(context, run_state, window)) != window:
        since = begun(_waiting_runs(context, before))
    return WaitingRun(run_state.under_way, name, attempts, min(since, default=window), context.run.project)


def _window_before_pauses(context: RunContext, run_state: RunState, window: int) -> int:
    """Return the window in which the provider asked not to be called, if the run could not look since; else this one.

    One such pause may follow another at once.
    """
    for until in sorted(run_state.pauses, reverse=True):
        if window - window_of(until) > 1:
            break
        window = window_of(context.ledger.read(RetryAfterAnswer, until).at)
    return window


def _waiting_runs(context: RunContext, window: int) -> list[WaitingRun]:
    """Read the marks of this window and then of the last, whose runs are less likely to wait still.

    A mark of an earlier version does not count beside one that its run has written since.
    """
    marks = dict[str, None]()
    for prefix in (keys.waiting(window), keys.waiting(window - 1)):
        marks |= dict.fromkeys(key.removeprefix(prefix) for key in context.bucket.list(prefix))
    runs = list(filter(None, map(WaitingRun.read, marks)))
    named = {run.run for run in runs if run.project}
    return [run for run in runs if run.project or run.run not in named]


def _runs_ahead(
    context: RunContext, this: WaitingRun, others: Sequence[WaitingRun], listed: Iterable[Progress], window: int
) -> list[WaitingRun]:
    """Return which other runs go first, as far as their marks are true."""
    has_projects = any(run.project != this.project for run in others)
    sent = _sent_by_project(context.claims, listed) if has_projects else {}
    return runs_ahead(this, others, sent, window)[:MOST_LEDGERS]


def _any_waits(context: RunContext, ahead: Sequence[WaitingRun]) -> bool:
    """Return whether one of these runs still waits, or is being sent."""
    if not ahead:
        return False
    still_waits = partial(_still_waits, context)
    if still_waits(ahead[0]):  # as almost always
        return True
    with ThreadPoolExecutor(MOST_READS) as readers:
        return any(any(readers.map(still_waits, some)) for some in batched(ahead[1:], MOST_READS, strict=False))


def _sent_by_project(claims: Claims, listed: Iterable[Progress]) -> dict[str, Sent]:
    """Return what projects have at the provider. Batches of other programs have no claim."""
    newest = sorted(listed, key=lambda batch: batch.created_at, reverse=True)
    batches = [batch for batch in newest if not batch.ended][:MOST_CLAIMS]
    batches += [batch for batch in newest if batch.ended][:MOST_CLAIMS]
    sent = defaultdict[str, Sent](Sent)
    with ThreadPoolExecutor(MOST_READS) as readers:
        projects = readers.map(claims.project_of, [batch.id for batch in batches])
        for batch, project in zip(batches, projects, strict=True):
            if project is not None:
                sent[project] = sent[project].and_batch(batch)
    return sent


def _still_waits(context: RunContext, waiting: WaitingRun) -> bool:
    """Read whether a run still waits as its mark says, since no role may delete a mark; or is sending its batch.

    What it is sending takes room, and the provider's list may not show it yet. A run for which there was no room in the
    day of its project does not wait for the queue: it may wait for the next day.
    """
    ledger = Ledger(context.bucket, waiting.run)
    run_state = ledger.run_state()
    if run_state.is_being_sent:
        return True
    today = Day.at(context.now(), context.run.settings.budget_day_seconds).name
    is_waiting = not run_state.refused and run_state.attempts == waiting.attempts
    return is_waiting and today not in run_state.full_days and not stands_at_gate(ledger, run_state)
