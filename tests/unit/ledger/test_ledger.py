"""Facts are written once; a second writer reads the first one's fact."""

from datetime import timedelta

from conveyor.domain import keys
from conveyor.ledger.batch_facts import Attempt
from conveyor.ledger.claims import Claims
from conveyor.ledger.ledger import Ledger
from conveyor.s3.bucket import Bucket
from tests.support.examples import NOW
from tests.support.fake_aws import BadBucket, FakeBucket

INTENT = Attempt("mine", NOW, NOW + timedelta(minutes=15), 3)


def test_a_batch_can_be_claimed_once() -> None:
    """A ledger that is recreated after a loss finds the earlier claim, and no batch is created."""
    bucket = Bucket(FakeBucket().client, "bucket")
    assert Claims(bucket, "run-1", "team").claim_attempt(1, 1, "mine")
    assert not Claims(bucket, "run-1", "team").claim_attempt(1, 1, "another")
    assert Claims(bucket, "run-1", "team").claim_attempt(1, 2, "another")
    assert Claims(bucket, "run-2", "team").claim_attempt(1, 1, "another")


def test_the_claim_of_an_attempt_lies_outside_the_ledger() -> None:
    """It remains if the ledger is deleted."""
    assert not keys.claimed_attempt("run-1", 1, 1).startswith(keys.RUNS)


def test_a_claim_or_an_intent_whose_response_was_lost_is_still_ours() -> None:
    """Taken for another's, it would block an attempt that no other function makes."""
    claiming, announcing = BadBucket(lost=1), BadBucket(lost=1)
    assert Claims(Bucket(claiming.client, "bucket"), "run-1", "team").claim_attempt(1, 1, "mine")
    assert Ledger(Bucket(announcing.client, "bucket"), "run-1").write(INTENT, 1, 1) == INTENT
    assert claiming.writes == announcing.writes == [200, 412]
