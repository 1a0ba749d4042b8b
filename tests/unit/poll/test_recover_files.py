"""If the provider states whose a batch is, the batch may still run, and no result is read."""

from datetime import timedelta
from typing import Any

import msgspec
import pytest

from conveyor.context import RunContext
from conveyor.domain import keys
from conveyor.domain.invocation import Invocation
from conveyor.ledger.batch_facts import AttemptUnknown, Submitted
from conveyor.ledger.claims import Claim
from conveyor.ledger.ledger import Ledger
from conveyor.ledger.state import BatchState
from conveyor.poll.recover import Search, settle_by_search
from conveyor.s3.bucket import Bucket
from tests.support.examples import BATCH, NOW, RUN
from tests.support.fake_aws import FakeBucket
from tests.support.files_server import FileServer, batch, file

LATER = NOW + timedelta(hours=2)
"""The attempt is over and settled."""
ATTEMPTED = BatchState(attempts=1, unknown={1})
OURS = {"conveyor_run": RUN.run, "conveyor_batch": "1", "conveyor_requests": "3"}


class Recovery:
    """Some batches at the provider, and one attempt without a response."""

    def __init__(self, *listed: dict[str, Any], files: bool = True) -> None:
        """Search for the batch of attempt 1, once. `files`: the server lists the file of our batch, `file-1`."""
        self.server = FileServer()
        self.server.batches = list(listed)
        self.server.files = [file(1)] if files else []
        self.bucket = FakeBucket()
        bucket = Bucket(self.bucket.client, "bucket")
        ledger = Ledger(bucket, RUN.run)
        ledger.write(AttemptUnknown("w", NOW, "ReadTimeout"), 1, 1)
        context = RunContext(RUN, ledger, bucket, self.server.api(), Invocation(timedelta(minutes=2), lambda: LATER))
        self.search = settle_by_search(context, BATCH, 1, ATTEMPTED)
        self.batch_state = ledger.run_state().batches[1]

    def adopted(self) -> Submitted:
        """Return the batch that was adopted; fail if a result was read."""
        assert not [request for request in self.server.seen if request.url.path.endswith("/content")]
        return msgspec.json.decode(self.bucket.objects[Submitted.key(RUN.run, 1, 1)], type=Submitted)


@pytest.mark.parametrize(
    "says",
    [
        {"metadata": OURS},
        {"input_file_id": "file-1", "metadata": None},
        {"metadata": OURS, "status": "in_progress", "created_at": None},
        {"metadata": OURS, "status": "completed"},
        {"metadata": OURS, "created_at": NOW.timestamp() - 9999},
        {"metadata": OURS, "created_at": NOW.timestamp() + 7200},
        {"input_file_id": "file-1", "request_counts": None, "created_at": None},
        {"metadata": OURS, "request_counts": {"total": 2, "completed": 0, "failed": 0}},
        {"metadata": OURS, "status": "failed", "errors": {"data": [{"code": "token_limit_exceeded"}]}},
    ],
)
def test_a_batch_with_our_metadata_or_file_is_ours_at_once(says: dict[str, Any]) -> None:
    """Metadata and file were known before the request; a batch that has failed since is ours, too."""
    recovery = Recovery(batch(7, **says))
    assert (recovery.adopted().id, recovery.adopted().adopted) == ("batch_7", True)
    assert msgspec.json.decode(recovery.bucket.objects[keys.claim("batch_7")], type=Claim) == Claim(
        RUN.run, 1, RUN.project
    )
    assert recovery.batch_state == BatchState(unknown={1}, generations={1})


def test_of_two_batches_of_ours_the_one_that_ran_counts() -> None:
    """The other batch cost nothing."""
    failed = batch(8, metadata=OURS, status="failed", errors=None)
    for order in ([failed, batch(7, metadata=OURS)], [batch(7, metadata=OURS), failed]):
        assert Recovery(*order).adopted().id == "batch_7"


@pytest.mark.parametrize(
    "says",
    [
        {"metadata": OURS | {"conveyor_run": "run-2"}},
        {"metadata": OURS | {"conveyor_batch": "2"}},
        {"metadata": OURS | {"conveyor_run": "run-2"}, "input_file_id": "file-1", "status": "completed"},
        {"request_counts": {"total": 4, "completed": 0, "failed": 0}},
        {"status": "failed", "errors": None},
        {"created_at": NOW.timestamp() - 9999},
    ],
)
def test_a_batch_of_another_run_or_program_delays_nothing(says: dict[str, Any]) -> None:
    """Its metadata, size or age exclude it, or it never ran: so no batch of ours was created."""
    recovery = Recovery(batch(7, **says))
    assert recovery.search == Search(LATER)
    assert recovery.batch_state == BatchState(unknown={1}, absent={1})


@pytest.mark.parametrize("says", [{}, {"request_counts": {"total": 3, "completed": 0, "failed": 0}}])
def test_a_batch_without_proof_is_waited_for(says: dict[str, Any]) -> None:
    """Its results will prove it; no batch is created before."""
    recovery = Recovery(batch(7, **says, input_file_id="file-1"), files=False)
    assert recovery.search == Search()
    assert recovery.batch_state == BatchState(unknown={1})
