"""Which trouble is written down, and when it is over: from the decisions of a check, and what is known before it."""

from datetime import datetime, timedelta

import pytest

from conveyor.domain.schedule import BatchName, Next
from conveyor.ledger.run_facts import LastingTrouble
from conveyor.ledger.state import RunState
from conveyor.poll.decisions.decision import Decision, Decisions
from conveyor.poll.decisions.trouble import (
    KnownTrouble,
    begun_troubles,
    ended_troubles,
    kinds_of_trouble,
    known_trouble,
)
from conveyor.wording.trouble import describe_refusal
from tests.support.examples import NOW
from tests.support.troubles import check

AWAY = "unavailable-20261122T101112Z"
SINCE = datetime.fromisoformat("2026-11-22T10:11:12.345Z")
NO_KEY = "credentials-20261122T101112Z"
GONE = "gone-20261122T101112Z"
TOO_MANY = "busy-20261122T101112Z"
ASKED_AGAIN = SINCE + timedelta(minutes=5)


def begun(now: Decisions, before: Decisions | None, run_state: RunState | None = None) -> list[tuple[str, str]]:
    """Return the places and the reasons of what a check writes. `before`: the check before it, if there was one."""
    known = None if before is None else known_trouble(before, None, SINCE)
    found = begun_troubles(now, known, run_state or RunState(), ASKED_AGAIN, "w")
    return [(each.place, each.reason) for each in found]


def test_trouble_is_written_by_the_second_check_in_a_row_with_the_moment_of_the_first() -> None:
    """One request that failed says nothing."""
    away = check("HTTP 503")
    assert begun(away, None) == begun(away, check()) == begun(check(), away) == []
    assert begun(away, away) == [(AWAY, "HTTP 503")]


def test_another_reason_of_the_same_kind_is_the_same_trouble() -> None:
    """A provider that is away answers in many ways."""
    assert begun(check("ConnectTimeout"), check("HTTP 503", "HTTP 529")) == [(AWAY, "ConnectTimeout")]


def test_kinds_are_written_one_by_one() -> None:
    """What a person must put in order is not hidden by what passes by itself."""
    both = check("HTTP 503", "HTTP 401")
    assert begun(both, both) == [(AWAY, "HTTP 503"), (NO_KEY, "HTTP 401")]
    assert begun(both, check("HTTP 503")) == [(AWAY, "HTTP 503")]


def test_a_kind_is_open_once() -> None:
    """Also in an execution that has met it later than the one before: it is not the same moment there."""
    run_state = RunState(troubles={"unavailable-20261120T000000Z", NO_KEY}, ended_troubles={NO_KEY})
    assert begun(check("HTTP 503"), check("HTTP 503"), run_state) == []
    assert begun(check("HTTP 404"), check("HTTP 404"), run_state) == [("other-20261122T101112Z", "HTTP 404")]


@pytest.mark.parametrize(
    "reason", [describe_refusal(429, "rate_limit_error"), describe_refusal(200, "token_limit_exceeded")]
)
def test_want_of_room_is_no_trouble(reason: str) -> None:
    """The run waits, and all is well."""
    waits = check(known=(reason,))
    assert begun(waits, waits) == []


def test_requests_about_batches_that_are_too_many_are_trouble_of_their_own() -> None:
    """A batch that waits for room neither begins nor lengthens it: the queue may be full for days."""
    busy, waits = check("HTTP 429"), check(known=(describe_refusal(429, "rate_limit_error"),))
    assert begun(busy, waits) == []
    assert begun(busy, busy) == [(TOO_MANY, "HTTP 429")]
    lasts, known = RunState(troubles={TOO_MANY}), known_trouble(busy, None, SINCE)
    assert ended_troubles(busy, known, lasts, is_paused=False) == []
    assert ended_troubles(waits, known, lasts, is_paused=False) == [TOO_MANY]
    assert kinds_of_trouble(busy).keys() == {"room"}, "to the dashboard it is a wait for room"


def test_a_batch_that_the_provider_does_not_know_is_trouble_of_its_own() -> None:
    """With the moment at which the first such batch is given up; a list that is not found is no such batch."""
    missing = {
        BatchName("", number): Decision(
            Next.WAIT, trouble="HTTP 404", failed=("HTTP 404",), ends=NOW + timedelta(number)
        )
        for number in (2, 1)
    }
    known = known_trouble(missing, None, SINCE)
    (fact,) = begun_troubles(missing, known, RunState(), ASKED_AGAIN, "w")
    assert (fact.place, fact.reason, fact.ends) == (GONE, "HTTP 404", NOW + timedelta(1))
    assert ended_troubles(missing, known, RunState(troubles={GONE}), is_paused=False) == []
    assert ended_troubles(check("HTTP 404"), None, RunState(troubles={GONE}), is_paused=False) == [GONE]


def test_a_cancel_that_fails_hides_no_failure_before_it() -> None:
    """The provider does not know the batch, and refuses to cancel it: a person may have to put both in order."""
    cancel = Decision(Next.WAIT, trouble="HTTP 404", failed=("HTTP 404", "HTTP 401"), ends=NOW)
    both = {BatchName("", 1): cancel}
    assert begun(both, both) == [(GONE, "HTTP 404"), (NO_KEY, "HTTP 401")]
    assert kinds_of_trouble(both) == {"other": "HTTP 404", "credentials": "HTTP 401"}


def test_what_has_a_fact_is_not_written_again() -> None:
    """An attempt that was refused, results that broke off, a Retry-After: each has said so, with more of it."""
    known = check(known=("HTTP 529 for /v1/messages/batches/b/results", describe_refusal(0, "unreachable")))
    assert begun(known, known) == []


def test_what_a_person_has_written_is_no_trouble() -> None:
    """They are told at once. What fails beside it is."""
    answer = {BatchName("", 1): Decision(Next.WAIT, trouble="no batch", is_answer=True)}
    assert begun(answer, answer) == []
    beside = {BatchName("", 1): Decision(Next.WAIT, trouble="no batch", is_answer=True, failed=("HTTP 503",))}
    assert begun(beside, beside) == [(AWAY, "HTTP 503")]
    assert ended_troubles(beside, None, RunState(troubles={AWAY}), is_paused=False) == []


def test_trouble_that_was_ended_and_is_remembered_is_new_trouble() -> None:
    """A poll crashed after it wrote the end: its repetition fails, and knows the moment of the former trouble."""
    ended = RunState(troubles={AWAY}, ended_troubles={AWAY})
    assert begun(check("HTTP 503"), check("HTTP 503"), ended) == [("unavailable-20261122T101612Z", "HTTP 503")]


def test_trouble_is_over_once_a_check_has_not_met_its_kind() -> None:
    """For whatever reason it knows: a call that failed an hour ago, and is not repeated yet, is no success."""
    run_state = RunState(troubles={AWAY, NO_KEY, "other-20261101T000000Z"}, ended_troubles={"other-20261101T000000Z"})

    def over(decisions: Decisions, *, is_paused: bool = False) -> list[str]:
        return ended_troubles(decisions, None, run_state, is_paused=is_paused)

    assert over(check()) == [NO_KEY, AWAY]
    assert over(check("HTTP 529")) == over(check(known=("ReadError",))) == [NO_KEY]
    assert over(check("HTTP 529", "HTTP 403")) == []
    assert over(check(), is_paused=True) == [], "nothing is concluded from calls that were not made"
    assert over(check(is_skipped=True)) == []
    assert over({BatchName("", 1): Decision(Next.REPORT)}, is_paused=True) == [NO_KEY, AWAY], "the run is over"


def test_what_is_known_stays_known_while_a_batch_is_not_asked_about() -> None:
    """Since when, and that a message was sent: the batch may fail as before."""
    before = KnownTrouble("HTTP 404", NOW, notified=True, kinds={"other": NOW})
    assert known_trouble(check(is_skipped=True), before, SINCE) == before
    both = known_trouble(check("HTTP 503", is_skipped=True), before, SINCE)
    assert both == KnownTrouble("HTTP 503", NOW, notified=True, kinds={"unavailable": SINCE, "other": NOW})
    assert known_trouble(check(), before, SINCE) is known_trouble(check(is_skipped=True), None, SINCE) is None


def test_what_is_known_stays_known_while_a_retry_after_lasts() -> None:
    """Two calls in a row have failed, however many checks were without a call between them."""
    first = known_trouble(check("HTTP 401"), None, SINCE)
    paused = known_trouble(check(known=("HTTP 429",)), first, NOW, is_paused=True)
    (fact,) = begun_troubles(check("HTTP 401"), paused, RunState(), ASKED_AGAIN, "w")
    assert fact.place == NO_KEY
    asked = known_trouble(check(known=("HTTP 429",)), first, NOW)
    assert list(begun_troubles(check("HTTP 401"), asked, RunState(), ASKED_AGAIN, "w")) == []


def test_kinds_that_take_turns_are_written_one_by_one() -> None:
    """Without a check in which no request failed, one that met another kind says nothing of the first."""
    away, busy = check("HTTP 503"), check("HTTP 429")
    second = known_trouble(busy, known_trouble(away, None, SINCE), ASKED_AGAIN)
    (fact,) = begun_troubles(away, second, RunState(), NOW, "w")
    assert (fact.place, fact.since) == (AWAY, SINCE)
    well = known_trouble(check(), second, NOW)
    assert list(begun_troubles(away, well, RunState(), NOW, "w")) == []


@pytest.mark.parametrize("is_paused", [False, True], ids=["without", "with-a-retry-after"])
def test_a_kind_is_over_after_six_checks_that_failed_otherwise(*, is_paused: bool) -> None:
    """A key that was replaced is no trouble for as long as another batch is not known, or the provider is busy."""
    run_state = RunState(troubles={NO_KEY})
    memory, over = known_trouble(check("HTTP 401"), None, SINCE), []
    for _ in range(6):
        over.append(ended_troubles(check("HTTP 400"), memory, run_state, is_paused=is_paused))
        pauses = [
            known_trouble(check(is_skipped=True), memory, NOW),
            known_trouble(check(), memory, NOW, is_paused=True),
        ]
        assert pauses == [memory, memory], "nothing is concluded from calls that were not made"
        memory = known_trouble(check("HTTP 400"), memory, NOW, is_paused=is_paused)
    assert over == [[], [], [], [], [], [NO_KEY]]
    assert memory is not None
    assert memory.kinds == {"other": NOW}


def test_a_message_about_trouble_counts_from_its_first_check() -> None:
    """Also if its kind changes meanwhile; a kind has a beginning of its own."""
    later = NOW + timedelta(hours=1)
    first = known_trouble(check("HTTP 503"), None, NOW)
    second = known_trouble(check("HTTP 401"), first, later)
    assert second == KnownTrouble(
        "HTTP 401", NOW, kinds={"unavailable": NOW, "credentials": later}, missed={"unavailable": 1}
    )
    assert second.present == {"credentials": later}, "what the log and the metrics say"
    assert known_trouble(check(), second, later) is None


def test_a_fact_of_trouble_is_found_by_its_kind_and_its_moment_in_utc() -> None:
    """The moment has whole seconds, as all names of facts have."""
    fact = LastingTrouble("w", NOW, "unavailable", SINCE.astimezone(), "HTTP 503")
    assert (fact.place, LastingTrouble.kind_at(fact.place)) == (AWAY, "unavailable")
