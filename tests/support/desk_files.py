"""The files of a run that has ended, and of a retry of it, as a person finds them in the bucket."""

from __future__ import annotations

import json
from decimal import Decimal
from hashlib import sha256
from typing import TYPE_CHECKING, NamedTuple

import msgspec
from msgspec.structs import replace

from conveyor.domain import keys
from conveyor.domain.drop import RETRY_OF
from conveyor.domain.plan import Batch, Plan, ValidatedDrop, encode_plan
from conveyor.domain.status import Status
from conveyor.ledger.run_facts import Run
from conveyor.spend.index_entry import IndexEntry
from tests.support.desk_runs import ago
from tests.support.examples import RUN

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from tests.support.desk_runs import Puts

TICKETS = 40_000
_PASSES = range(250, 38_700, 280)
"""Tickets whose failures pass: they are in `retry.jsonl`."""
_STAYS = range(81, 39_600, 88)
"""Tickets that fail whenever they are sent."""


def write_files(bucket: Puts) -> None:
    """Write the files of `tickets-2026-11`, and of the run that has sent its `retry.jsonl` again."""
    run, again = ago(3, days=3, hours=1), ago(7, days=2)
    _write(bucket, _Ended("tickets-2026-11", run, {}), range(1, TICKETS + 1), [*_PASSES, *_STAYS])
    _write(bucket, _Ended("tickets-again", again, {RETRY_OF: run}), _PASSES, list(_PASSES[::17]))


def write_small(bucket: Puts, name: str) -> None:
    """Write the files of a run of three tickets, all of them answered, for the project `support`."""
    ended = _Ended(name, ago(8, days=1), {})
    _write(bucket, ended, range(1, 4), [])
    _put(bucket, IndexEntry("support", ended.run, Status.COMPLETED, 3, 3, 0, Decimal("0.01")).key, b"")


class _Ended(NamedTuple):
    name: str
    run: str
    metadata: dict[str, str]


def _write(bucket: Puts, ended: _Ended, tickets: Iterable[int], failed: list[int]) -> None:
    name, run, metadata = ended
    lines = list(tickets)
    drop = replace(RUN.drop, key=f"inbox/support/{name}.jsonl", metadata=metadata)
    fact = replace(RUN, run=run, name=name, project="support", drop=drop)
    _put(bucket, Run.key(run), msgspec.json.Encoder(decimal_format="number").encode(fact))
    batch = Batch(1, 1, 0, last_line=len(lines), requests=len(lines))
    _put(bucket, keys.plan(run), encode_plan(Plan(ValidatedDrop(len(lines), "f00", is_gated=True), [batch])))
    is_failed = set(failed).__contains__
    files = {
        keys.results(name, run): _lines(
            _result, [(at, each) for at, each in enumerate(lines, 1) if not is_failed(each)]
        ),
        keys.failures(name, run): _lines(_failure, [(at, each) for at, each in enumerate(lines, 1) if is_failed(each)]),
    }
    if again := [(at, each) for at, each in enumerate(lines, 1) if is_failed(each) and each not in _STAYS]:
        files[keys.retry(name, run)] = _lines(_request, again)
    counts = [data.count(b"\n") for data in files.values()]
    for key, data in files.items():
        _put(bucket, key, data)
    accounts = [
        {"key": key, "lines": data.count(b"\n"), "bytes": len(data), "sha256": sha256(data).hexdigest()}
        for key, data in files.items()
    ]
    about = {"requests": len(lines), "results": counts[0], "failures": counts[1], "not_run": 0, "files": accounts}
    receipt = {"run": run, "name": name, "status": "completed", **about}
    _put(bucket, keys.receipt(name, run), json.dumps(receipt, indent=2).encode())


def _lines(write: Callable[[int, int], dict[str, object]], tickets: list[tuple[int, int]]) -> bytes:
    return b"".join(json.dumps(write(*each), separators=(",", ":")).encode() + b"\n" for each in tickets)


def _result(_: int, ticket: int) -> dict[str, object]:
    return {
        "custom_id": f"ticket-{ticket}",
        "response": {"content": [{"type": "text", "text": "other"}]},
        "error": None,
    }


def _failure(line: int, ticket: int) -> dict[str, object]:
    error = {"type": "overloaded_error", "message": "Overloaded"}
    about = {"error": error, "line": line, "outcome": "errored", "retryable": ticket not in _STAYS}
    return {"custom_id": f"ticket-{ticket}", "response": None, **about}


def _request(_: int, ticket: int) -> dict[str, object]:
    return {"custom_id": f"ticket-{ticket}", "params": {"model": "claude-haiku-4-5"}}


def _put(bucket: Puts, key: str, data: bytes) -> None:
    bucket.put(key, data, {})
