"""Facts of a run."""

from datetime import UTC, datetime
from decimal import Decimal

import msgspec

from conveyor.domain import keys
from conveyor.domain.drop import HOLD, HOLD_ALWAYS, MAX_USD, PROBE, PROJECT, RETRY_OF, STAMP, Drop
from conveyor.domain.findings import Findings
from conveyor.domain.output_file import OutputFile
from conveyor.file_types.conversion import Conversion
from conveyor.ledger.fact import Fact, Place
from conveyor.money.estimate import Estimate
from conveyor.settings.amounts import read_limit
from conveyor.settings.settings import Settings


class Run(Fact, frozen=True):
    """`run.json`: the drop, and the settings in force for the run's whole life."""

    KIND = "run"

    run: str
    name: str
    drop: Drop
    settings: Settings
    problem: str | None = None
    """Why the drop will be refused, if that is known before its lines are read."""
    code: str = "unreadable"
    """The code of the refusal, if there is a problem."""
    project: str = keys.DEFAULT_PROJECT
    """Who the run is for."""
    config_faults: tuple[str, ...] = ()
    """What was wrong under `config/` when the run began, one sentence for each file."""

    budget: str = keys.DEFAULT_PROJECT
    """Under which project it is counted: its own if `config/budgets.json` named that when the run began, else the
    default."""
    content: str = ""
    """The prefix of what is no fact: prompts, answers, the provider's words. Empty in runs of earlier versions."""
    key_secret: str = ""
    """The name of the secret with the API key, for a command in a message. Empty in runs of earlier versions."""

    @property
    def content_prefix(self) -> str:
        """The prefix of what is no fact. Earlier versions kept it in the ledger."""
        return self.content or keys.ledger(self.run)

    @property
    def max_usd(self) -> Decimal | None:
        """US dollars that the run may cost without an approval, by the drop's metadata; None if it names no limit."""
        return read_limit(self.drop.metadata.get(MAX_USD, ""))

    @property
    def carried_metadata(self) -> dict[str, str]:
        """Metadata for lines that are sent again: the same settings, and what else the drop's own metadata asked for.

        That is its project, to wait for an approval, whether to send a probe, and what it may cost; and whose lines
        they are.
        """
        given = self.drop.metadata | {PROJECT: self.project, HOLD: HOLD_ALWAYS}
        asked = {name: given[name] for name in (PROJECT, HOLD, PROBE, MAX_USD) if name in self.drop.metadata}
        return self.settings.per_drop() | asked | {RETRY_OF: self.run}


class Joining(Fact, frozen=True):
    """`joining-<file>-<n>.json`: a file is joined in this upload, with which any function may go on.

    Another follows if that one is gone (S3 removes it after a day), or is for other pieces.
    """

    KIND = "joining"
    PLACE = Place.ID
    STATE_FIELD = "joinings"

    writer: str
    at: datetime
    upload_id: str
    pieces: str = ""
    """The fingerprint of its pieces. For other pieces another upload is begun: another release may cut otherwise."""


class Validation(Fact, frozen=True):
    """`validation.json`: the function that the upload started is validating; it has ended by `not_after`."""

    KIND = "validation"
    STATE_FIELD = "validating"

    writer: str
    at: datetime
    not_after: datetime


class WaitingRun(msgspec.Struct, frozen=True):
    """A run that waits for an approval, and what opens its gate."""

    run: str
    key: str
    """Of the object in which a person approves it."""
    words: str


class Refusal(Fact, frozen=True):
    """`refused.json`: nothing (more) of this drop is sent, and why."""

    KIND = "refused"
    STATE_FIELD = "refused"

    writer: str
    at: datetime
    code: str
    message: str
    words: str | None = None
    """The provider's error text, in ledgers of earlier versions; else see `words_key`."""
    lines: int | None = None
    """Lines of the drop that are not blank, if all were read."""
    faults: int = 0
    faults_file: OutputFile | None = None
    """`invalid.jsonl`, if lines have faults."""
    conversion: Conversion | None = None
    """How to convert the drop into a file of requests, if its file type was recognized."""
    findings: Findings | None = None
    """A summary of the faults."""
    waiting_run: WaitingRun | None = None
    """The run with the same bytes, if it waits for an approval."""
    estimate: Estimate | None = None
    """What the valid lines can cost at most, if all were read."""
    words_key: str | None = None
    """Where the provider's error text is, which may quote a prompt: for the receipt, never for a message or a log."""


class RetryAfterAnswer(Fact, frozen=True):
    """`wait-<until>.json`: the response `reason` had a Retry-After, and the provider is not called before `until`."""

    KIND = "wait"
    PLACE = Place.MOMENT
    STATE_FIELD = "pauses"

    writer: str
    at: datetime
    until: datetime
    reason: str


BUSY = "busy"
"""The kind of trouble in which the provider answers requests about batches with HTTP 429."""
GONE = "gone"
"""The kind of trouble in which the provider answers that it does not know a batch."""


class LastingTrouble(Fact, frozen=True):
    """`trouble-<kind>-<moment>.json`: two checks have met requests of poll that failed in this way, since that moment.

    Requests failed in each check between the two as well. It lasts until a `TroubleOver` of the same place. A call that
    a function has written down anyway is not repeated here: an attempt that was refused, results that `split` could not
    read, a Retry-After.
    """

    KIND = "trouble"
    PLACE = Place.ID
    STATE_FIELD = "troubles"

    writer: str
    at: datetime
    kind: str
    """What keeps failing: `credentials`, `unavailable`, `busy`, `gone` or `other`."""
    since: datetime
    reason: str
    """Its technical name, or words of ours: no text of a provider."""
    ends: datetime | None = None
    """When the batch that the provider does not know is given up at the latest."""

    @property
    def place(self) -> str:
        """What tells it from other trouble of the run: its kind, and since when, in whole seconds."""
        return f"{self.kind}-{self.since.astimezone(UTC):{STAMP}}"

    @staticmethod
    def kind_at(place: str) -> str:
        """Return the kind in a place."""
        return place.partition("-")[0]


class TroubleOver(Fact, frozen=True):
    """`over-<kind>-<moment>.json`: in a later check no request failed, or only in other ways in several checks."""

    KIND = "over"
    PLACE = Place.ID
    STATE_FIELD = "ended_troubles"

    writer: str
    at: datetime
