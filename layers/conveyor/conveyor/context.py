"""What one invocation has at hand when it works on one run."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime

from conveyor.domain import keys
from conveyor.domain.drop import Source
from conveyor.domain.invocation import Invocation
from conveyor.domain.plan import Batch
from conveyor.domain.schedule import wait_seconds
from conveyor.jsonl.lines import Line, LineBlock, read_blocks, read_lines
from conveyor.ledger.claims import Claims
from conveyor.ledger.fact import moment_place
from conveyor.ledger.ledger import Ledger
from conveyor.ledger.records import RetryAfterAnswer, Run
from conveyor.ledger.state import RunState
from conveyor.provider.protocol import BatchApi, Origin
from conveyor.provider.retry_after import RetryAfter
from conveyor.s3.bucket import Bucket


@dataclass(frozen=True, slots=True)
class RunContext:
    """A run, and the doors to its ledger, its files and its provider."""

    run: Run
    ledger: Ledger
    bucket: Bucket
    api: BatchApi
    invocation: Invocation
    retry_after: RetryAfter = field(default_factory=RetryAfter)
    """Until when the provider is not asked; the api obeys it, and begins it."""

    def run_state(self) -> RunState:
        """Read which facts there are; if the provider asked to be left alone for longer, it is, from here on."""
        run_state = self.ledger.run_state()
        until = run_state.retry_after_until
        if until and until > self.now():
            self.retry_after.begin(until, self.ledger.read(RetryAfterAnswer, moment_place(until)).reason)
        return run_state

    @property
    def writer(self) -> str:
        """Who writes what this invocation writes down."""
        return self.invocation.writer

    @property
    def claims(self) -> Claims:
        """What the run claims for itself."""
        return Claims(self.bucket, self.run.run)

    def source(self, *, unpacked: bool) -> Source:
        """Return where the lines of the drop are read once they are checked."""
        return Source(keys.unpacked(self.run.run)) if unpacked else self.run.drop.source

    def source_of(self, batch: Batch) -> Source:
        """Return where the lines of a batch are read."""
        unpacked = self.run.drop.is_named_packed if batch.unpacked is None else batch.unpacked
        return self.source(unpacked=unpacked)

    def origin(self, batch: Batch) -> Origin:
        """Return what the provider is told of a batch."""
        return Origin(self.run.run, batch.number, self.run.drop.last_modified)

    def blocks(self, batch: Batch) -> Iterator[LineBlock]:
        """Read the lines of a batch from the drop, many at a time, invalid and blank ones included."""
        return read_blocks(self._chunks(batch), start=batch.first_byte)

    def lines(self, batch: Batch) -> Iterator[Line]:
        """Read the lines of a batch from the drop, one by one, invalid ones included."""
        return read_lines(self._chunks(batch), first=batch.first_line, start=batch.first_byte)

    def _chunks(self, batch: Batch) -> Iterator[bytes]:
        return self.bucket.stream(self.source_of(batch), batch.first_byte, batch.end_byte)

    def usual_wait(self) -> int:
        """Return the seconds until it makes sense to look again, when nothing says better."""
        settings = self.run.settings
        elapsed = self.now() - self.run.drop.last_modified
        return wait_seconds(elapsed, settings.poll_min_seconds, settings.poll_max_seconds)

    def now(self) -> datetime:
        """Return the time."""
        return self.invocation.now()
