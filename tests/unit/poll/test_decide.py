"""Decisions about a batch from facts, the provider's response and the clock, without ledger and provider."""

from collections.abc import Iterable
from datetime import datetime, timedelta

import pytest

from conveyor.domain.outcome import Error
from conveyor.domain.refusal import RefusalKind
from conveyor.domain.schedule import Next
from conveyor.ledger.batch_facts import AttemptRefused, Submitted, Unread
from conveyor.ledger.state import BatchState
from conveyor.poll.candidates import Proof
from conveyor.poll.decisions.decide import (
    ReadHistory,
    SentBatch,
    decide_ended,
    decide_paused,
    decide_step,
    decide_unended,
    decide_unsent,
    is_unrun_for_now,
)
from conveyor.poll.decisions.decision import CancelBatch, Decision, GiveUp
from conveyor.poll.recover import Search, conclude
from conveyor.provider.protocol import NotRun, Progress, Trouble, TroubleKind
from tests.support.examples import BATCH, NOW

EXPIRES = NOW + timedelta(hours=24)
SUBMITTED = Submitted("w", NOW, "batch_1", NOW, EXPIRES)
SENT = SentBatch(BATCH, BatchState(), SUBMITTED, timedelta(hours=24), timedelta(hours=6), is_stopped=False)
RUNNING = Progress("batch_1", ended=False, requests=3, created_at=NOW, expires_at=EXPIRES, ended_at=None)
ENDED = RUNNING._replace(ended=True)
DUE = NOW + timedelta(hours=25)
"""When a batch that has not ended is cancelled."""
LATE = NOW + timedelta(days=30)
"""The provider keeps the results no longer."""


def hours(count: float) -> timedelta:
    """Return a length of time."""
    return timedelta(hours=count)


@pytest.mark.parametrize(
    ("steps", "following"),
    [
        ([], Next.REPORT),
        ([Next.REPORT, Next.REPORT], Next.REPORT),
        ([Next.REPORT, Next.WAIT], Next.WAIT),
        ([Next.WAIT, Next.SUBMIT], Next.SUBMIT),
        ([Next.SUBMIT, Next.SPLIT, Next.WAIT], Next.SPLIT),
    ],
)
def test_what_one_batch_needs_now_comes_before_what_all_may_wait_for(steps: list[Next], following: Next) -> None:
    """The report comes when no batch needs anything else."""
    assert decide_step(map(Decision, steps)) is following


def test_a_batch_is_sent_again_when_its_last_refusal_says_so() -> None:
    """If it was not refused, it is sent at once."""
    refused = AttemptRefused("w", NOW, RefusalKind.LATER, 529, "overloaded_error", NOW + hours(1))
    assert decide_unsent(None, NOW) == Decision(Next.SUBMIT)
    waiting = decide_unsent(refused, NOW)
    assert (waiting.next, waiting.until) == (Next.WAIT, NOW + hours(1))
    assert decide_unsent(refused, NOW + hours(1)) == Decision(Next.SUBMIT, trouble=waiting.trouble)


def test_a_batch_that_runs_is_waited_for_until_it_is_cancelled() -> None:
    """Its cancel is written down first, and requested once more at each check."""
    waiting = decide_unended(SENT, RUNNING, DUE - hours(1), None)
    assert (waiting.next, waiting.until, waiting.action) == (Next.WAIT, DUE, None)
    first = decide_unended(SENT, RUNNING, DUE, None)
    assert (first.next, first.action) == (Next.WAIT, CancelBatch("batch_1", is_first=True))
    again = decide_unended(SENT, RUNNING, DUE + hours(1), DUE)
    assert (again.until, again.action) == (DUE + hours(6), CancelBatch("batch_1", is_first=False))


def test_a_stop_cancels_a_batch_at_once() -> None:
    """And it is not reported as at risk then."""
    decision = decide_unended(SENT._replace(is_stopped=True), RUNNING, NOW, None)
    assert decision.action == CancelBatch("batch_1", is_first=True)
    assert decision.risk is None


@pytest.mark.parametrize(
    ("answer", "is_given_up"),
    [
        (RUNNING, True),
        (Trouble("HTTP 404", TroubleKind.GONE), True),
        (Trouble("HTTP 503", TroubleKind.LATER), False),
    ],
)
def test_a_cancelled_batch_is_given_up_after_six_hours_unless_the_request_failed(
    answer: Progress | Trouble, *, is_given_up: bool
) -> None:
    """A failed request proves nothing while the provider keeps results."""
    sent = SENT._replace(batch_state=BatchState(cancelled=True))
    decision = decide_unended(sent, answer, DUE + hours(6), DUE)
    assert isinstance(decision.action, GiveUp) is is_given_up
    assert decision.next is (Next.SPLIT if is_given_up else Next.WAIT)


def history(last: Unread, earlier: Iterable[Unread] = (), stopped_at: datetime | None = None) -> ReadHistory:
    """Return failed reads, newest first, after which the next read is due."""
    return ReadHistory(last, NOW, stopped_at, lambda: earlier)


def failed(at: datetime, *, gone: bool = False, ours: bool = False) -> Unread:
    """Return a read that failed."""
    return Unread("w", at, "HTTP 404" if gone else "HTTP 503", ours=ours, gone=gone)


def test_an_ended_batch_is_read_when_the_next_read_is_due() -> None:
    """At once before the first one."""
    unread = ReadHistory(None, None, None, list)
    assert decide_ended(SENT, unread, NOW) == Decision(Next.SPLIT)
    later = unread._replace(next_at=NOW + hours(1))
    assert decide_ended(SENT, later, NOW) == Decision(Next.WAIT, NOW + hours(1))


@pytest.mark.parametrize(
    ("reads", "is_given_up"),
    [
        (history(failed(LATE, gone=True)), True),
        (history(failed(LATE)), False),
        (history(failed(LATE), [failed(LATE - hours(5))]), False),
        (history(failed(LATE), [failed(LATE - hours(3)), failed(LATE - hours(6))]), True),
        (history(failed(LATE), [failed(LATE - hours(6), ours=True)]), False),
        (history(failed(LATE, ours=True), [failed(LATE - hours(6))]), False),
        (history(failed(DUE, gone=True)), False),
        (history(failed(DUE, gone=True), stopped_at=DUE - hours(9)), False),
        (history(failed(DUE, gone=True), [failed(DUE - hours(6), gone=True)], DUE - hours(9)), True),
        (history(failed(DUE, gone=True), [failed(DUE - hours(6), gone=True)], DUE - hours(5)), False),
        (history(failed(DUE, gone=True), [failed(DUE - hours(3)), failed(DUE - hours(6), gone=True)], NOW), False),
    ],
)
def test_results_are_given_up_only_after_reads_that_failed_for_hours(reads: ReadHistory, *, is_given_up: bool) -> None:
    """After the retention; or, in a stopped run, where the provider does not know them."""
    decision = decide_ended(SENT, reads, LATE)
    assert decision.next is Next.SPLIT, "to read them, or to write the lines as failures"
    assert isinstance(decision.action, GiveUp) is is_given_up


@pytest.mark.parametrize(
    ("step", "reads_results", "following"),
    [
        (Next.SUBMIT, False, Next.WAIT),
        (Next.SPLIT, True, Next.WAIT),
        (Next.SPLIT, False, Next.SPLIT),
        (Next.REPORT, False, Next.REPORT),
    ],
)
def test_no_function_that_calls_the_provider_is_started_during_retry_after(
    step: Next, *, reads_results: bool, following: Next
) -> None:
    """Lines of a batch without results are written meanwhile."""
    assert decide_paused(Decision(step), "HTTP 429", reads_results=reads_results).next is following


def test_a_batch_that_ended_without_being_run_is_sent_again_only_if_the_run_continues() -> None:
    """Not if it was cancelled, the run is refused, or its requests are at fault."""
    later = NotRun(RefusalKind.LATER, Error("token_limit_exceeded", "why"))
    assert is_unrun_for_now(later, BatchState(), is_refused=False)
    assert not is_unrun_for_now(later, BatchState(), is_refused=True)
    assert not is_unrun_for_now(later, BatchState(cancelled=True), is_refused=False)
    assert not is_unrun_for_now(later._replace(kind=RefusalKind.STOP), BatchState(), is_refused=False)
    assert not is_unrun_for_now(None, BatchState(), is_refused=False)


@pytest.mark.parametrize(
    ("proof", "candidates", "asked", "search"),
    [
        (Proof(ENDED, ("batch_2",), "why"), [ENDED], DUE, Search(ours=ENDED)),
        (Proof(None, ("batch_2",), "why"), [RUNNING], DUE, Search(trouble="why", doubtful=("batch_2",))),
        (Proof(), [RUNNING], DUE, Search()),
        (Proof(), [ENDED], DUE - hours(1), Search(DUE)),
        (Proof(), [], DUE, Search(is_absent=True)),
    ],
)
def test_that_a_call_created_no_batch_is_concluded_last(
    proof: Proof, candidates: list[Progress], asked: datetime, search: Search
) -> None:
    """Not while a batch is doubtful, still runs, or may be listed later."""
    assert conclude(proof, candidates, DUE, asked) == search
