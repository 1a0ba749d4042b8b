"""What one invocation uses to work on one run."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime

from conveyor.domain import keys
from conveyor.domain.drop import Source
from conveyor.domain.invocation import Invocation
from conveyor.domain.plan import Batch
from conveyor.domain.schedule import wait_seconds
from conveyor.jsonl.lines import Line, LineBlock, read_blocks, read_lines
from conveyor.ledger.claims import Claims
from conveyor.ledger.ledger import Ledger
from conveyor.ledger.run_facts import RetryAfterAnswer, Run
from conveyor.ledger.state import RunState
from conveyor.provider.protocol import BatchApi, Origin
from conveyor.provider.retry_after import RetryAfter
from conveyor.s3.bucket import Bucket


@dataclass(frozen=True, slots=True)
class RunContext:
    """A run, its ledger, the bucket, the provider's API, and the invocation that works on it."""

    run: Run
    ledger: Ledger
    bucket: Bucket
    api: BatchApi
    invocation: Invocation
    retry_after: RetryAfter = field(default_factory=RetryAfter)
    """Until when the provider is not called; `api` respects it, and starts it when a response asks for it."""
    leg: str = ""
    """Whose batches it works on; empty for those of the drop itself."""

    def of_leg(self, leg: str) -> "RunContext":
        """Return the same for the batches of a leg: they have facts, claims, lines and wire ids of their own."""
        return self if leg == self.leg else replace(self, leg=leg, ledger=self.ledger.of_leg(leg))

    @property
    def leg_id(self) -> str:
        """What its batches are sent under, claimed and recognised by."""
        return keys.leg_id(self.run.run, self.leg)

    @property
    def content_prefix(self) -> str:
        """The prefix of what is no fact."""
        return keys.leg_content(self.run.content_prefix, self.leg)

    def run_state(self) -> RunState:
        """List the ledger. If the provider asked not to be called until later, it is not called from here on."""
        run_state = self.ledger.run_state()
        until = run_state.retry_after_until
        if until and until > self.now():
            self.retry_after.wait_until(until, self.ledger.read(RetryAfterAnswer, until).reason)
        return run_state

    @property
    def writer(self) -> str:
        """The id of this invocation, in every fact that it writes."""
        return self.invocation.writer

    @property
    def claims(self) -> Claims:
        """The claims of the run, or of the leg."""
        return Claims(self.bucket, self.leg_id, self.run.project)

    def source(self, *, unpacked: bool) -> Source:
        """Return the object with the lines of the drop, once it is validated."""
        return Source(keys.unpacked(self.run.content_prefix)) if unpacked else self.run.drop.source

    def source_of(self, batch: Batch) -> Source:
        """Return the object with the lines of a batch."""
        if self.leg:
            return Source(keys.leg_lines(self.run.content_prefix, self.leg))
        unpacked = self.run.drop.is_named_packed if batch.unpacked is None else batch.unpacked
        return self.source(unpacked=unpacked)

    def origin(self, batch: Batch) -> Origin:
        """Return what identifies a batch at the provider."""
        return Origin(self.leg_id, batch.number, self.run.drop.last_modified)

    def blocks(self, batch: Batch) -> Iterator[LineBlock]:
        """Read the lines of a batch, many at a time, including invalid and blank ones."""
        return read_blocks(self._chunks(batch), start=batch.first_byte)

    def lines(self, batch: Batch) -> Iterator[Line]:
        """Read the lines of a batch, one by one, including invalid ones."""
        return read_lines(self._chunks(batch), first=batch.first_line, start=batch.first_byte)

    def _chunks(self, batch: Batch) -> Iterator[bytes]:
        return self.bucket.stream(self.source_of(batch), batch.first_byte, batch.end_byte)

    def usual_wait(self) -> int:
        """Return the usual number of seconds until the next poll."""
        settings = self.run.settings
        elapsed = self.now() - self.run.drop.last_modified
        return wait_seconds(elapsed, settings.poll_min_seconds, settings.poll_max_seconds)

    def now(self) -> datetime:
        """Return the current time."""
        return self.invocation.now()
