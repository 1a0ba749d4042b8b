"""What one invocation has at hand when it works on one run."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from conveyor.api import BatchApi
from conveyor.invocation import Invocation
from conveyor.ledger import Ledger
from conveyor.lines import Line, read_lines
from conveyor.plan import Batch
from conveyor.records import Run
from conveyor.storage import Storage


@dataclass(frozen=True, slots=True)
class Turn:
    """A run, and the doors to its ledger, its files and its provider."""

    run: Run
    ledger: Ledger
    storage: Storage
    api: BatchApi
    invocation: Invocation

    def lines(self, batch: Batch) -> Iterator[Line]:
        """Read the lines of a batch from the drop, invalid ones included."""
        chunks = self.storage.stream(self.run.drop, batch.first_byte, batch.end_byte)
        return read_lines(chunks, first=batch.first_line, start=batch.first_byte)

    def now(self) -> datetime:
        """Return the time."""
        return self.invocation.now()
