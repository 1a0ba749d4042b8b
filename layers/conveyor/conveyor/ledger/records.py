"""The facts of a run, as kept in its ledger: each names its key, and the field of the state that lists it."""

from datetime import datetime

import msgspec

from conveyor.domain.drop import Drop
from conveyor.domain.findings import Findings
from conveyor.domain.outcome import Usage
from conveyor.domain.output_file import OutputFile
from conveyor.domain.refusal import Cause, RefusalKind
from conveyor.domain.stop_reasons import Stops
from conveyor.file_types.conversion import Conversion
from conveyor.ledger.fact import BatchFact, Fact, Place, kinds_of
from conveyor.ledger.failure_counts import ErrorKind
from conveyor.settings.settings import Settings


class Run(Fact, frozen=True):
    """`run.json`: the drop, and the settings in force for the run's whole life."""

    KIND = "run"

    run: str
    name: str
    drop: Drop
    settings: Settings
    problem: str | None = None
    """Why the drop can only be refused, where that is known before its lines are read."""
    code: str = "unreadable"
    """Of the problem."""


class Validation(Fact, frozen=True):
    """`validation.json`: the function that was started by the upload validates, at the latest until `not_after`."""

    KIND = "validation"
    NOTED = "validating"

    writer: str
    at: datetime
    not_after: datetime


class Refusal(Fact, frozen=True):
    """`refused.json`: nothing (more) of this drop is sent."""

    KIND = "refused"
    NOTED = "refused"

    writer: str
    at: datetime
    code: str
    message: str
    words: str | None = None
    """The provider's own, which may quote what was sent: for the receipt, never for a message or a log."""
    lines: int | None = None
    """Lines of the drop that are not blank, where they were all read."""
    faults: int = 0
    faults_file: OutputFile | None = None
    """`invalid.jsonl`, where lines are to blame."""
    conversion: Conversion | None = None
    """How a file of requests is made of the drop, where it is known what it is instead."""
    findings: Findings | None = None
    """What was found wrong, in short."""


class RetryAfterAnswer(Fact, frozen=True):
    """`wait-<until>.json`: the provider answered `reason`, and asked not to be called before `until`."""

    KIND = "wait"
    PLACE = Place.MOMENT
    NOTED = "retry_after_until"

    writer: str
    at: datetime
    until: datetime
    reason: str


class Attempt(BatchFact, frozen=True):
    """`attempt-<k>.json`: the intent, written before the paid call, which is surely over at `not_after`."""

    KIND = "attempt"
    PLACE = Place.NUMBER
    NOTED = "attempts"

    writer: str
    at: datetime
    not_after: datetime
    requests: int


class AttemptRefused(BatchFact, frozen=True):
    """`refused-<k>.json`: the provider surely did not take attempt k."""

    KIND = "refused"
    PLACE = Place.NUMBER
    NOTED = "refused"

    writer: str
    at: datetime
    kind: RefusalKind
    status: int
    type: str
    message: str
    retry_at: datetime
    cause: Cause | None = None
    """What a person must put in order, where the provider's words tell."""


class AttemptFailed(AttemptRefused, frozen=True):
    """`failed-<k>.json`: the provider took attempt k, and then ran nothing of it: another may follow."""

    KIND = "failed"
    PLACE = Place.NUMBER
    NOTED = "failed"


class AttemptUnknown(BatchFact, frozen=True):
    """`unknown-<k>.json`: the call is over since `at`, and its answer does not tell whether it created a batch."""

    KIND = "unknown"
    PLACE = Place.NUMBER
    NOTED = "unknown"

    writer: str
    at: datetime
    reason: str


class AttemptAbsent(BatchFact, frozen=True):
    """`absent-<k>.json`: attempt k created no batch.

    Looking found none after the time in which it had to be listed; or, `released`, a person said so.
    """

    KIND = "absent"
    PLACE = Place.NUMBER
    NOTED = "absent"

    writer: str
    at: datetime
    released: bool = False


class Submitted(BatchFact, frozen=True):
    """`batch-<t>.json`: the provider's batch. What is due is counted from `at`; what the provider says is a hint.

    `adopted`: its answer had been lost, and it was found and proved by its results. `released`: a person named it.
    """

    KIND = "batch"
    PLACE = Place.NUMBER
    NOTED = "generations"

    writer: str
    at: datetime
    id: str
    created_at: datetime
    expires_at: datetime
    adopted: bool = False
    released: bool = False


class Claim(msgspec.Struct, frozen=True):
    """`claims/batches/<batch id>`: which run owns one of the provider's batches."""

    run: str
    batch: int


class Duplicate(BatchFact, frozen=True):
    """`duplicate-<batch id>.json`: a second batch of ours.

    Proved by the answer to our own call, and cancelled; or listed late, and proved by its results.
    """

    KIND = "duplicate"
    PLACE = Place.ID
    NOTED = "duplicates"

    writer: str
    at: datetime


class Foreign(BatchFact, frozen=True):
    """`foreign-<batch id>.json`: a batch of our size whose results answer other requests; it is not read again."""

    KIND = "foreign"
    PLACE = Place.ID
    NOTED = "foreign"

    writer: str
    at: datetime


class Cancel(BatchFact, frozen=True):
    """`cancel.json`: the batch is being cancelled: a person said so, or it had not ended an hour after its time."""

    KIND = "cancel"
    NOTED = "cancelled"

    writer: str
    at: datetime


class Splitting(BatchFact, frozen=True):
    """`split-<k>.json`: the intent to split, for one at a time; whoever wrote it is surely over at `not_after`."""

    KIND = "split"
    PLACE = Place.NUMBER
    NOTED = "splits"

    writer: str
    at: datetime
    not_after: datetime


class Unread(BatchFact, frozen=True):
    """`unread-<k>.json`: the results could not be read to their end, or split k came to nothing by itself."""

    KIND = "unread"
    PLACE = Place.NUMBER
    NOTED = "unreads"

    writer: str
    at: datetime
    reason: str
    ours: bool = False
    """True where the function failed, whatever the provider would have answered."""
    gone: bool = False
    """True where the provider answered that it does not know the batch, or the file with its results."""


class Discarded(BatchFact, frozen=True):
    """`discarded.json`: the files of a batch are deleted at the provider; or could not be, and why."""

    KIND = "discarded"
    NOTED = "discarded"

    writer: str
    at: datetime
    left: str | None = None


class Stuck(BatchFact, frozen=True):
    """`stuck.json`: a batch is given up without its results; a person must ask the provider."""

    KIND = "stuck"
    NOTED = "stuck"

    writer: str
    at: datetime
    message: str


class Read(BatchFact, frozen=True):
    """`read-<k>.json`: split k read all results, and lines lacked. Equal digests: the same lines lacked."""

    KIND = "read"
    PLACE = Place.NUMBER
    NOTED = "reads"

    writer: str
    at: datetime
    missing: int
    digest: str


class Tokens(msgspec.Struct):
    """What the results of one model used. `cost_usd` is null where the model's price is not known."""

    usage: Usage
    cost_usd: float | None


class Part(BatchFact, frozen=True):
    """`part.json`: the account of one batch."""

    KIND = "part"
    NOTED = "parted"

    writer: str
    at: datetime
    outcomes: dict[str, int]
    retryable: int
    foreign: int
    """Result lines that belong to no request of this batch, or that do not say to which."""
    repeated: int
    """Result lines for a request that had one already; the first one counts."""
    tokens: dict[str, Tokens]
    files: list[OutputFile]
    ended_at: datetime | None
    unaccounted: list[int] = msgspec.field(default_factory=list)
    """Lines that have a result and stand in no output; the first thousand."""
    ordered: bool = True
    """False where the results were too large for the disk, and stand in the order in which they came."""
    repaired: int = 0
    """Results in which characters that no reader takes were replaced; the lines as they came stand in `aside.jsonl`."""
    unreadable: int = 0
    """Failures of which there is a result line that holds no answer that could be delivered; it stands there, too."""
    causes: dict[str, int] = msgspec.field(default_factory=dict)
    """Failures that no line is to blame for, by what a person must put in order first (`causes.Cause`)."""
    gone: str | None = None
    """Why the drop could not be read any more when this was written: then outcomes stand under line numbers."""
    stop_reasons: Stops = msgspec.field(default_factory=dict)
    """Answers by model and by why they ended. Parts of earlier versions do not say."""
    errors: dict[str, ErrorKind] = msgspec.field(default_factory=dict)
    """Failures by the type of their error."""


RUN_FACTS, BATCH_FACTS = kinds_of(Fact), kinds_of(BatchFact)
"""By `KIND`."""
