"""Compare checking a drop and streaming its batches with only decoding its lines by orjson, and with jq."""

import hashlib
import resource
import shutil
import subprocess
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import httpx
import orjson
from msgspec.structs import replace

from bench.figures import Figure, cpu, interleaved
from conveyor.domain.plan import Batch
from conveyor.jsonl.lines import read_blocks
from conveyor.provider.credentials import ApiKey, KeyHeader
from conveyor.provider.messages.api import MessageBatches
from conveyor.provider.protocol import Created, NewBatch, Origin
from conveyor.provider.transport import Transport
from conveyor.s3.bucket import RANGE_BYTES
from conveyor.settings.settings import Settings
from conveyor.validation.batch_body import Envelope
from conveyor.validation.checker import Checker, check_drop
from tests.support.settings import STACK_SETTINGS, variables

RUN = "20261123T000000Z-0123456789ab"
_SINCE = datetime(2026, 11, 23, tzinfo=UTC)
_CREATED = {
    "id": "msgbatch_1",
    "processing_status": "in_progress",
    "request_counts": {},
    "created_at": "2026-11-23T00:00:00Z",
    "expires_at": "2026-11-24T00:00:00Z",
}


def figures(drop: Path, requests: int) -> Iterator[Figure]:
    """Measure with a drop of so many valid requests."""
    jq = shutil.which("jq")
    settings = _settings(requests)
    checker = _check(drop, settings, requests)
    works: dict[str, Callable[[], float]] = {
        "ours": cpu(lambda: _check(drop, settings, requests)),
        "bare": cpu(lambda: _bare(drop)),
        "stream": cpu(lambda: _send(drop, checker.batches, settings)),
        "sha256": cpu(lambda: _digest(drop)),
    }
    if jq:
        works["jq"] = lambda: _jq(jq, drop)
    rounds = interleaved(works)
    ours, bare = rounds.pair("ours", "bare")
    yield Figure("validate.vs_orjson", _rate(requests, ours), "requests/s", _as_rate(requests, bare), bare / ours)
    if jq:
        ours, theirs = rounds.pair("ours", "jq")
        yield Figure("validate.vs_jq", _rate(requests, ours), "requests/s", _as_rate(requests, theirs), theirs / ours)
    else:
        yield Figure("validate.vs_jq", _rate(requests, ours), "requests/s", "jq is not installed")
    # Measured separately: its speed depends on the processor's instructions.
    ours, added = rounds.pair("ours", "sha256")
    yield Figure("validate.sha256", round(added, 3), "s", f"{ours:.3f} s", added / ours)
    ours, bare = rounds.pair("stream", "bare")
    yield Figure("stream.vs_orjson", _rate(requests, ours), "requests/s", _as_rate(requests, bare), bare / ours)


def _rate(requests: int, seconds: float) -> int:
    return round(requests / seconds)


def _as_rate(requests: int, seconds: float) -> str:
    return f"{requests / seconds:,.0f} requests/s"


def _settings(requests: int) -> Settings:
    env = variables(STACK_SETTINGS | {"API_URL": "-"})
    return replace(Settings.from_env(env), max_requests_per_drop=requests)


def _check(drop: Path, settings: Settings, requests: int) -> Checker:
    """Check the drop as submit does before it writes the plan, without the checksum."""
    checker = check_drop(RUN, settings, MessageBatches.dialect, lambda: _chunks(drop, 0, drop.stat().st_size))
    if checker.faults or sum(batch.requests for batch in checker.batches) != requests:
        raise RuntimeError(f"the drop has faults or missing requests: {checker.faults[:1]}")
    return checker


def _chunks(path: Path, start: int, end: int) -> Iterator[bytes]:
    """Read a file as `Bucket` reads an object."""
    with path.open("rb", buffering=0) as file:
        file.seek(start)
        for begin in range(start, end, RANGE_BYTES):
            yield file.read(min(RANGE_BYTES, end - begin))


def _bare(path: Path) -> None:
    with path.open("rb") as file:
        for line in file:
            orjson.loads(line)


def _digest(path: Path) -> None:
    digest = hashlib.sha256()
    for chunk in _chunks(path, 0, path.stat().st_size):
        digest.update(chunk)
    digest.hexdigest()


def _jq(jq: str, path: Path) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([jq, "-c", ".", path], stdout=subprocess.DEVNULL, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def _send(drop: Path, batches: list[Batch], settings: Settings) -> None:
    """Create batches as submit does, at a provider in the same process."""
    envelope = Envelope(MessageBatches.dialect.form, RUN, settings.default_max_tokens)
    with httpx.Client(transport=_Sink()) as client:
        api = MessageBatches(Transport(client, "https://localhost", KeyHeader(lambda **_: ApiKey("-"))))
        for batch in batches:
            body = partial(_body, drop, batch, envelope)
            new_batch = NewBatch(Origin(RUN, batch.number, _SINCE), batch.requests, batch.body_bytes, body)
            created = api.create(new_batch, settings.post_seconds)
            if not isinstance(created, Created):
                raise TypeError(f"the batch was not created: {created}")


def _body(drop: Path, batch: Batch, envelope: Envelope) -> Iterator[bytes]:
    stretches = read_blocks(_chunks(drop, batch.first_byte, batch.end_byte), start=batch.first_byte)
    return envelope.body(batch, stretches)


class _Sink(httpx.BaseTransport):
    """A provider that reads the body of each request in pieces, and discards it."""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Return the created batch if the body has the announced length."""
        size = sum(map(len, request.stream))  # type: ignore[arg-type]  # never asynchronous
        return httpx.Response(200 if size == int(request.headers["content-length"]) else 400, json=_CREATED)
