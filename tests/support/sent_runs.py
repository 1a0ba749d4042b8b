"""A run whose batches are sent, with a bucket in memory and a provider that is a function, for polling step by step."""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import boto3
import httpx
import msgspec
from aws_lambda_powertools.utilities.parameters import SecretsProvider
from msgspec.structs import replace

from conveyor.clients import Clients
from conveyor.domain import keys
from conveyor.domain.invocation import Invocation
from conveyor.domain.plan import Batch, Plan, ValidatedDrop, encode_plan
from conveyor.ledger.batch_facts import Attempt, Splitting, Submitted
from conveyor.ledger.part import Part
from conveyor.ledger.run_facts import Run
from conveyor.poll.poll import poll
from conveyor.provider.connector import Connector
from conveyor.s3.bucket import Bucket
from conveyor.settings.settings import Environment
from tests.support.examples import NOW, RUN
from tests.support.fake_aws import FakeBucket, answer, client

type Provider = Callable[[httpx.Request], httpx.Response]

PATHS = {"messages": "/v1/messages/batches", "files": "/v1/batches"}
"""The path of the batches in each dialect."""

EXPIRES = NOW + timedelta(hours=24)
PAST, FAR = NOW - timedelta(days=9000), datetime(8999, 12, 31, tzinfo=UTC)
"""Extreme expiry times that a server may return."""


def batch_id(number: int) -> str:
    """Return the provider's id of a batch."""
    return f"batch_{number}"


def shown(dialect: str, number: int = 1, *, ended: bool = False, **says: Any) -> dict[str, Any]:
    """Return a batch of three requests as a dialect represents it; `says` replaces fields."""
    if dialect == "files":
        counts = {"total": 3, "completed": 3 * ended, "failed": 0}
        state = {"status": "completed" if ended else "in_progress", "request_counts": counts, "output_file_id": None}
    else:
        state = {"processing_status": "ended" if ended else "in_progress", "request_counts": {"processing": 3}}
    moments = {"created_at": NOW.isoformat(), "expires_at": EXPIRES.isoformat()}
    return {"id": batch_id(number), **moments, **state, **says}


def running(dialect: str, **says: Any) -> Provider:
    """Return a provider whose batch never ends; `says` replaces fields of the batch."""
    return lambda _: httpx.Response(200, json=shown(dialect, **says))


class SentRun:
    """A run whose batches were all sent at `NOW`, with a clock that only the test advances."""

    def __init__(
        self, provider: Provider, *, batches: int = 1, split: Iterable[int] = (), expires_at: datetime = EXPIRES,
        **settings: Any,
    ) -> None:  # fmt: skip
        """Write the ledger.

        `split`: numbers of the batches that are already split. `expires_at`: the expiry time of every batch.
        """
        self.run: Run = replace(RUN, settings=replace(RUN.settings, **settings))
        self.now: datetime = NOW
        self.bucket = FakeBucket()
        self.asked: list[tuple[datetime, str]] = []
        """Calls to the provider: time and `METHOD path`."""
        self._provider = provider
        self.clients = Clients()
        self.clients.bucket, self.clients.environment = Bucket(self.bucket.client, "bucket"), Environment("bucket")
        self.clients.connector = Connector("conveyor/api-key", partial(boto3.client, "secretsmanager"))
        secret = client("secretsmanager", lambda _: answer(200, b'{"SecretString": "key"}'))
        self.clients.connector.secrets = SecretsProvider(boto3_client=secret)
        self.clients.connector.http = httpx.Client(transport=httpx.MockTransport(self._answer))
        self._memory: dict[str, Any] = {}
        self.write(Run.key("run-1"), self.run)
        cuts = [Batch(number, number * 3 - 2, 0, number * 3, 99, 3) for number in range(1, batches + 1)]
        self.bucket.objects[keys.plan("run-1")] = encode_plan(Plan(ValidatedDrop(3 * batches, "f00"), cuts))
        for number in range(1, batches + 1):
            self._send(number, expires_at)
        for number in split:
            self._split(number)

    def write(self, key: str, fact: Any) -> None:
        """Write a fact."""
        self.bucket.objects[key] = msgspec.json.encode(fact)

    def read(self, key: str) -> Any:
        """Read a fact."""
        return msgspec.json.decode(self.bucket.objects[key])

    def poll(self, **passed: float) -> dict[str, Any]:
        """Advance the clock (`hours=`, `seconds=`) and poll the run once."""
        self.now += timedelta(**passed)
        state = poll({"run": "run-1"} | self._memory, self.clients, self.invocation())
        self._memory = {name: value for name, value in state.items() if name not in {"next", "notice", "batches"}}
        return state

    def cancels(self) -> int:
        """Return how often the provider was asked to cancel a batch."""
        return sum(call.endswith("/cancel") for _, call in self.asked)

    def invocation(self) -> Invocation:
        """Return the invocation of a function that starts now."""
        return Invocation(timedelta(minutes=2), lambda: self.now)

    def _answer(self, request: httpx.Request) -> httpx.Response:
        self.asked.append((self.now, f"{request.method} {request.url.path}"))
        return self._provider(request)

    def _send(self, number: int, expires_at: datetime) -> None:
        self.write(Attempt.key("run-1", number, 1), Attempt("w", NOW, NOW, 3))
        sent = Submitted("w", NOW, batch_id(number), NOW, expires_at)
        self.write(Submitted.key("run-1", number, 1), sent)

    def _split(self, number: int) -> None:
        self.write(Splitting.key("run-1", number, 1), Splitting("w", NOW, NOW))
        self.write(Part.key("run-1", number), Part("w", NOW, {"succeeded": 3}, 0, 0, 0, {}, [], None))
