"""What is written down is read back, and only what is written down is true."""

from conveyor import keys
from conveyor.records import BatchFacts, facts_from

RUN = "20261122T101112Z-0123456789ab"


def facts_of(*listed: str) -> BatchFacts:
    """Return the facts of batch 1 from some keys."""
    return facts_from(RUN, listed).batches[1]


def test_a_listing_tells_every_fact_of_a_run() -> None:
    """Every kind of key the ledger writes, and no other."""
    facts = facts_from(
        RUN,
        [
            keys.run(RUN), keys.validation(RUN), keys.plan(RUN), keys.refused(RUN),
            keys.attempt(RUN, 1, 1), keys.attempt_refused(RUN, 1, 1),
            keys.attempt(RUN, 1, 2), keys.attempt_absent(RUN, 1, 2), keys.attempt(RUN, 1, 3),
            keys.batch(RUN, 1), keys.read(RUN, 1, 1), keys.read(RUN, 1, 2), keys.part(RUN, 1),
            keys.unread(RUN, 1, 4), keys.cancel(RUN, 1), keys.stuck(RUN),
            keys.duplicate(RUN, 1, "msgbatch_2"), keys.aside(RUN, 1), keys.attempt(RUN, 12, 1),
            keys.ledger(RUN) + "a-note.txt", keys.ledger(RUN) + "batches/x/part.json",
        ],
    )  # fmt: skip
    assert (facts.validating, facts.planned, facts.refused, facts.stuck) == (True, True, True, True)
    assert facts.batches == {
        1: BatchFacts(
            attempts=3, refused={1}, absent={2}, reads=2, unreads=4, cancelled=True, submitted=True, parted=True
        ),
        12: BatchFacts(attempts=1, refused=set(), absent=set()),
    }


def test_an_attempt_is_undecided_until_something_says_what_became_of_it() -> None:
    """While it is, nobody may pay."""
    one = keys.attempt(RUN, 1, 1)
    assert facts_of(one).undecided == 1
    assert facts_of(one, keys.attempt_refused(RUN, 1, 1)).undecided is None
    assert facts_of(one, keys.attempt_absent(RUN, 1, 1)).undecided is None
    assert facts_of(one, keys.batch(RUN, 1)).undecided is None
    assert facts_of(one, keys.attempt_absent(RUN, 1, 1), keys.attempt(RUN, 1, 2)).undecided == 2


def test_tenth_facts_come_after_ninth_ones() -> None:
    """Keys are listed by their letters; numbers count."""
    assert facts_of(*(keys.attempt(RUN, 1, number) for number in range(12))).attempts == 11
