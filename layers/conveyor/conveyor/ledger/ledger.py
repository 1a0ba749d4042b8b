"""A run's memory: typed facts over S3."""

from datetime import datetime
from itertools import count
from typing import TypeVar

import msgspec

from conveyor.domain import keys
from conveyor.domain.plan import Plan, decode_plan, encode_plan
from conveyor.ledger.records import (
    Attempt,
    AttemptAbsent,
    AttemptRefused,
    AttemptUnknown,
    Cancel,
    Claim,
    Discarded,
    Duplicate,
    Foreign,
    Part,
    Read,
    Refusal,
    Rested,
    Run,
    Splitting,
    Stuck,
    Submitted,
    Unread,
    Validation,
)
from conveyor.ledger.state import Facts, facts_from
from conveyor.s3.bucket import Storage

_T = TypeVar("_T")
_encode = msgspec.json.Encoder().encode


class Ledger:
    """The facts of one run. Each `write_…` returns the fact that stands: the one given, or another's earlier one."""

    def __init__(self, storage: Storage, run: str) -> None:
        """Read nothing yet."""
        self._storage = storage
        self._run = run

    def facts(self) -> Facts:
        """Return which facts are written down: absence is concluded from this listing only."""
        return facts_from(self._run, self._storage.list(keys.ledger(self._run)))

    def run(self) -> Run:
        """Return the drop and the settings in force."""
        return self._read(keys.run(self._run), Run)

    def write_run(self, run: Run) -> Run:
        """Write down that this drop has been received."""
        return self._write(keys.run(self._run), run)

    def validation(self) -> Validation:
        """Return who validates, or did."""
        return self._read(keys.validation(self._run), Validation)

    def write_validation(self, validation: Validation) -> Validation:
        """Write down who validates."""
        return self._write(keys.validation(self._run), validation)

    def rest(self, until: datetime) -> Rested:
        """Return what the provider answered when it asked not to be called before a moment."""
        return self._read(keys.rest(self._run, until), Rested)

    def write_rest(self, rested: Rested) -> None:
        """Write down that the provider is not asked before a moment."""
        self._storage.put_if_absent(keys.rest(self._run, rested.until), _encode(rested))

    def refusal(self) -> Refusal:
        """Return why the drop is refused."""
        return self._read(keys.refused(self._run), Refusal)

    def write_refusal(self, refusal: Refusal) -> Refusal:
        """Write down that nothing more of this drop is sent."""
        return self._write(keys.refused(self._run), refusal)

    def plan(self) -> Plan:
        """Return what was checked and the batches of the drop."""
        return decode_plan(self._storage.get(keys.plan(self._run)))

    def write_plan(self, plan: Plan) -> None:
        """Write down the batches of the drop; another's plan is the same, since it follows from drop and settings."""
        self._storage.put_if_absent(keys.plan(self._run), encode_plan(plan))

    def attempt(self, batch: int, number: int) -> Attempt:
        """Return the intent of an attempt."""
        return self._read(keys.attempt(self._run, batch, number), Attempt)

    def write_attempt(self, batch: int, number: int, attempt: Attempt) -> Attempt:
        """Write down the intent to pay. Whoever gets back another's intent must not pay."""
        return self._write(keys.attempt(self._run, batch, number), attempt)

    def attempt_refused(self, batch: int, number: int) -> AttemptRefused:
        """Return why the provider did not take an attempt."""
        return self._read(keys.attempt_refused(self._run, batch, number), AttemptRefused)

    def write_attempt_refused(self, batch: int, number: int, refused: AttemptRefused) -> AttemptRefused:
        """Write down that the provider surely did not take an attempt."""
        return self._write(keys.attempt_refused(self._run, batch, number), refused)

    def claim_attempt(self, batch: int, number: int, writer: str) -> bool:
        """Take the right to make a paid call; False where this attempt was made before, in a ledger that is gone."""
        key = keys.claimed_attempt(self._run, batch, number)
        return self._storage.put_once(key, writer.encode()) == writer.encode()

    def attempt_unknown(self, batch: int, number: int) -> AttemptUnknown:
        """Return since when an attempt is over, of which the answer does not tell what became of it."""
        return self._read(keys.attempt_unknown(self._run, batch, number), AttemptUnknown)

    def write_attempt_unknown(self, batch: int, number: int, unknown: AttemptUnknown) -> AttemptUnknown:
        """Write down that an attempt is over and may or may not have created a batch."""
        return self._write(keys.attempt_unknown(self._run, batch, number), unknown)

    def write_attempt_absent(self, batch: int, number: int, absent: AttemptAbsent) -> AttemptAbsent:
        """Write down that an attempt created no batch."""
        return self._write(keys.attempt_absent(self._run, batch, number), absent)

    def attempt_failed(self, batch: int, number: int) -> AttemptRefused:
        """Return why the provider ran nothing of an attempt it had taken."""
        return self._read(keys.attempt_failed(self._run, batch, number), AttemptRefused)

    def write_attempt_failed(self, batch: int, number: int, failed: AttemptRefused) -> AttemptRefused:
        """Write down that the provider took an attempt, and ran nothing of it: another may follow."""
        return self._write(keys.attempt_failed(self._run, batch, number), failed)

    def submitted(self, batch: int, take: int) -> Submitted:
        """Return the provider's batch."""
        return self._read(keys.batch(self._run, batch, take), Submitted)

    def write_submitted(self, batch: int, take: int, submitted: Submitted) -> Submitted:
        """Write down the provider's batch."""
        return self._write(keys.batch(self._run, batch, take), submitted)

    def write_discarded(self, batch: int, discarded: Discarded) -> Discarded:
        """Write down that the provider keeps nothing more of a batch, or that it will not be asked again."""
        return self._write(keys.discarded(self._run, batch), discarded)

    def discarded(self, batch: int) -> Discarded:
        """Return what became of the files of a batch at the provider."""
        return self._read(keys.discarded(self._run, batch), Discarded)

    def write_duplicate(self, batch: int, batch_id: str, duplicate: Duplicate) -> None:
        """Write down a second batch of ours, which is being cancelled."""
        self._write(keys.duplicate(self._run, batch, batch_id), duplicate)

    def write_foreign(self, batch: int, batch_id: str, foreign: Foreign) -> None:
        """Write down that a batch of our size is another's."""
        self._write(keys.foreign(self._run, batch, batch_id), foreign)

    def cancel(self, batch: int) -> Cancel:
        """Return since when a batch is being cancelled."""
        return self._read(keys.cancel(self._run, batch), Cancel)

    def write_cancel(self, batch: int, cancel: Cancel) -> Cancel:
        """Write down that a batch is being cancelled."""
        return self._write(keys.cancel(self._run, batch), cancel)

    def splitting(self, batch: int, number: int) -> Splitting:
        """Return who splits a batch, and until when."""
        return self._read(keys.splitting(self._run, batch, number), Splitting)

    def write_splitting(self, batch: int, number: int, splitting: Splitting) -> Splitting:
        """Write down the intent to split. Whoever gets back another's intent must not write outputs."""
        return self._write(keys.splitting(self._run, batch, number), splitting)

    def unread(self, batch: int, number: int) -> Unread:
        """Return why a split came to nothing."""
        return self._read(keys.unread(self._run, batch, number), Unread)

    def write_unread(self, batch: int, number: int, unread: Unread) -> Unread:
        """Write down that a split came to nothing."""
        return self._write(keys.unread(self._run, batch, number), unread)

    def stuck(self, batch: int) -> Stuck:
        """Return why a batch was given up without its results."""
        return self._read(keys.stuck(self._run, batch), Stuck)

    def write_stuck(self, batch: int, stuck: Stuck) -> Stuck:
        """Write down that a batch is given up without its results."""
        return self._write(keys.stuck(self._run, batch), stuck)

    def claim_content(self, content: str, again: str | None = None) -> str | None:
        """Take the first free place among the runs that had some content; return the run that has it already, if any.

        A run that was refused has paid nothing, and makes room for the next. `again`: the word by which a person wants
        it run once more. One that an earlier run bears does not count: a copy of an object bears its metadata.
        """
        for number in count(1):
            other = self._storage.put_once(keys.dropped(content, number), self._run.encode()).decode()
            if other == self._run:
                return None
            facts = Ledger(self._storage, other).facts()
            has_run = not facts.refused or facts.may_have_paid
            if has_run and (again is None or self._again_of(other) == again):
                return other
        raise AssertionError

    def _again_of(self, run: str) -> str | None:
        """Return the word that a run bears; None also for one whose ledger is gone."""
        data = self._storage.find(keys.run(run))
        return msgspec.json.decode(data, type=Run).drop.again if data else None

    def owner(self, batch_id: str) -> Claim | None:
        """Return who claims one of the provider's batches; None proves nothing."""
        data = self._storage.find(keys.claim(batch_id))
        return msgspec.json.decode(data, type=Claim) if data is not None else None

    def claim(self, batch_id: str, batch: int) -> Claim:
        """Tell others that a batch at the provider is ours, unless it is another's; return who has it."""
        return self._write(keys.claim(batch_id), Claim(self._run, batch))

    def write_claim(self, batch_id: str, batch: int) -> None:
        """Tell others that a batch at the provider is ours; submit, which does this too, may not read these claims."""
        self._storage.put_if_absent(keys.claim(batch_id), _encode(Claim(self._run, batch)))

    def read(self, batch: int, number: int) -> Read:
        """Return one complete read of a batch's results that lacked lines."""
        return self._read(keys.read(self._run, batch, number), Read)

    def write_read(self, batch: int, number: int, read: Read) -> Read:
        """Write down one complete read of results that lacked lines."""
        return self._write(keys.read(self._run, batch, number), read)

    def part(self, batch: int) -> Part:
        """Return the account of a batch."""
        return self._read(keys.part(self._run, batch), Part)

    def write_part(self, batch: int, part: Part) -> Part:
        """Write down the account of a batch."""
        return self._write(keys.part(self._run, batch), part)

    def _read(self, key: str, kind: type[_T]) -> _T:
        return msgspec.json.decode(self._storage.get(key), type=kind)

    def _write(self, key: str, fact: _T) -> _T:
        return msgspec.json.decode(self._storage.put_once(key, _encode(fact)), type=type(fact))
