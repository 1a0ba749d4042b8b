"""The provider, as the rest of the core sees it. Which dialect is in use is known inside this package only.

What the provider answers is data. Of exceptions there are three:

- `CredentialsUnusable`: there is no credential to speak with.
- `ResultsUnreadable`: a stream of results broke off or held what is no result; read it again from the start.
- anything else is a defect.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple, Protocol

from conveyor.domain.dialect import Dialect
from conveyor.domain.outcome import Error, Result
from conveyor.domain.refusal import Cause, RefusalKind

RESTING = "resting"
"""Type of the refusal of a call that is not made, since the provider has said when to come back."""


class Origin(NamedTuple):
    """Whose a batch is: what a provider is told of it, where it takes such words."""

    run: str
    batch: int
    """Its number in the run."""
    since: datetime
    """When the drop came: nothing of it can be older at the provider."""


class Outgoing(NamedTuple):
    """A batch that is to be sent."""

    origin: Origin
    requests: int
    size: int
    """Bytes of the body, known from the plan."""
    body: Callable[[], Iterable[bytes]]
    """Reads the body anew with each call, in pieces."""


class Created(NamedTuple):
    """The provider took the batch."""

    id: str
    created_at: datetime
    expires_at: datetime


class Refused(NamedTuple):
    """The provider surely did not take the batch."""

    kind: RefusalKind
    status: int
    type: str
    message: str
    retry_after: int | None
    """Seconds, where the provider said."""
    cause: Cause | None = None
    """What a person must put in order, where the provider's words tell."""


class Unknown(NamedTuple):
    """The provider may or may not have taken the batch."""

    reason: str


class Blame(NamedTuple):
    """What the provider says is wrong with a request of a batch that it refused as a whole."""

    place: int
    """Of the request in the batch, from 1."""
    error: Error


class Unrun(NamedTuple):
    """Why a batch ended without any of its requests being run, and so without anything to pay."""

    kind: RefusalKind
    """`LATER`: the same batch may be taken another time. `STOP`: it was cancelled, and seems not to have begun."""
    error: Error
    blamed: tuple[Blame, ...] = ()
    cause: Cause | None = None
    """What a person must put in order, where no request is to blame and the provider's words tell."""


class Progress(NamedTuple):
    """How far a batch is, and how many requests it holds."""

    id: str
    ended: bool
    requests: int
    """0 where the provider does not say."""
    created_at: datetime
    expires_at: datetime
    ended_at: datetime | None
    unrun: Unrun | None = None
    is_ours: bool | None = None
    """Whether it is the batch that was asked for, by the provider's own word; None where only its results can tell."""


class TroubleKind(StrEnum):
    """What follows where the provider did not answer a question."""

    LATER = "later"
    """Ask again."""
    GONE = "gone"
    """The provider does not know what was asked for: ask again, although it may have been deleted there."""
    UNASKED = "unasked"
    """It was not asked, since it has said when to come back: nothing follows."""


class Trouble(NamedTuple):
    """The provider did not answer a question; ask again later."""

    reason: str
    kind: TroubleKind = TroubleKind.LATER


class CredentialsUnusable(Exception):
    """The operator must put a usable credential in its place; nothing was sent."""


class ResultsUnreadable(Exception):
    """Results could not be read to their end."""

    def __init__(self, reason: str, kind: TroubleKind = TroubleKind.LATER) -> None:
        super().__init__(reason)
        self.kind = kind


class BatchApi(Protocol):
    """What Conveyor asks of a provider."""

    @property
    def dialect(self) -> Dialect:
        """How it takes batches."""
        ...

    def renew(self) -> None:
        """Read the credentials anew: a stale key would be refused, and a refusal ends the run.

        Raises CredentialsUnusable.
        """
        ...

    def create(self, outgoing: Outgoing, seconds: int) -> Created | Refused | Unknown:
        """Send one batch, and ask once, within `seconds`, for it to be run."""
        ...

    def find(self, since: datetime, origin: Origin | None = None) -> list[Progress] | Trouble:
        """Return the batches created at or after a moment, of whatever program, oldest first.

        `origin`: of which the answer shall tell which are its own, as far as the provider knows.
        """
        ...

    def progress(self, batch_id: str) -> Progress | Trouble:
        """Ask how far a batch is."""
        ...

    def cancel(self, batch_id: str) -> Progress | Trouble:
        """Ask for a batch to end soon; what is under way is finished, and what is finished is kept."""
        ...

    def results(self, batch_id: str, *, seconds: int = 120) -> AbstractContextManager[Iterator[Result]]:
        """Stream the results of an ended batch, in the provider's order. Raises ResultsUnreadable.

        `seconds`: the longest pause between two pieces of the stream.
        """
        ...

    def discard(self, origin: Origin, batch_ids: Iterable[str]) -> Trouble | None:
        """Delete what is kept at the provider for some batches of one origin: files. Their results are gone then."""
        ...
