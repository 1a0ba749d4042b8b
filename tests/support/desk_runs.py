"""Some runs of a stack as a person finds them: one that waits, one under way, and three that have ended."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Protocol

import msgspec
from msgspec.structs import replace

from conveyor.domain import keys
from conveyor.domain.drop import STAMP
from conveyor.domain.plan import Batch, Plan, ValidatedDrop, encode_plan
from conveyor.domain.status import Status
from conveyor.ledger.batch_facts import Attempt, AttemptUnknown, Doubtful
from conveyor.ledger.gate_facts import Gate, Reason, ReasonCode
from conveyor.ledger.run_facts import Run
from conveyor.spend.index_entry import IndexEntry, StartEntry
from tests.support.examples import RUN


class Put(Protocol):
    """A version of an object that was written."""

    id: str


class Puts(Protocol):
    """A bucket to write to."""

    def put(self, key: str, data: bytes, metadata: dict[str, str]) -> Put:
        """Write an object."""


_encode = msgspec.json.Encoder(decimal_format="number").encode


def ago(number: int, **time: float) -> str:
    """Return the id of a run whose drop is so old."""
    return f"{datetime.now(UTC) - timedelta(**time):{STAMP}}-{number:012x}"


def write_runs(bucket: Puts) -> None:
    """Write the runs."""
    _end(bucket, "tickets-2026-11", ago(3, days=3, hours=1), ("support", "completed", 40_000, 39_412, 588, "58.93"))
    _end(bucket, "eval-two-models", ago(4, days=4, hours=1), ("research", "completed", 600, 600, 0, "2.31"))
    _end(bucket, "invoices", ago(5, days=6, hours=1), ("finance", "refused", 1_880, 0, 0, "0"))
    catalog, contracts = ago(2, hours=2, minutes=42), ago(1, minutes=12, seconds=20)
    _begin(bucket, "catalog-2026-11", catalog, "shop", batches=12)
    for number in range(1, 7):
        for name in ("attempt-1", "batch-1", *(("split-1", "part") if number < 4 else ())):
            _put(bucket, f"{keys.batch(catalog, number)}{name}.json")
    _begin(bucket, "contracts-q4", contracts, "legal", batches=4)
    _hold(bucket, contracts)


def write_undecided(bucket: Puts) -> None:
    """Write a run whose paid call got no response. The provider lists a batch that may be it."""
    run, sent_at = ago(6, hours=6, minutes=4), datetime.now(UTC) - timedelta(hours=6, minutes=2)
    _begin(bucket, "reviews", run, "shop", batches=1)
    _put(bucket, Attempt.key(run, 1, 1), _encode(Attempt("writer", sent_at, sent_at, 10_000)))
    _put(bucket, AttemptUnknown.key(run, 1, 1), _encode(AttemptUnknown("writer", sent_at, "timeout")))
    _put(bucket, Doubtful.key(run, 1, "msgbatch_01Ab"), _encode(Doubtful("writer", sent_at, sent_at, 10_000)))


def _hold(bucket: Puts, run: str) -> None:
    now = datetime.now(UTC)
    message = "it may cost $164.20, and its project may spend $100.00 on one drop"
    reason = Reason(ReasonCode.CEILING, message)
    until = now + timedelta(hours=72)
    gate = Gate("writer", now, open=False, reasons=[reason], need_usd=Decimal("164.20"), until=until)
    _put(bucket, Gate.key(run, 1), _encode(gate))


def _begin(bucket: Puts, name: str, run: str, project: str, batches: int) -> None:
    key = f"inbox/{project}/{name}.jsonl"
    drop = replace(RUN.drop, key=key, version=bucket.put(key, b"{}\n" * 400 * batches, {}).id)
    _put(bucket, Run.key(run), _encode(replace(RUN, run=run, name=name, project=project, drop=drop)))
    cut = [Batch(number, 1, 0, requests=10_000, at_most_usd=Decimal("41.05")) for number in range(1, batches + 1)]
    validated = ValidatedDrop(batches * 10_000, "f00", is_gated=True)
    _put(bucket, keys.plan(run), encode_plan(Plan(validated, cut)))
    _put(bucket, StartEntry(project, run, 1000).key)


def _end(bucket: Puts, name: str, run: str, about: tuple[str, str, int, int, int, str]) -> None:
    project, status, requests, results, failures, usd = about
    entry = IndexEntry(project, run, Status(status), requests, results, failures, Decimal(usd))
    _begin(bucket, name, run, project, batches=1)
    _put(bucket, entry.key)
    if results:
        _put(bucket, keys.receipt(name, run), b"{}\n" * 2000)
        _put(bucket, keys.results(name, run), b"{}\n" * results)
        _put(bucket, keys.failures(name, run), b"{}\n" * failures)


def _put(bucket: Puts, key: str, data: bytes = b"{}") -> None:
    bucket.put(key, data, {})
