"""A provider's queue that runs share, asked by the real `admit_or_wait`, on a bucket in memory."""

from datetime import datetime, timedelta
from typing import Any

import httpx
from msgspec.structs import replace

from conveyor.context import RunContext
from conveyor.domain import keys
from conveyor.domain.invocation import Invocation
from conveyor.ledger.batch_facts import Attempt, Submitted
from conveyor.ledger.claims import Claims
from conveyor.ledger.ledger import Ledger
from conveyor.ledger.run_facts import RetryAfterAnswer
from conveyor.provider.credentials import ApiKey, KeyHeader
from conveyor.provider.messages.api import MessageBatches
from conveyor.provider.transport import Transport
from conveyor.s3.bucket import Bucket
from conveyor.submit.queue import admit_or_wait
from tests.support.examples import NOW, RUN, SETTINGS
from tests.support.fake_aws import FakeBucket

ROOM = 10
"""Requests that the queue takes."""


class SharedQueue:
    """A provider whose queue has room for ten requests, and runs that wait for room."""

    def __init__(self) -> None:
        """Start empty."""
        self.bucket = FakeBucket()
        self.listed: list[dict[str, Any]] = []
        """Newest first, as the provider lists them."""
        self.status = 200
        self.now = NOW
        self.after_next_list: Any = None
        """What happens right after the provider has answered with its list the next time."""
        self._bucket = Bucket(self.bucket.client, "bucket")
        key = KeyHeader(lambda *, renew=False: ApiKey(f"key {renew}"))
        provider = httpx.Client(transport=httpx.MockTransport(self._answer))
        self._api = MessageBatches(Transport(provider, SETTINGS.api_url, key))

    def add_batch(
        self, requests: int, status: str = "in_progress", created_at: datetime | None = None, project: str | None = None
    ) -> str:
        """Add a batch to the provider's list, and return its id. It is another program's, unless a project claims it.

        `created_at`: by default now.
        """
        created_at = created_at or self.now
        batch_id = f"msgbatch_{len(self.listed)}"
        batch = {
            "id": batch_id,
            "processing_status": status,
            "request_counts": {"processing": requests},
            "created_at": created_at.isoformat(),
            "expires_at": (created_at + timedelta(days=1)).isoformat(),
        }
        self.listed.insert(0, batch)
        if project is not None:
            Claims(self._bucket, "a run", project).claim_own_batch(batch_id, 1)
        return batch_id

    def end_batches(self, *ids: str) -> None:
        """End some batches, by default all."""
        for batch in self.listed:
            if not ids or batch["id"] in ids:
                batch["processing_status"] = "ended"

    def admits(self, run: str, requests: int = 4, project: str = keys.DEFAULT_PROJECT) -> bool:
        """Return whether a run may send its next batch."""
        ledger = Ledger(self._bucket, run)
        run_fact = replace(RUN, run=run, project=project, settings=replace(SETTINGS, max_queued_requests=ROOM))
        invocation = Invocation(timedelta(minutes=15), lambda: self.now)
        context = RunContext(run_fact, ledger, self._bucket, self._api, invocation)
        return admit_or_wait(context, requests, ledger.run_state())

    def writes(self, *facts: str) -> None:
        """Write facts of runs."""
        self.bucket.objects |= dict.fromkeys(facts, b"")

    def pauses(self, run: str, span: timedelta) -> None:
        """Let the provider ask now that a run does not call it for some time."""
        until = self.now + span
        Ledger(self._bucket, run).write(RetryAfterAnswer("w", self.now, until, "HTTP 429"), until)

    def marks(self) -> list[str]:
        """Return the keys of all marks of waiting runs."""
        return [key for key in self.bucket.objects if key.startswith("claims/waiting/")]

    def _answer(self, request: httpx.Request) -> httpx.Response:
        assert request.url.path == "/v1/messages/batches"
        answer = httpx.Response(self.status, json={"data": list(self.listed), "has_more": False})
        happens, self.after_next_list = self.after_next_list, None
        if happens:
            happens()
        return answer


def sent(run: str, batch: int) -> tuple[str, str]:
    """Return the keys of the facts of a batch that was sent."""
    return Attempt.key(run, batch, 1), Submitted.key(run, batch, 1)
