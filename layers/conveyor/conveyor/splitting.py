"""Results come in the provider's order under our ids; they leave in the user's order under the user's."""

from collections.abc import Mapping
from contextlib import ExitStack
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

import orjson

from conveyor import keys
from conveyor.api import ResultsUnreadable, Trouble
from conveyor.clients import Clients
from conveyor.drop import nonce
from conveyor.invocation import Invocation
from conveyor.line import raw_custom_id
from conveyor.lines import Line
from conveyor.outcome import Error, Outcome, Result, failure, output_line
from conveyor.output import OutputFile
from conveyor.plan import Batch
from conveyor.records import BatchFacts, Read, Run, Unread
from conveyor.spool import Spool, Stored
from conveyor.storage import Storage, Writer
from conveyor.tally import Tally
from conveyor.turn import Turn

ENOUGH_READS = 3
"""Complete, equal reads after which a line without result is `missing`."""
_SHORTEST_PAUSE, _LONGEST_PAUSE = 30, 3600
"""Seconds between reads that break off."""


def split(event: dict[str, Any], clients: Clients, invocation: Invocation) -> dict[str, Any]:
    """Split the results of one ended batch into the user's files, unless that has been done.

    Returns {"batch": number, "status": "split", or "reread" where lines lack that may still come, or "unread" where the
    results could not be read to their end}.
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
        if not _collect(turn, number, about.unreads + 1, batch_id, spool):
            return {"batch": number, "status": "unread"}
        missing = _missing(turn, batch, spool)
        if missing and not _is_settled(turn, number, about, missing):
            return {"batch": number, "status": "reread"}
        files = _write(turn, batch, spool, tally)
        if tally.foreign or tally.repeated:
            _keep_aside(turn, number, spool)
    progress = turn.api.progress(batch_id)
    ended_at = None if isinstance(progress, Trouble) else progress.ended_at
    turn.ledger.write_part(number, tally.part(invocation.writer, turn.now(), files, ended_at))
    return {"batch": number, "status": "split"}


def _collect(turn: Turn, batch: int, number: int, batch_id: str, spool: Spool) -> bool:
    """Read all results; where that breaks off, write it down, so that the next read is not made at once."""
    try:
        with turn.api.results(batch_id) as results:
            for result in results:
                spool.add(result)
    except ResultsUnreadable as error:
        turn.ledger.write_unread(batch, number, Unread(turn.invocation.writer, turn.now(), str(error)))
        return False
    return True


def _missing(turn: Turn, batch: Batch, spool: Spool) -> list[int]:
    """Return the lines that were sent and have no result."""
    if len(spool) == batch.requests:
        return []
    skipped = {line.line for line in batch.skipped}
    numbers = (line.number for line in turn.lines(batch))
    return [number for number in numbers if number not in skipped and number not in spool]


def _is_settled(turn: Turn, batch: int, about: BatchFacts, missing: list[int]) -> bool:
    """Tell whether enough reads agree on what lacks, this one included; if not, write this one down."""
    digest = sha256(repr(missing).encode()).hexdigest()
    again = reread_at(turn, batch, about)
    if again and again > turn.now():
        return False
    reads = turn.ledger.reads(batch, about.reads)
    if [read.digest for read in reads[1 - ENOUGH_READS :]] == [digest] * (ENOUGH_READS - 1):
        return True
    read = Read(turn.invocation.writer, turn.now(), len(missing), digest)
    turn.ledger.write_read(batch, about.reads + 1, read)
    return False


def reread_at(turn: Turn, batch: int, about: BatchFacts) -> datetime | None:
    """Return from when on another read of results that lacked lines counts; None before the first."""
    reads = turn.ledger.reads(batch, about.reads)
    return reads[-1].at + timedelta(seconds=turn.run.settings.reread_seconds) if reads else None


def readable_at(turn: Turn, batch: int, about: BatchFacts) -> datetime | None:
    """Return when results are read again after a read that broke off, ever later; None where none did."""
    if not about.unreads:
        return None
    pause = min(_SHORTEST_PAUSE << min(about.unreads - 1, 10), _LONGEST_PAUSE)
    return turn.ledger.unread(batch, about.unreads).at + timedelta(seconds=pause)


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
        for line in turn.lines(batch):
            if line.number in skipped:
                fault = skipped[line.number]
                stored = _unsent(line, failure(Outcome.INVALID, Error(fault.code, fault.message)), tally)
                outputs.add(line, orjson.dumps(fault.custom_id), stored)  # what of the line is not to be trusted
                continue
            found = line.number in spool
            stored = spool.find(line.number) if found else _unsent(line, failure(Outcome.MISSING), tally)
            outputs.add(line, raw_custom_id(line.raw or b""), stored)
    return [writer.account() for writer in outputs.writers]


def _keep_aside(turn: Turn, batch: int, spool: Spool) -> None:
    with turn.storage.writer(keys.aside(turn.run.run, batch)) as writer:
        for line in spool.aside_lines():
            writer.write(line)


def _unsent(line: Line, result: Result, tally: Tally) -> Stored:
    tally.add(result)
    return Stored.of(result, line.number)
