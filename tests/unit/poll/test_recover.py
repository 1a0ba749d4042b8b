"""The ids in its results prove whose a batch is; until that is known, no batch is created."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import repeat

import httpx
import msgspec
import pytest

from conveyor.context import RunContext
from conveyor.domain import keys
from conveyor.domain.drop import nonce, wire_id
from conveyor.domain.invocation import Invocation
from conveyor.ledger.batch_facts import AttemptUnknown, Submitted
from conveyor.ledger.claims import Claim
from conveyor.ledger.ledger import Ledger
from conveyor.ledger.state import BatchState
from conveyor.poll.recover import Search, settle_by_search
from conveyor.provider.credentials import ApiKey, KeyHeader
from conveyor.provider.messages.api import MessageBatches
from conveyor.provider.transport import Transport
from conveyor.s3.bucket import Bucket
from tests.support.examples import BATCH, NOW, RUN
from tests.support.fake_aws import FakeBucket

LATER = NOW + timedelta(hours=2)
"""The attempt is over and settled."""
ATTEMPTED = BatchState(attempts=1, unknown={1})
LISTED = {
    "id": "msgbatch_1",
    "processing_status": "ended",
    "request_counts": {"succeeded": BATCH.requests},
    "created_at": NOW.isoformat(),
    "expires_at": (NOW + timedelta(days=1)).isoformat(),
}
OURS = wire_id(nonce(RUN.run), BATCH.last_line)


def line(custom_id: str) -> bytes:
    """Return a line of results."""
    return msgspec.json.encode({"custom_id": custom_id, "result": {"type": "expired"}}) + b"\n"


def stream(*parts: tuple[int, bytes]) -> Iterator[bytes]:
    """Yield so many of each line, then raise."""
    for count, data in parts:
        yield from repeat(data, count)
    raise httpx.ReadError("cut")


class Recovery:
    """One batch of our size at the provider, with results given line by line, and one attempt without a response."""

    def __init__(self, results: Iterator[bytes], *, now: datetime = LATER, **listed: str) -> None:
        """Search for the batch of attempt 1, once; `listed` replaces what the list says of the batch."""
        self._results = results
        self._listed = LISTED | listed
        self.bucket = FakeBucket()
        bucket = Bucket(self.bucket.client, "bucket")
        ledger = Ledger(bucket, RUN.run)
        ledger.write(AttemptUnknown("w", NOW, "ReadTimeout"), 1, 1)
        provider = httpx.Client(transport=httpx.MockTransport(self._answer))
        key = KeyHeader(lambda *, renew=False: ApiKey(f"key {renew}"))
        api = MessageBatches(Transport(provider, RUN.settings.api_url, key))
        context = RunContext(RUN, ledger, bucket, api, Invocation(timedelta(minutes=2), lambda: now))
        self.search = settle_by_search(context, BATCH, 1, ATTEMPTED)
        self.batch_state = ledger.run_state().batches[1]

    def _answer(self, request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/msgbatch_1/results"):
            return httpx.Response(200, content=self._results)
        return httpx.Response(200, json={"data": [self._listed], "has_more": False})

    def read(self, key: str) -> bytes:
        """Return the content of an object."""
        return self.bucket.objects[key]


def test_one_result_with_an_id_of_ours_proves_a_batch() -> None:
    """Only this run uses that id; other lines before it and a stream that fails after it change nothing."""
    recovery = Recovery(stream((3, line("another-1")), (1, b"?\n"), (1, line(OURS))))
    batch = msgspec.json.decode(recovery.read(Submitted.key(RUN.run, 1, 1)), type=Submitted)
    assert (batch.id, batch.adopted, batch.released) == ("msgbatch_1", True, False)
    assert msgspec.json.decode(recovery.read(keys.claim("msgbatch_1")), type=Claim) == Claim(RUN.run, 1, RUN.project)
    assert recovery.batch_state == BatchState(attempts=0, unknown={1}, generations={1})
    assert recovery.batch_state.submitted


def test_a_thousand_results_with_other_ids_prove_that_a_batch_is_not_ours() -> None:
    """No more results are read: there may be 100,000, and poll has two minutes."""
    recovery = Recovery(stream((1000, line("another-1"))))
    assert recovery.search == Search(LATER)
    assert recovery.batch_state == BatchState(unknown={1}, absent={1}, foreign={"msgbatch_1"})
    assert keys.claim("msgbatch_1") not in recovery.bucket.objects


def test_a_small_batch_of_others_is_read_to_its_end() -> None:
    """It has fewer than a thousand results."""
    recovery = Recovery(iter([line("another-1"), line("another-2"), line("another-3")]))
    assert recovery.batch_state == BatchState(unknown={1}, absent={1}, foreign={"msgbatch_1"})


@pytest.mark.parametrize(
    ("results", "reason"),
    [
        pytest.param(stream((999, line("another-1"))), "ReadError", id="too-few-of-others"),
        pytest.param(stream(), "ReadError", id="none"),
        pytest.param(iter([b"?\n"] * 3), "cannot be read", id="unreadable"),
        pytest.param(iter([b"?\n"] * 1000), "cannot be read", id="unreadable-throughout"),
        pytest.param(iter([line("another-1"), b"?\n"]), "cannot be read", id="one-stray-and-unreadable"),
        pytest.param(iter(()), "cannot be read", id="empty"),
    ],
)
def test_a_batch_without_proof_is_doubtful(results: Iterator[bytes], reason: str) -> None:
    """It may be ours: a fact says only that, and no batch is created meanwhile."""
    recovery = Recovery(results)
    assert recovery.search.doubtful == ("msgbatch_1",)
    assert reason in str(recovery.search.trouble)
    assert recovery.batch_state == BatchState(unknown={1}, doubtful={"msgbatch_1"})


@pytest.mark.parametrize("number", [BATCH.first_line - 1, BATCH.last_line + 1])
def test_an_id_of_another_batch_of_the_run_proves_nothing(number: int) -> None:
    """The attempt is for the lines of this batch only."""
    recovery = Recovery(iter([line(wire_id(nonce(RUN.run), number))] * 3))
    assert recovery.batch_state == BatchState(unknown={1}, absent={1}, foreign={"msgbatch_1"})


@pytest.mark.parametrize("expires_at", ["2001-01-01T00:00:00Z", NOW.isoformat(), "soon"])
def test_a_candidate_that_runs_is_waited_for_whatever_end_it_states(expires_at: str) -> None:
    """If it is ours, it ends within its completion window from the attempt on; an hour later a person is asked."""
    running = {"processing_status": "in_progress", "expires_at": expires_at}
    assert Recovery(iter(()), now=NOW + timedelta(hours=24, minutes=59), **running).search == Search()
    late = Recovery(iter(()), now=NOW + timedelta(hours=25, minutes=1), **running)
    assert late.search.doubtful == ("msgbatch_1",)
    assert late.batch_state == BatchState(unknown={1}, doubtful={"msgbatch_1"})


def test_a_candidate_that_says_it_never_ends_is_doubtful_after_the_time_that_results_are_kept() -> None:
    """By then a person is asked."""
    running = {"processing_status": "in_progress", "expires_at": "8000-01-01T00:00:00Z"}
    assert Recovery(iter(()), now=NOW + timedelta(days=29), **running).search == Search()
    assert Recovery(iter(()), now=NOW + timedelta(days=29, hours=2), **running).search.doubtful


@pytest.mark.parametrize("created_at", ["8000-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "soon", "2026-11-22T10:10:00"])
def test_a_candidate_with_an_unusable_time_of_creation_may_be_ours(created_at: str) -> None:
    """A time in the future, an invalid one or one without a zone does not rule out that the batch is ours."""
    recovery = Recovery(iter([line(OURS)]), created_at=created_at, expires_at=created_at)
    assert recovery.batch_state.submitted
