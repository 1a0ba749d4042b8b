"""What is written down is read back, and only what is written down is true."""

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
from conveyor.ledger.part import Part
from conveyor.ledger.run_facts import Refusal, RetryAfterAnswer, Run, Validation
from conveyor.ledger.state import BatchState, RunState, state_from

RETRY_AFTER = datetime(2026, 11, 22, 12, 34, 56, tzinfo=UTC)
RUN = "20261122T101112Z-0123456789ab"


def batch_state_of(*listed: str) -> BatchState:
    """Return the state of batch 1 from some keys."""
    return state_from(RUN, listed).batches[1]


def test_a_listing_tells_every_fact_of_a_run() -> None:
    """Every kind of key the ledger writes, and no other."""
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
            keys.output_part(RUN, 1, keys.ASIDE), Foreign.key(RUN, 1, "msgbatch_3"), Discarded.key(RUN, 1),
            Attempt.key(RUN, 12, 1), Submitted.key(RUN, 12, 1), AttemptFailed.key(RUN, 12, 1),
            Attempt.key(RUN, 12, 2), Submitted.key(RUN, 12, 2),
            RetryAfterAnswer.key(RUN, RETRY_AFTER - timedelta(hours=1)),
            RetryAfterAnswer.key(RUN, RETRY_AFTER), keys.ledger(RUN) + "wait-x.json",
            keys.ledger(RUN) + "a-note.txt", keys.ledger(RUN) + "batches/x/part.json",
        ],
    )  # fmt: skip
    assert (run_state.validating, run_state.planned, run_state.refused) == (True, True, True)
    assert run_state.retry_after_until == RETRY_AFTER
    assert run_state.batches == {
        1: BatchState(
            attempts=3, refused={1}, unknown={2, 3}, absent={2}, splits=4, reads={1, 2}, unreads={4},
            duplicates={"msgbatch_2"}, foreign={"msgbatch_3"}, cancelled=True, generations={1}, stuck=True, parted=True,
            discarded=True,
        ),
        12: BatchState(attempts=2, generations={1, 2}, failed={1}),
    }  # fmt: skip


@pytest.mark.parametrize("batch_id", ["msgbatch_2", "a-b", "msg-batch-7", "7", "attempt-7", "-", "x.json"])
def test_a_duplicate_is_known_by_its_whole_id(batch_id: str) -> None:
    """A batch whose name was cut would be asked for in vain, and never be cancelled."""
    assert batch_state_of(Duplicate.key(RUN, 1, batch_id)) == BatchState(duplicates={batch_id})


@given(
    st.text(max_size=20)
    | st.from_regex(r"batches/\w{1,2}/(attempt|split|read|duplicate)-\w{1,2}\.json", fullmatch=True)
)
@example("batches/\N{SUPERSCRIPT TWO}/part.json")
@example("batches/1/attempt-\N{SUPERSCRIPT TWO}.json")
def test_a_strange_key_in_a_ledger_holds_up_no_run(name: str) -> None:
    """Somebody's note beside the facts is not a reason to fail for a day."""
    state_from(RUN, [keys.ledger(RUN) + name])


def test_an_attempt_is_undecided_until_something_says_what_became_of_it() -> None:
    """While it is, nobody may pay."""
    one = Attempt.key(RUN, 1, 1)
    assert batch_state_of(one).unsettled_attempt == 1
    assert batch_state_of(one, AttemptRefused.key(RUN, 1, 1)).unsettled_attempt is None
    assert batch_state_of(one, AttemptAbsent.key(RUN, 1, 1)).unsettled_attempt is None
    assert batch_state_of(one, Submitted.key(RUN, 1, 1)).unsettled_attempt is None
    assert batch_state_of(one, AttemptAbsent.key(RUN, 1, 1), Attempt.key(RUN, 1, 2)).unsettled_attempt == 2
    assert batch_state_of(one, AttemptUnknown.key(RUN, 1, 1)).unsettled_attempt == 1, (
        "that its call is over decides nothing"
    )


def test_tenth_facts_come_after_ninth_ones() -> None:
    """Keys are listed by their letters; numbers count."""
    assert batch_state_of(*(Attempt.key(RUN, 1, number) for number in range(12))).attempts == 11


def test_a_batch_that_failed_unrun_counts_no_more_and_the_next_one_does() -> None:
    """Nothing was run of it, and nothing paid: what follows is another attempt, and another batch at the provider."""
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


def run_state_with(*listed: str) -> RunState:
    """Return the state of a run from some keys."""
    return state_from(RUN, [Run.key(RUN), keys.plan(RUN), *listed])


def test_a_run_may_have_paid_from_its_intent_on_unless_the_provider_refused_it() -> None:
    """The same bytes make room for another run only where this one cannot have paid."""
    one = Attempt.key(RUN, 1, 1)
    assert not run_state_with().may_have_paid
    assert run_state_with(one).may_have_paid
    assert run_state_with(one, AttemptUnknown.key(RUN, 1, 1)).may_have_paid
    assert run_state_with(one, Submitted.key(RUN, 1, 1)).may_have_paid
    assert not run_state_with(one, AttemptRefused.key(RUN, 1, 1)).may_have_paid
    assert run_state_with(one, AttemptAbsent.key(RUN, 1, 1)).may_have_paid  # perhaps by a person's word only
    assert run_state_with(one, AttemptAbsent.key(RUN, 1, 1), Attempt.key(RUN, 1, 2)).may_have_paid
    failed = (one, Submitted.key(RUN, 1, 1), AttemptFailed.key(RUN, 1, 1))
    assert not run_state_with(*failed).may_have_paid
    assert run_state_with(*failed, Attempt.key(RUN, 1, 2)).may_have_paid
    assert run_state_with(*failed, Attempt.key(RUN, 1, 2), Submitted.key(RUN, 1, 2)).may_have_paid


def test_a_run_may_have_paid_if_any_of_its_batches_may_have() -> None:
    """What became of another batch says nothing of it."""
    refused = (Attempt.key(RUN, 1, 1), AttemptRefused.key(RUN, 1, 1), Refusal.key(RUN))
    assert not run_state_with(*refused).may_have_paid
    assert run_state_with(*refused, Attempt.key(RUN, 2, 1)).may_have_paid
