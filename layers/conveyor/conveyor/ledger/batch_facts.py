"""Facts of a batch: the attempts to send it, the batch at the provider, and how its results are read."""

from datetime import datetime

from conveyor.domain.refusal import Cause, RefusalKind
from conveyor.ledger.fact import BatchFact, Place

CLAIMED = "claimed"
"""The `type` of a refusal by ourselves: the paid call was made before the ledger of its run was lost."""


class Attempt(BatchFact, frozen=True):
    """`attempt-<k>.json`: the intent, written before the paid call. The call has ended by `not_after`."""

    KIND = "attempt"
    PLACE = Place.NUMBER
    STATE_FIELD = "attempts"

    writer: str
    at: datetime
    not_after: datetime
    requests: int


class AttemptRefused(BatchFact, frozen=True):
    """`refused-<k>.json`: the provider certainly created no batch for attempt k."""

    KIND = "refused"
    PLACE = Place.NUMBER
    STATE_FIELD = "refused"

    writer: str
    at: datetime
    kind: RefusalKind
    status: int
    type: str
    retry_at: datetime
    cause: Cause | None = None
    """What a person must fix first, if the provider's error text shows it."""
    betas: tuple[str, ...] = ()
    """The names of the run's betas that the error text has."""
    words_key: str | None = None
    """Where the error text is, which may quote a prompt; none if the run goes on whatever it says."""


class AttemptFailed(AttemptRefused, frozen=True):
    """`failed-<k>.json`: the provider created a batch and ran nothing of it: another attempt may follow."""

    KIND = "failed"
    PLACE = Place.NUMBER
    STATE_FIELD = "failed"


class AttemptUnknown(BatchFact, frozen=True):
    """`unknown-<k>.json`: the call ended at `at`, and its response does not show whether it created a batch."""

    KIND = "unknown"
    PLACE = Place.NUMBER
    STATE_FIELD = "unknown"

    writer: str
    at: datetime
    reason: str


class AttemptAbsent(BatchFact, frozen=True):
    """`absent-<k>.json`: attempt k created no batch.

    None was listed within the time in which it had to be; or a person said so (`released`).
    """

    KIND = "absent"
    PLACE = Place.NUMBER
    STATE_FIELD = "absent"

    writer: str
    at: datetime
    released: bool = False


class Submitted(BatchFact, frozen=True):
    """`batch-<t>.json`: the batch at the provider. Deadlines are counted from `at`; the provider's times are hints.

    `adopted`: its response was lost, and it was found and proved by its results. `released`: a person named it.
    """

    KIND = "batch"
    PLACE = Place.NUMBER
    STATE_FIELD = "generations"

    writer: str
    at: datetime
    id: str
    created_at: datetime
    expires_at: datetime
    adopted: bool = False
    released: bool = False


class Duplicate(BatchFact, frozen=True):
    """`duplicate-<batch id>.json`: a second batch with the same requests.

    Created by our own call, and cancelled; or listed late, and proved by its results.
    """

    KIND = "duplicate"
    PLACE = Place.ID
    STATE_FIELD = "duplicates"

    writer: str
    at: datetime


class Foreign(BatchFact, frozen=True):
    """`foreign-<batch id>.json`: a batch of the same size with other requests; it is not read again."""

    KIND = "foreign"
    PLACE = Place.ID
    STATE_FIELD = "foreign"

    writer: str
    at: datetime


class Doubtful(BatchFact, frozen=True):
    """`doubtful-<batch id>.json`: a batch that the provider lists, and that may be ours: a person can look at it.

    What is proved of it later stands in another fact. `requests`: 0 if the provider does not say how many it has yet.
    """

    KIND = "doubtful"
    PLACE = Place.ID
    STATE_FIELD = "doubtful"

    writer: str
    at: datetime
    created_at: datetime
    requests: int


class Cancel(BatchFact, frozen=True):
    """`cancel.json`: the batch is being cancelled: a person said so, or it was an hour late."""

    KIND = "cancel"
    STATE_FIELD = "cancelled"

    writer: str
    at: datetime


class Splitting(BatchFact, frozen=True):
    """`split-<k>.json`: the intent to split, one function at a time. The writer has ended by `not_after`."""

    KIND = "split"
    PLACE = Place.NUMBER
    STATE_FIELD = "splits"

    writer: str
    at: datetime
    not_after: datetime


class Unread(BatchFact, frozen=True):
    """`unread-<k>.json`: split k failed: the results could not be read to their end, or the function failed."""

    KIND = "unread"
    PLACE = Place.NUMBER
    STATE_FIELD = "unreads"

    writer: str
    at: datetime
    reason: str
    ours: bool = False
    """True if the function failed, whatever the provider would have answered."""
    gone: bool = False
    """True if the provider answered that it does not know the batch, or the file with its results."""


class Discarded(BatchFact, frozen=True):
    """`discarded.json`: the files of the batch at the provider are deleted, or could not be (`left`: why)."""

    KIND = "discarded"
    STATE_FIELD = "discarded"

    writer: str
    at: datetime
    left: str | None = None


class Stuck(BatchFact, frozen=True):
    """`stuck.json`: the batch is given up without its results; a person must ask the provider."""

    KIND = "stuck"
    STATE_FIELD = "stuck"

    writer: str
    at: datetime
    message: str


class Read(BatchFact, frozen=True):
    """`read-<k>.json`: split k read all results, and some are missing. Equal digests: the same lines are missing."""

    KIND = "read"
    PLACE = Place.NUMBER
    STATE_FIELD = "reads"

    writer: str
    at: datetime
    missing: int
    digest: str
