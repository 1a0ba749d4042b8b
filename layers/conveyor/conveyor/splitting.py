"""Results come in the provider's order under our ids; they leave in the user's order under the user's."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

import orjson

from conveyor import keys
from conveyor.api import BatchApi, Trouble
from conveyor.clients import Clients
from conveyor.drop import nonce
from conveyor.invocation import Invocation
from conveyor.line import raw_custom_id
from conveyor.lines import Line, read_lines
from conveyor.outcome import Error, Outcome, Result, failure, output_line
from conveyor.output import OutputFile
from conveyor.plan import Batch
from conveyor.records import Read, Run
from conveyor.spool import Spool, Stored
from conveyor.storage import Storage, Writer
from conveyor.tally import Tally
from conveyor.turn import Turn

ENOUGH_READS = 3
"""Complete, equal reads after which a line without result is `missing`."""


def split(event: dict[str, Any], clients: Clients, invocation: Invocation) -> dict[str, Any]:
    """Split the results of one ended batch into the user's files, unless that has been done.

    Returns {"batch": number, "status": "split" or, where lines lack that may still come, "reread"}.
    Raises ResultsUnreadable when the results could not be read to their end.
    """
    number: int = event["batch"]
    turn = clients.turn(event["run"], invocation)
    about = turn.ledger.facts().batches[number]
    if about.parted:
        return {"batch": number, "status": "split"}
    batch = turn.ledger.plan().batch(number)
    batch_id = turn.ledger.submitted(number).id
    tally = Tally()
    with Spool(batch, nonce(turn.run.run), tally) as spool:
        _collect(turn.api, batch_id, spool)
        missing = _missing(turn, batch, spool)
        if missing and not _is_settled(turn, number, about.reads, missing):
            return {"batch": number, "status": "reread"}
        files = _write(turn, batch, spool, tally)
    progress = turn.api.progress(batch_id)
    ended_at = None if isinstance(progress, Trouble) else progress.ended_at
    turn.ledger.write_part(number, tally.part(invocation.writer, turn.now(), files, ended_at))
    return {"batch": number, "status": "split"}


def _collect(api: BatchApi, batch_id: str, spool: Spool) -> None:
    with api.results(batch_id) as results:
        for result in results:
            spool.add(result)


def _lines(turn: Turn, batch: Batch) -> Iterator[Line]:
    chunks = turn.storage.stream(turn.run.drop, batch.first_byte, batch.end_byte)
    return read_lines(chunks, first=batch.first_line, start=batch.first_byte)


def _missing(turn: Turn, batch: Batch, spool: Spool) -> list[int]:
    """Return the lines that were sent and have no result."""
    if len(spool) == batch.requests:
        return []
    skipped = {line.line for line in batch.skipped}
    numbers = (line.number for line in _lines(turn, batch))
    return [number for number in numbers if number not in skipped and number not in spool]


def _is_settled(turn: Turn, batch: int, count: int, missing: list[int]) -> bool:
    """Tell whether enough reads agree on what lacks, this one included; if not, write this one down."""
    digest = sha256(repr(missing).encode()).hexdigest()
    reads = turn.ledger.reads(batch, count)
    again = readable_at(turn, reads)
    if again and again > turn.now():
        return False
    if [read.digest for read in reads[1 - ENOUGH_READS :]] == [digest] * (ENOUGH_READS - 1):
        return True
    turn.ledger.write_read(batch, count + 1, Read(turn.invocation.writer, turn.now(), len(missing), digest))
    return False


def readable_at(turn: Turn, reads: list[Read]) -> datetime | None:
    """Return from when on another read of results that lacked lines counts; None before the first."""
    return reads[-1].at + timedelta(seconds=turn.run.settings.reread_seconds) if reads else None


class _Outputs:
    """The user's files of one batch; they appear when the stack they were opened on ends without an exception."""

    def __init__(self, run: Run, storage: Storage, stack: ExitStack) -> None:
        self._storage, self._stack = storage, stack
        self._results = self._open(keys.results(run.name, run.run))
        self._failures = self._open(keys.failures(run.name, run.run))
        self._retry: Writer | None = None
        self._retry_key = keys.retry(run.name, run.run)
        self._own = run.settings.per_drop()  # copied along when the file is copied into inbox/

    def _open(self, key: str, metadata: Mapping[str, str] | None = None) -> Writer:
        return self._stack.enter_context(self._storage.writer(key, metadata))

    def add(self, line: Line, custom_id: bytes, stored: Stored) -> None:
        """Write a request's outcome, and its own line again where sending it again may help."""
        (self._results if stored.succeeded else self._failures).write(output_line(custom_id, stored.tail))
        if stored.retryable:
            if self._retry is None:
                self._retry = self._open(self._retry_key, self._own)
            self._retry.write((line.raw or b"") + b"\n")

    @property
    def writers(self) -> list[Writer]:
        """The writers of the files that exist."""
        return [self._results, self._failures, *([self._retry] if self._retry else [])]


def _write(turn: Turn, batch: Batch, spool: Spool, tally: Tally) -> list[OutputFile]:
    """Write all outcomes in step with the lines of the drop, and count those that no result told of."""
    skipped = {line.line: line for line in batch.skipped}
    with ExitStack() as stack:
        outputs = _Outputs(turn.run, turn.storage, stack)
        for line in _lines(turn, batch):
            if line.number in skipped:
                fault = skipped[line.number]
                stored = _unsent(line, failure(Outcome.INVALID, Error(fault.code, fault.message)), tally)
                outputs.add(line, orjson.dumps(fault.custom_id), stored)  # what of the line is not to be trusted
                continue
            found = line.number in spool
            stored = spool.find(line.number) if found else _unsent(line, failure(Outcome.MISSING), tally)
            outputs.add(line, raw_custom_id(line.raw or b""), stored)
    return [writer.account() for writer in outputs.writers]


def _unsent(line: Line, result: Result, tally: Tally) -> Stored:
    tally.add(result)
    return Stored.of(result, line.number)
