"""The state of a run is what its facts say, and nothing else."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from conveyor.domain import keys
from conveyor.ledger.batch_facts import (
    Attempt,
    AttemptAbsent,
    AttemptFailed,
    AttemptRefused,
    AttemptUnknown,
    Cancel,
    Discarded,
    Duplicate,
    Foreign,
    Read,
    Splitting,
    Stuck,
    Submitted,
    Unread,
)
from conveyor.ledger.gate_facts import Gate, GateEnd
from conveyor.ledger.part import Part
from conveyor.ledger.run_facts import LastingTrouble, Refusal, RetryAfterAnswer, Run, TroubleOver, Validation
from conveyor.ledger.state import BatchState, RunState, state_from

RETRY_AFTER = datetime(2026, 11, 22, 12, 34, 56, tzinfo=UTC)
RUN = "20261122T101112Z-0123456789ab"


def batch_state_of(*listed: str) -> BatchState:
    """Return the state of batch 1 that these keys give."""
    return state_from(RUN, listed).batches[1]


def test_a_listing_shows_every_fact_of_a_run() -> None:
    """Every kind of key that the ledger writes is known, and no other."""
    run_state = state_from(
        RUN,
        [
            Run.key(RUN), Validation.key(RUN), keys.plan(RUN), Refusal.key(RUN), Stuck.key(RUN, 1),
            Attempt.key(RUN, 1, 1), AttemptRefused.key(RUN, 1, 1),
            Attempt.key(RUN, 1, 2), AttemptUnknown.key(RUN, 1, 2), AttemptAbsent.key(RUN, 1, 2),
            Attempt.key(RUN, 1, 3), AttemptUnknown.key(RUN, 1, 3), Submitted.key(RUN, 1, 1),
            Splitting.key(RUN, 1, 1), Read.key(RUN, 1, 1), Splitting.key(RUN, 1, 2), Read.key(RUN, 1, 2),
            Splitting.key(RUN, 1, 3), Splitting.key(RUN, 1, 4), Unread.key(RUN, 1, 4),
            Part.key(RUN, 1), Cancel.key(RUN, 1), Duplicate.key(RUN, 1, "msgbatch_2"),
            keys.output_part(keys.ledger(RUN), 1, keys.ASIDE), Foreign.key(RUN, 1, "msgbatch_3"), Discarded.key(RUN, 1),
            Attempt.key(RUN, 12, 1), Submitted.key(RUN, 12, 1), AttemptFailed.key(RUN, 12, 1),
            Attempt.key(RUN, 12, 2), Submitted.key(RUN, 12, 2),
            RetryAfterAnswer.key(RUN, RETRY_AFTER - timedelta(hours=1)),
            RetryAfterAnswer.key(RUN, RETRY_AFTER), keys.ledger(RUN) + "wait-x.json",
            Gate.key(RUN, 1), GateEnd.key(RUN, 1), Gate.key(RUN, 9), Gate.key(RUN, 10), GateEnd.key(RUN, 9),
            keys.ledger(RUN) + "gate-x.json", keys.ledger(RUN) + "a-note.txt", keys.ledger(RUN) + "batches/x/part.json",
        ],
    )  # fmt: skip
    assert (run_state.validating, run_state.planned, run_state.refused) == (True, True, True)
    assert run_state.retry_after_until == RETRY_AFTER
    assert (run_state.gate, run_state.ended_gates) == (10, {1, 9})
    assert run_state.batches == {
        1: BatchState(
            attempts=3, refused={1}, unknown={2, 3}, absent={2}, splits=4, reads={1, 2}, unreads={4},
            duplicates={"msgbatch_2"}, foreign={"msgbatch_3"}, cancelled=True, generations={1}, stuck=True, parted=True,
            discarded=True,
        ),
        12: BatchState(attempts=2, generations={1, 2}, failed={1}),
    }  # fmt: skip


@pytest.mark.parametrize("batch_id", ["msgbatch_2", "a-b", "msg-batch-7", "7", "attempt-7", "-", "x.json"])
def test_a_duplicate_is_recorded_with_its_whole_id(batch_id: str) -> None:
    """A batch with a truncated id would never be found or cancelled."""
    assert batch_state_of(Duplicate.key(RUN, 1, batch_id)) == BatchState(duplicates={batch_id})


@given(
    st.text(max_size=20)
    | st.from_regex(r"batches/\w{1,2}/(attempt|split|read|duplicate)-\w{1,2}\.json", fullmatch=True)
)
@example("batches/\N{SUPERSCRIPT TWO}/part.json")
@example("batches/1/attempt-\N{SUPERSCRIPT TWO}.json")
def test_an_unknown_key_in_a_ledger_delays_no_run(name: str) -> None:
    """An unknown object must not make runs fail for a day."""
    state_from(RUN, [keys.ledger(RUN) + name])


def test_an_attempt_is_undecided_until_a_fact_records_its_result() -> None:
    """Until then, no batch may be created."""
    one = Attempt.key(RUN, 1, 1)
    assert batch_state_of(one).unsettled_attempt == 1
    assert batch_state_of(one, AttemptRefused.key(RUN, 1, 1)).unsettled_attempt is None
    assert batch_state_of(one, AttemptAbsent.key(RUN, 1, 1)).unsettled_attempt is None
    assert batch_state_of(one, Submitted.key(RUN, 1, 1)).unsettled_attempt is None
    assert batch_state_of(one, AttemptAbsent.key(RUN, 1, 1), Attempt.key(RUN, 1, 2)).unsettled_attempt == 2
    assert batch_state_of(one, AttemptUnknown.key(RUN, 1, 1)).unsettled_attempt == 1, (
        "the end of its request decides nothing"
    )


def test_tenth_facts_come_after_ninth_ones() -> None:
    """Keys are listed as text, but compared by number."""
    assert batch_state_of(*(Attempt.key(RUN, 1, number) for number in range(12))).attempts == 11


def test_a_batch_that_failed_unrun_counts_no_more_and_the_next_one_does() -> None:
    """It never ran and cost nothing: another attempt follows, with another batch at the provider."""
    taken = (Attempt.key(RUN, 1, 1), Submitted.key(RUN, 1, 1))
    failed = (*taken, AttemptFailed.key(RUN, 1, 1))
    again = (*failed, Attempt.key(RUN, 1, 2))
    states = [batch_state_of(*keys_) for keys_ in (taken, failed, again, (*again, Submitted.key(RUN, 1, 2)))]
    assert [(state.generation, state.submitted, state.unsettled_attempt) for state in states] == [
        (1, True, None),
        (2, False, None),
        (2, False, 2),
        (2, True, None),
    ]


def test_a_run_without_gates_stands_at_none() -> None:
    """A22: a run of an earlier version; also one that has just been planned."""
    assert (run_state_with().gate, run_state_with().ended_gates) == (0, set())


def run_state_with(*listed: str) -> RunState:
    """Return the state of a run that these keys give."""
    return state_from(RUN, [Run.key(RUN), keys.plan(RUN), *listed])


def test_trouble_is_open_until_the_fact_of_its_end() -> None:
    """Its kind and its moment tell it from other trouble of the run."""
    first, second, other = (
        "unavailable-20261122T101112Z",
        "unavailable-20261123T101112Z",
        "credentials-20261122T101112Z",
    )
    begun = [LastingTrouble.key(RUN, place) for place in (first, second, other)]
    assert run_state_with(*begun).open_troubles == {first, second, other}
    assert run_state_with(*begun, TroubleOver.key(RUN, first)).open_troubles == {second, other}
    assert (
        run_state_with(*begun, *(TroubleOver.key(RUN, place) for place in (first, second, other))).open_troubles
        == set()
    )


def test_a_run_may_have_paid_from_its_intent_on_unless_the_provider_refused_it() -> None:
    """The same content may start another run only if this one cannot have created a batch."""
    one = Attempt.key(RUN, 1, 1)
    assert not run_state_with().may_have_paid
    assert run_state_with(one).may_have_paid
    assert run_state_with(one, AttemptUnknown.key(RUN, 1, 1)).may_have_paid
    assert run_state_with(one, Submitted.key(RUN, 1, 1)).may_have_paid
    assert not run_state_with(one, AttemptRefused.key(RUN, 1, 1)).may_have_paid
    assert run_state_with(one, AttemptAbsent.key(RUN, 1, 1)).may_have_paid  # perhaps only because a person said so
    assert run_state_with(one, AttemptAbsent.key(RUN, 1, 1), Attempt.key(RUN, 1, 2)).may_have_paid
    failed = (one, Submitted.key(RUN, 1, 1), AttemptFailed.key(RUN, 1, 1))
    assert not run_state_with(*failed).may_have_paid
    assert run_state_with(*failed, Attempt.key(RUN, 1, 2)).may_have_paid
    assert run_state_with(*failed, Attempt.key(RUN, 1, 2), Submitted.key(RUN, 1, 2)).may_have_paid


def test_a_run_may_have_paid_if_any_of_its_batches_may_have() -> None:
    """The state of another batch proves nothing."""
    refused = (Attempt.key(RUN, 1, 1), AttemptRefused.key(RUN, 1, 1), Refusal.key(RUN))
    assert not run_state_with(*refused).may_have_paid
    assert run_state_with(*refused, Attempt.key(RUN, 2, 1)).may_have_paid
