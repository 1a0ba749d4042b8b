"""Facts are written once, and whoever comes second reads what stands."""

from datetime import timedelta

from conveyor.domain import keys
from conveyor.ledger.batch_facts import Attempt
from conveyor.ledger.claims import Claims
from conveyor.ledger.ledger import Ledger
from conveyor.s3.bucket import Bucket
from tests.support.examples import NOW
from tests.support.fake_aws import BadBucket, FakeBucket

INTENT = Attempt("mine", NOW, NOW + timedelta(minutes=15), 3)


def test_the_right_to_pay_is_taken_once() -> None:
    """A ledger that was lost, and begun anew, finds the claim of its former life and does not pay."""
    bucket = Bucket(FakeBucket().client, "bucket")
    assert Claims(bucket, "run-1").claim_attempt(1, 1, "mine")
    assert not Claims(bucket, "run-1").claim_attempt(1, 1, "another")
    assert Claims(bucket, "run-1").claim_attempt(1, 2, "another")
    assert Claims(bucket, "run-2").claim_attempt(1, 1, "another")


def test_the_claim_of_an_attempt_lies_outside_the_ledger() -> None:
    """Whoever deletes the ledger leaves it."""
    assert not keys.claimed_attempt("run-1", 1, 1).startswith(keys.RUNS)


def test_a_claim_or_an_intent_whose_answer_was_lost_is_still_our_own() -> None:
    """Taken for another's, it would hold up an attempt that nobody makes."""
    claiming, announcing = BadBucket(lost=1), BadBucket(lost=1)
    assert Claims(Bucket(claiming.client, "bucket"), "run-1").claim_attempt(1, 1, "mine")
    assert Ledger(Bucket(announcing.client, "bucket"), "run-1").write(INTENT, 1, 1) == INTENT
    assert claiming.writes == announcing.writes == [200, 412]
