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
from conveyor.records import BatchFacts, Read, Run, Splitting, Unread
from conveyor.spool import Spool, Stored
from conveyor.storage import Storage, Writer
from conveyor.tally import Tally
from conveyor.turn import Turn

ENOUGH_READS = 3
"""Complete, equal reads after which a line without result is `missing`."""
_SHORTEST_PAUSE, _LONGEST_PAUSE = 30, 3600
"""Seconds between reads that break off."""
_MOST_NAMED = 1000


class AnotherSplits(Exception):
    """Another invocation splits this batch, or did when it was broken off; two would mix their outputs."""


def split(event: dict[str, Any], clients: Clients, invocation: Invocation) -> dict[str, Any]:
    """Split the results of one ended batch into the user's files, unless that has been done.

    Returns {"batch": number, "status": "split", or "reread" where lines lack that may still come, or "unread" where the
    results could not be read to their end}. Raises AnotherSplits, so that the machine tries again later.
    """
    number: int = event["batch"]
    turn = clients.turn(event["run"], invocation)
    about = turn.ledger.facts().batches[number]
    if about.parted:
        return {"batch": number, "status": "split"}
    again = reread_at(turn, number, about)
    if again and again > turn.now():
        return {"batch": number, "status": "reread"}
    mine = _begin(turn, number, about)
    try:
        status = _split(turn, number, about, mine)
    except ResultsUnreadable as error:
        turn.ledger.write_unread(number, mine, Unread(invocation.writer, turn.now(), str(error)))
        return {"batch": number, "status": "unread"}
    except Exception as error:
        turn.ledger.write_unread(number, mine, Unread(invocation.writer, turn.now(), type(error).__name__))
        raise  # and the next one may begin at once
    return {"batch": number, "status": status}


def _begin(turn: Turn, batch: int, about: BatchFacts) -> int:
    """Write down the intent to split, and return its number. Raises AnotherSplits."""
    last = about.splits
    if last and last not in about.reads | about.unreads:
        before = turn.ledger.splitting(batch, last)
        if before.not_after > turn.now():
            raise AnotherSplits(f"batch {batch} is being split, until {before.not_after:%H:%M:%S} at the latest")
    mine = Splitting(turn.invocation.writer, turn.now(), turn.invocation.not_after)
    if turn.ledger.write_splitting(batch, last + 1, mine).writer != mine.writer:
        raise AnotherSplits(f"batch {batch} is being split by another invocation since this moment")
    return last + 1


def _split(turn: Turn, number: int, about: BatchFacts, mine: int) -> str:
    batch = turn.ledger.plan().batch(number)
    batch_id = turn.ledger.submitted(number).id
    tally = Tally()
    with Spool(batch, nonce(turn.run.run), tally) as spool:
        with turn.api.results(batch_id) as results:
            for result in results:
                spool.add(result)
        missing = _missing(turn, batch, spool)
        if missing and not _is_settled(turn, number, about, mine, missing):
            return "reread"
        files, unaccounted = _write(turn, batch, spool, tally)
        if tally.foreign or tally.repeated:
            _keep_aside(turn, number, spool)
    progress = turn.api.progress(batch_id)
    ended_at = None if isinstance(progress, Trouble) else progress.ended_at
    part = tally.part(turn.invocation.writer, turn.now(), files, ended_at, unaccounted)
    turn.ledger.write_part(number, part)
    return "split"


def _missing(turn: Turn, batch: Batch, spool: Spool) -> list[int]:
    """Return the lines that were sent and have no result."""
    if len(spool) == batch.requests:
        return []
    skipped = {line.line for line in batch.skipped}
    numbers = (line.number for line in turn.lines(batch))
    return [number for number in numbers if number not in skipped and number not in spool]


def _is_settled(turn: Turn, batch: int, about: BatchFacts, mine: int, missing: list[int]) -> bool:
    """Tell whether enough reads agree on what lacks, this one included; if not, write this one down."""
    digest = sha256(repr(missing).encode()).hexdigest()
    before = [turn.ledger.read(batch, number).digest for number in sorted(about.reads)[1 - ENOUGH_READS :]]
    if before == [digest] * (ENOUGH_READS - 1):
        return True
    turn.ledger.write_read(batch, mine, Read(turn.invocation.writer, turn.now(), len(missing), digest))
    return False


def reread_at(turn: Turn, batch: int, about: BatchFacts) -> datetime | None:
    """Return from when on another read of results that lacked lines counts; None before the first."""
    if not about.reads:
        return None
    return turn.ledger.read(batch, max(about.reads)).at + timedelta(seconds=turn.run.settings.reread_seconds)


def unread_until(turn: Turn, batch: int, about: BatchFacts) -> tuple[datetime, str] | None:
    """Return until when results rest after splits that came to nothing, ever longer, and why the last one did."""
    if not about.unreads:
        return None
    last = turn.ledger.unread(batch, max(about.unreads))
    pause = min(_SHORTEST_PAUSE << min(len(about.unreads) - 1, 10), _LONGEST_PAUSE)
    return last.at + timedelta(seconds=pause), last.reason


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


def _write(turn: Turn, batch: Batch, spool: Spool, tally: Tally) -> tuple[list[OutputFile], list[int]]:
    """Write all outcomes in step with the lines of the drop, and count those that no result told of.

    Returns the files, and the lines that have a result and were not met: none, unless plan and drop do not agree.
    """
    skipped = {line.line: line for line in batch.skipped}
    found = 0
    with ExitStack() as stack:
        outputs = _Outputs(turn.run, turn.storage, stack)
        for line in turn.lines(batch):
            if line.number in skipped:
                fault = skipped[line.number]
                stored = _unsent(line, failure(Outcome.INVALID, Error(fault.code, fault.message)), tally)
                outputs.add(line, orjson.dumps(fault.custom_id), stored)  # what of the line is not to be trusted
                continue
            if line.number in spool:
                stored = spool.find(line.number)
                found += 1
            else:
                stored = _unsent(line, failure(Outcome.MISSING), tally)
            outputs.add(line, raw_custom_id(line.raw or b""), stored)
    files = [writer.account() for writer in outputs.writers]
    return files, [] if found == len(spool) else _unmet(turn, batch, spool)


def _unmet(turn: Turn, batch: Batch, spool: Spool) -> list[int]:
    met = {line.number for line in turn.lines(batch)}
    return sorted(line for line in spool if line not in met)[:_MOST_NAMED]


def _keep_aside(turn: Turn, batch: int, spool: Spool) -> None:
    with turn.storage.writer(keys.aside(turn.run.run, batch)) as writer:
        for line in spool.aside_lines():
            writer.write(line)


def _unsent(line: Line, result: Result, tally: Tally) -> Stored:
    tally.add(result)
    return Stored.of(result, line.number)
