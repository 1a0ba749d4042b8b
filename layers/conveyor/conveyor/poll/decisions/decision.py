"""What a batch or a run needs next: values, which hold the facts to write and the requests to make as data."""

from datetime import datetime
from typing import NamedTuple

from conveyor.domain.plan import Plan
from conveyor.domain.schedule import BatchName, Next
from conveyor.gates.gate import Held
from conveyor.ledger.state import RunState
from conveyor.provider.protocol import NotRun


class Undecided(NamedTuple):
    """An attempt of which it is unknown whether it created a batch."""

    batch: int
    attempt: int
    doubtful: tuple[str, ...]
    """Batches at the provider that may be it."""
    leg: str = ""
    """Whose batch it is; empty for one of the drop itself."""


class Risk(NamedTuple):
    """A batch that has not ended long after it was sent."""

    batch_id: str
    requests: int
    since: datetime
    """When three quarters of its completion window had passed."""
    expires: datetime
    """When its requests without a response expire."""


class CancelBatch(NamedTuple):
    """Ask the provider to end a batch."""

    batch_id: str
    is_first: bool
    """Whether the fact that it is being cancelled must be written first."""


class GiveUp(NamedTuple):
    """Write down that the results of a batch cannot be read, and why; the run continues with its other batches."""

    message: str


class FailAttempt(NamedTuple):
    """Write down that the provider accepted a batch and ran none of its requests; another attempt may follow."""

    not_run: NotRun


type Action = CancelBatch | GiveUp | FailAttempt


type Decisions = dict[BatchName, "Decision"]
"""By batch; under `RUN`, the decision about the run."""


class Decision(NamedTuple):
    """What one batch, or the run, needs. `until`: the moment before which it needs nothing."""

    next: Next
    until: datetime | None = None
    trouble: str | None = None
    """Why a request to the provider failed."""
    undecided: Undecided | None = None
    """What a person could decide meanwhile."""
    is_answer: bool = False
    """True where the trouble is with something that a person has just written under `control/`."""
    risk: Risk | None = None
    """Of a batch that has not ended, as far as is known, and is not being cancelled."""
    ends: datetime | None = None
    """Where the provider does not know the batch, or the file with its results: when the batch is given up."""
    held: Held | None = None
    """The gate at which the run stands."""
    action: Action | None = None
    """What must be written or requested first."""
    failed: tuple[str, ...] = ()
    """Why requests that poll made in this very check failed; of other trouble a fact of the ledger says why."""
    is_skipped: bool = False
    """Whether the provider was not asked about the batch in this check: nothing is known of it."""


class Checked(NamedTuple):
    """What one check of a run has found."""

    decisions: Decisions
    run_state: RunState
    """Which facts existed when its gate was settled."""
    plan: Plan | None = None
    """None for a run that has none yet."""

    @property
    def held(self) -> Held | None:
        """The gate at which the run stands."""
        return next((decision.held for decision in self.decisions.values() if decision.held), None)
