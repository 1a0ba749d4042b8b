"""Compare splitting the results of a batch in input order with only decoding drop and results by orjson."""

import hashlib
import random
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import quote

import orjson

from bench.figures import Figure, cpu, interleaved
from bench.files import FileS3
from conveyor.context import RunContext
from conveyor.domain.drop import Drop, nonce, wire_id
from conveyor.domain.invocation import Invocation
from conveyor.domain.outcome import Outcome, failure
from conveyor.domain.plan import Batch
from conveyor.ledger.ledger import Ledger
from conveyor.ledger.run_facts import Run
from conveyor.ledger.state import BatchState
from conveyor.provider.messages.results import decode_results
from conveyor.s3.bucket import Bucket
from conveyor.settings.settings import Settings
from conveyor.split.collector import Collector
from conveyor.split.in_input_order import write_in_input_order
from conveyor.split.job import SplitJob
from conveyor.split.spool import Spool
from tests.support.settings import STACK_SETTINGS, variables

if TYPE_CHECKING:
    from conveyor.provider.protocol import BatchApi

RUN = "20261123T000000Z-0123456789ab"
KEY = "inbox/bench.jsonl"
_CHUNK = 1 << 16
"""Bytes in a piece from the network."""


def figures(drop: Path, requests: int) -> Iterator[Figure]:
    """Measure with a drop of so many requests."""
    with TemporaryDirectory(prefix="conveyor-bench-") as name:
        root = Path(name)
        (root / quote(KEY, safe="")).symlink_to(drop)
        results = root / "results"
        _write_results(results, requests)
        works = {
            "bare": cpu(lambda: _bare(drop, results)),
            "ours": cpu(lambda: _split(root, drop, results, requests)),
            "sha256": cpu(lambda: _digest(results)),
        }
        rounds = interleaved(works)
    ours, bare = rounds.pair("ours", "bare")
    yield Figure(
        "split.vs_orjson", round(requests / ours), "requests/s", f"{requests / bare:,.0f} requests/s", bare / ours
    )
    # SHA-256 is a part of the time, and its speed depends on the processor's instructions.
    total, part = rounds.pair("ours", "sha256")
    yield Figure("split.sha256", round(part, 3), "s", f"{total:.3f} s", part / total)


def _bare(*paths: Path) -> None:
    for path in paths:
        with path.open("rb") as file:
            for line in file:
                orjson.loads(line)


def _digest(path: Path) -> None:
    with path.open("rb") as file:
        hashlib.file_digest(file, "sha256")


def _split(root: Path, drop: Path, results: Path, requests: int) -> None:
    batch = Batch(1, 1, 0, requests, drop.stat().st_size, requests)
    job = SplitJob(_context(root, drop), batch, BatchState(), 1, is_whole=True, spool_bytes=1 << 40)
    with Spool(batch, job.spool_bytes) as spool:
        collector = Collector(job.nonce, spool)
        with _chunks(results) as chunks:
            for result in decode_results(chunks):
                collector.add(result)
        collector.finish()
        spool.flush()
        written = write_in_input_order(job, collector, spool, failure(Outcome.MISSING))
    if sum(file.lines for file in written.files if not file.key.endswith("retry.jsonl")) != requests:
        raise RuntimeError("lines were lost")


def _context(root: Path, drop: Path) -> RunContext:
    bucket = Bucket(cast("Any", FileS3(root)), "bench")
    moment = datetime.now(UTC)
    settings = Settings.from_env(variables(STACK_SETTINGS | {"API_URL": "-"}))
    run = Run(RUN, "bench", Drop("bench", KEY, "1", "e", drop.stat().st_size, moment, {}), settings)
    return RunContext(run, Ledger(bucket, RUN), bucket, cast("BatchApi", None), Invocation(moment - moment))


@contextmanager
def _chunks(path: Path) -> Iterator[Iterable[bytes]]:
    with path.open("rb") as file:
        yield iter(lambda: file.read(_CHUNK), b"")


def _write_results(path: Path, requests: int) -> None:
    """Write results of about 2 KB each, in an order other than that of the requests."""
    text = "Results come in the provider's order under our ids.\n" * 30
    usage = {"input_tokens": 512, "output_tokens": 400, "cache_read_input_tokens": 0, "service_tier": "batch"}
    with path.open("wb") as file:
        for line in random.Random(1).sample(range(1, requests + 1), requests):  # noqa: S311
            content = [{"type": "text", "text": f"{line}: {text}"}]
            message = {
                "id": f"msg_{line}", "type": "message", "role": "assistant", "model": "claude-haiku-4-5",
                "content": content, "stop_reason": "end_turn", "usage": usage,
            }  # fmt: skip
            result = {"type": "succeeded", "message": message}
            file.write(orjson.dumps({"custom_id": wire_id(nonce(RUN), line), "result": result}) + b"\n")
