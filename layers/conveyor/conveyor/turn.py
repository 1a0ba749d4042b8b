"""What one invocation has at hand when it works on one run."""

from dataclasses import dataclass
from datetime import datetime

from conveyor.api import BatchApi
from conveyor.invocation import Invocation
from conveyor.ledger import Ledger
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

    def now(self) -> datetime:
        """Return the time."""
        return self.invocation.now()
