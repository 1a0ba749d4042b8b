"""What the rest of the core asks of a provider: one protocol, `BatchApi`. Only this package knows the dialects.

Responses and failed calls are values. There are two exceptions, and any other is a defect:

- `CredentialsUnusable`: there is no usable credential.
- `ResultsUnreadable`: the results could not be read to their end; read them again from the start.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from datetime import datetime
from enum import StrEnum
from importlib import import_module
from typing import NamedTuple, Protocol

from conveyor.domain.dialect import Dialect, is_batch_id
from conveyor.domain.outcome import Error, Result
from conveyor.domain.refusal import Cause, RefusalKind
from conveyor.settings.settings import FILES, FILES_OPENAI, MESSAGES, Settings

DIALECTS = {
    MESSAGES: "conveyor.provider.messages.api",
    FILES: "conveyor.provider.files.api",
    FILES_OPENAI: "conveyor.provider.files.api",
}
"""Modules by the value of `BatchApi`. Each has `connect`, which takes a transport and a run's settings.

The module `dialect` beside it has `dialect_of`, which takes the settings only: files are checked with it at a desk.
"""


class Origin(NamedTuple):
    """Which batch of which run it is. It is sent to a provider that takes metadata."""

    run: str
    """The id of the run, or of a leg of it (`domain.keys.leg_id`)."""
    batch: int
    """Its number in the run, or in the leg."""
    since: datetime
    """When the drop was uploaded: nothing of it can be older at the provider."""


class NewBatch(NamedTuple):
    """A batch to create."""

    origin: Origin
    requests: int
    size: int
    """Bytes of the body, from the plan."""
    body: Callable[[], Iterable[bytes]]
    """Returns the body in pieces; each call reads it again."""


class Created(NamedTuple):
    """The provider created the batch."""

    id: str
    created_at: datetime
    expires_at: datetime


class Refused(NamedTuple):
    """The provider surely did not create the batch."""

    kind: RefusalKind
    status: int
    type: str
    message: str
    retry_after: int | None
    """Seconds, if the provider gave a time."""
    cause: Cause | None = None
    """What a person must put in order, if the provider's message says."""


class Unknown(NamedTuple):
    """It is unknown whether the provider created the batch."""

    reason: str


class RefusedRequest(NamedTuple):
    """One request at fault in a batch that the provider refused as a whole."""

    position: int
    """Of the request in the batch, from 1."""
    error: Error


class NotRun(NamedTuple):
    """Why a batch ended before any of its requests was run. Nothing of it is paid for."""

    kind: RefusalKind
    """`LATER`: the same batch can be sent again. `STOP`: it was cancelled or expired before it began."""
    error: Error
    refused_requests: tuple[RefusedRequest, ...] = ()
    cause: Cause | None = None
    """What a person must put in order, if no request is at fault and the provider's message says."""
    is_expired: bool = False
    """Whether its completion window ended first."""


class Progress(NamedTuple):
    """The state of a batch at the provider."""

    id: str
    ended: bool
    requests: int
    """0 if the provider does not say."""
    created_at: datetime
    expires_at: datetime
    ended_at: datetime | None
    not_run: NotRun | None = None
    is_ours: bool | None = None
    """Whether it is the batch that was looked for, by its metadata or file; None if only its results can tell."""


def created_as(progress: Progress) -> Created | Unknown:
    """Return what a response proves that describes a new batch. Nothing can be asked about one with an unsafe id."""
    if not is_batch_id(progress.id):
        return Unknown("the provider gave the batch an id that cannot be part of an address")
    return Created(progress.id, progress.created_at, progress.expires_at)


class CheckedKind(StrEnum):
    """What a free call says of the provider."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    """It accepts neither the credential, nor the account, nor this call: a person must put that in order."""
    BUSY = "busy"
    """It answers, and says nothing of the credential now."""


class Checked(NamedTuple):
    """The answer to a free call."""

    kind: CheckedKind
    status: int
    cause: Cause | None = None
    """What a person must put in order, if the provider's message says."""


class TroubleKind(StrEnum):
    """What follows from a call that brought no answer."""

    LATER = "later"
    """Call again later."""
    GONE = "gone"
    """The provider does not know the object, which may have been deleted there. Call again later all the same."""
    UNASKED = "unasked"
    """No call was made, because the provider asked not to be called yet."""


class Trouble(NamedTuple):
    """A call brought no answer; call again later."""

    reason: str
    kind: TroubleKind = TroubleKind.LATER

    @property
    def was_asked(self) -> bool:
        """Whether the call was made."""
        return self.kind is not TroubleKind.UNASKED


class CredentialsUnusable(Exception):
    """There is no usable credential, so nothing was sent. The operator must provide one."""


class ResultsUnreadable(Exception):
    """The results could not be read to their end."""

    def __init__(self, reason: str, kind: TroubleKind = TroubleKind.LATER) -> None:
        super().__init__(reason)
        self.kind = kind

    @property
    def was_asked(self) -> bool:
        """Whether the call was made."""
        return self.kind is not TroubleKind.UNASKED


class BatchApi(Protocol):
    """What Conveyor asks of a provider; each dialect implements it."""

    @property
    def dialect(self) -> Dialect:
        """How it takes batches: their form and limits."""
        ...

    def renew(self) -> None:
        """Read the credentials again: an outdated key would be refused, and a refusal ends the run.

        Raises CredentialsUnusable.
        """
        ...

    def check(self) -> Checked | Trouble:
        """Make a free call: list one batch. Says whether the provider accepts the credential."""
        ...

    def create(self, new_batch: NewBatch, seconds: int) -> Created | Refused | Unknown:
        """Create one batch by one paid call, within `seconds`."""
        ...

    def find(self, since: datetime, origin: Origin | None = None) -> list[Progress] | Trouble:
        """Return all batches created since a moment, by any program, oldest first.

        `origin`: sets `Progress.is_ours` of each, as far as the provider knows.
        """
        ...

    def progress(self, batch_id: str) -> Progress | Trouble:
        """Return the state of a batch."""
        ...

    def cancel(self, batch_id: str) -> Progress | Trouble:
        """Cancel a batch. Requests that are running are finished, and finished ones keep their results."""
        ...

    def results(self, batch_id: str, *, seconds: int = 120) -> AbstractContextManager[Iterator[Result]]:
        """Stream the results of an ended batch, in the provider's order. Raises ResultsUnreadable.

        `seconds`: the longest wait for the next piece of the stream.
        """
        ...

    def discard(self, origin: Origin, batch_ids: Iterable[str]) -> Trouble | None:
        """Delete the files of some batches at the provider, results included."""
        ...


def module_of(settings: Settings) -> str:
    """Return the name of the module that calls the provider. Raises LookupError for an unknown dialect."""
    if settings.batch_api not in DIALECTS:
        raise LookupError(f'unknown BatchApi "{settings.batch_api}"; expected one of: {", ".join(DIALECTS)}')
    return DIALECTS[settings.batch_api]


def dialect_of(settings: Settings) -> Dialect:
    """Return what a drop must keep. Raises LookupError for an unknown dialect."""
    rules = import_module(f"{module_of(settings).rpartition('.')[0]}.dialect")
    dialect: Dialect = rules.dialect_of(settings)
    return dialect
