"""What one invocation has at hand when it works on one run."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime

from conveyor.domain import keys
from conveyor.domain.drop import Source
from conveyor.domain.invocation import Invocation
from conveyor.domain.plan import Batch
from conveyor.domain.schedule import wait_seconds
from conveyor.jsonl.lines import Line, Stretch, read_lines, read_stretches
from conveyor.ledger.ledger import Ledger
from conveyor.ledger.records import Run
from conveyor.ledger.state import Facts
from conveyor.provider.protocol import BatchApi, Origin
from conveyor.provider.retry_after import Rest
from conveyor.s3.bucket import Storage


@dataclass(frozen=True, slots=True)
class Turn:
    """A run, and the doors to its ledger, its files and its provider."""

    run: Run
    ledger: Ledger
    storage: Storage
    api: BatchApi
    invocation: Invocation
    rest: Rest = field(default_factory=Rest)
    """Until when the provider is not asked; the api obeys it, and begins it."""

    def facts(self) -> Facts:
        """Read which facts there are; if the provider asked to be left alone for longer, it is, from here on."""
        facts = self.ledger.facts()
        until = facts.rests_until
        if until and until > self.now():
            self.rest.begin(until, self.ledger.rest(until).reason)
        return facts

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

    def stretches(self, batch: Batch) -> Iterator[Stretch]:
        """Read the lines of a batch from the drop, many at a time, invalid and blank ones included."""
        return read_stretches(self._chunks(batch), start=batch.first_byte)

    def lines(self, batch: Batch) -> Iterator[Line]:
        """Read the lines of a batch from the drop, one by one, invalid ones included."""
        return read_lines(self._chunks(batch), first=batch.first_line, start=batch.first_byte)

    def _chunks(self, batch: Batch) -> Iterator[bytes]:
        return self.storage.stream(self.source_of(batch), batch.first_byte, batch.end_byte)

    def usual_wait(self) -> int:
        """Return the seconds until it makes sense to look again, when nothing says better."""
        settings = self.run.settings
        elapsed = self.now() - self.run.drop.last_modified
        return wait_seconds(elapsed, settings.poll_min_seconds, settings.poll_max_seconds)

    def now(self) -> datetime:
        """Return the time."""
        return self.invocation.now()
