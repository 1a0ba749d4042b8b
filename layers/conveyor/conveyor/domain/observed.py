"""What one invocation of a function has seen of a run: its log line and its metrics are made of it.

Ids, counts, moments and words of ours: never a prompt, an answer, a credential, or the text of a provider's error.
"""

from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import NamedTuple

from conveyor.domain.keys import DEFAULT_PROJECT

NOTHING = "nothing"
"""What `waits_for` and `trouble_with` say in a log line of a run that does not wait, or has no trouble.

They are never absent: AWS does not document what `latest(waits_for)` finds if the latest line lacks it.
"""


class WaitsFor(StrEnum):
    """What a run waits for."""

    APPROVAL = "approval"
    """A person, at a closed gate."""
    ANSWERS = "answers"
    """The answers of its probe, for so long that the gate was closed."""
    BUDGET = "budget"
    """What its project may spend in a day."""
    ROOM = "room"
    """The provider's queue, or its rate limit."""
    DECISION = "decision"
    """A person's decision, or the provider's list: it is unknown whether a call created a batch."""


class TroubleWith(StrEnum):
    """What keeps failing."""

    CREDENTIALS = "credentials"
    UNAVAILABLE = "unavailable"
    """The provider cannot be reached, or has an error."""
    DROP = "drop"
    """The user's file cannot be read."""
    OTHER = "other"


class Wait(NamedTuple):
    """A run waits."""

    reason: WaitsFor
    since: datetime


class Failing(NamedTuple):
    """Something keeps failing."""

    at: TroubleWith
    reason: str
    """In words or by its technical name; no text of a provider."""
    since: datetime


class BatchCounts(NamedTuple):
    """How far the batches of a run are, its probe and its rounds included."""

    planned: int
    sent: int
    ended: int
    """Split, or given up."""


class FailureCause(NamedTuple):
    """Requests of a run that failed for one cause."""

    cause: str
    """The type of the error, as in the receipt."""
    requests: int


class Ended(NamedTuple):
    """How a run has ended."""

    status: str
    code: str | None
    """Why nothing, or nothing more, was sent, if that is so."""
    requests: int
    results: int
    failures: int
    cost_usd: Decimal | None
    """At the provider; None if no price is known."""
    causes: list[FailureCause]
    """The most frequent ones first."""
    no_page: str | None = None
    """Why there is no `report.html`, if there is none: type and place of the error."""


class Observed:
    """What one invocation has seen so far. Stages fill it in; nothing of the run depends on it."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self.run = ""
        self.upload = ""
        """The key of the file whose upload started the function."""
        self.project = DEFAULT_PROJECT
        self.budget = DEFAULT_PROJECT
        """The project, if `config/budgets.json` named it when the run began; else the default."""
        self.began_at: datetime | None = None
        """When the run began: when its drop was last modified."""
        self.batch: int | str | None = None
        """The batch that was sent or split, as the state machine names it."""
        self.wait: Wait | None = None
        self.failing: Failing | None = None
        self.batches: BatchCounts | None = None
        self.ended: Ended | None = None
        self.is_account_refused = False
        """Whether the run has ended, or waits, since the provider refuses the account or its key."""

    def is_about(self, run: str, project: str, budget: str) -> None:
        """Note which run it is."""
        self.run, self.project, self.budget = run, project, budget
