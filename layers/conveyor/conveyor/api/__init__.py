"""The provider, as the rest of the core sees it. Which dialect is in use is known inside this package only.

What the provider answers is data. Of exceptions there are three:

- `CredentialsUnusable`: there is no credential to speak with.
- `ResultsUnreadable`: a stream of results broke off or held what is no result; read it again from the start.
- anything else is a defect.
"""

from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager
from datetime import datetime
from typing import NamedTuple, Protocol

from conveyor.outcome import Result
from conveyor.records import RefusalKind


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


class Unknown(NamedTuple):
    """The provider may or may not have taken the batch."""

    reason: str


class Progress(NamedTuple):
    """How far a batch is, and how many requests it holds."""

    id: str
    ended: bool
    requests: int
    created_at: datetime
    expires_at: datetime
    ended_at: datetime | None


class Trouble(NamedTuple):
    """The provider did not answer a question; ask again later."""

    reason: str


class CredentialsUnusable(Exception):
    """The operator must put a usable credential in its place; nothing was sent."""


class ResultsUnreadable(Exception):
    """Results could not be read to their end."""


class BatchApi(Protocol):
    """What Conveyor asks of a provider."""

    def renew(self) -> None:
        """Read the credentials anew: a stale key would be refused, and a refusal ends the run.

        Raises CredentialsUnusable.
        """
        ...

    def create(self, requests: Iterable[bytes], size: int, seconds: int) -> Created | Refused | Unknown:
        """Send one batch, once, within `seconds`; `requests` come some at a time, with commas between.

        `size`: bytes of the whole body, known from the plan.
        """
        ...

    def find(self, since: datetime) -> list[Progress] | Trouble:
        """Return the batches created at or after a moment, of whatever program, oldest first."""
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
