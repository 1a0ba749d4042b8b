"""Facts about rounds: lines whose failure may pass are sent again, and their outcomes replace the earlier ones."""

from datetime import datetime

import msgspec

from conveyor.domain.output_file import OutputFile
from conveyor.ledger.fact import BatchFact, Fact, Place
from conveyor.ledger.failure_counts import ErrorKind


class Round(Fact, frozen=True):
    """`round-<r>.json`: the lines of some batches that are worth it are sent again, not before `not_before`."""

    KIND = "round"
    PLACE = Place.NUMBER
    STATE_FIELD = "rounds"

    writer: str
    at: datetime
    not_before: datetime
    requests: int
    sources: list[str | int]
    """The batches whose lines it sends, in the order of the drop (`BatchName.to_event`)."""


class Again(BatchFact, frozen=True):
    """`again.json`: so many requests of a batch failed for reasons that may pass. Their lines are kept for a round."""

    KIND = "again"
    STATE_FIELD = "has_again"

    writer: str
    at: datetime
    requests: int


class AccountRefused(BatchFact, frozen=True):
    """`account.json`: results of a batch say that the account is refused: a person must look before more is paid."""

    KIND = "account"
    STATE_FIELD = "account_refused"

    writer: str
    at: datetime
    causes: dict[str, int]
    """Requests by what a person must fix (`domain.refusal.Cause`)."""


class Merged(BatchFact, frozen=True):
    """`merged.json`: the parts of a range were written once more, with the outcomes of rounds in place of failures."""

    KIND = "merged"
    STATE_FIELD = "merged"

    writer: str
    at: datetime
    files: list[OutputFile]
    """In place of those of `part.json`."""
    lines: int
    """How many lines of it rounds have sent again."""
    outcomes: dict[str, int]
    """Earlier outcomes that were replaced, in whatever leg: they count no more."""
    retryable: int
    """How many of them were worth sending again by a person."""
    errors: dict[str, ErrorKind] = msgspec.field(default_factory=dict)
    """The same by the type of the error, without texts."""
    sent_again: dict[str, int] = msgspec.field(default_factory=dict)
    """The same by the batch that had the earlier outcome (`BatchName`). Empty in facts of earlier versions."""
