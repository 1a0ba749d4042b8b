"""Anthropic's Message Batches API.

Facts: https://platform.claude.com/docs/en/api/creating-message-batches and the pages beside it.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import msgspec

from conveyor.domain.dialect import Dialect, Form
from conveyor.domain.outcome import Result
from conveyor.provider.messages.results import decode_results
from conveyor.provider.pagination import read_list
from conveyor.provider.protocol import Created, NewBatch, Origin, Progress, Refused, Trouble, Unknown
from conveyor.provider.refusals import CERTAIN_REFUSALS, refused_from
from conveyor.provider.timestamps import Timestamp, parse_timestamp
from conveyor.provider.transport import Content, HttpResponse, Transport
from conveyor.settings.settings import Settings

_PATH = "/v1/messages/batches"
_VERSION = "2023-06-01"
"""The batch endpoints are the same in every version; under this one `temperature` and its like are still accepted."""
_PAGE = 1000
_FORM = Form(b'{"requests":[', b'{"custom_id":"', b'","params":', b",", b"]}")
_DIALECT = Dialect(_FORM, max_requests=100_000, max_bytes=256_000_000, takes_betas=True)


class _Counts(msgspec.Struct):
    processing: int = 0
    succeeded: int = 0
    errored: int = 0
    canceled: int = 0
    expired: int = 0

    @property
    def total(self) -> int:
        return self.processing + self.succeeded + self.errored + self.canceled + self.expired


class _Batch(msgspec.Struct):
    id: str
    processing_status: str
    request_counts: _Counts
    created_at: Timestamp = None
    expires_at: Timestamp = None
    ended_at: Timestamp = None

    def progress(self, unless_said: datetime | None = None) -> Progress:
        """Return how far it is. `unless_said`: when it was created, where the provider does not say; now by default."""
        ended = self.processing_status == "ended"
        created = self.created(unless_said or datetime.now(UTC))
        expires = parse_timestamp(self.expires_at) or created + _DIALECT.window
        return Progress(self.id, ended, self.request_counts.total, created, expires, parse_timestamp(self.ended_at))

    def created(self, unless_said: datetime) -> datetime:
        return parse_timestamp(self.created_at) or unless_said


class _Page(msgspec.Struct):
    data: list[_Batch]
    has_more: bool

    @property
    def items(self) -> list[_Batch]:
        return self.data


_decode_batch = msgspec.json.Decoder(_Batch).decode
_decode_page = msgspec.json.Decoder(_Page).decode


class MessageBatches:
    """The Message Batches API of one provider."""

    dialect = _DIALECT

    def __init__(self, transport: Transport, betas: str = "") -> None:
        """Take the way to the provider, and the names of beta features, which only the create call must bear."""
        self._transport = transport.with_headers({"anthropic-version": _VERSION})
        self._creating = self._transport.with_headers({"anthropic-beta": betas}) if betas else self._transport

    def renew(self) -> None:
        """Read the credential anew."""
        self._transport.renew()

    def create(self, new_batch: NewBatch, seconds: int) -> Created | Refused | Unknown:
        """Send one batch, once."""
        answer = self._creating.post(_PATH, Content("application/json", new_batch.size, new_batch.body), seconds)
        if not isinstance(answer, HttpResponse):
            return answer
        if answer.is_success:
            try:
                batch = _decode_batch(answer.body)
            except (msgspec.MsgspecError, UnicodeDecodeError):
                return Unknown(f"HTTP {answer.status} without a batch in its body")
            progress = batch.progress()
            return Created(batch.id, progress.created_at, progress.expires_at)
        return refused_from(answer, CERTAIN_REFUSALS) or Unknown(f"HTTP {answer.status}")

    def find(self, since: datetime, origin: Origin | None = None) -> list[Progress] | Trouble:  # noqa: ARG002
        """Page through all batches of the workspace, newest first, until they are older than `since`.

        Whose they are this API does not know.
        """
        found = read_list(
            self._transport, _PATH, _decode_page, {"limit": _PAGE}, cursor="after_id",
            until=lambda batches: batches[-1].created(since) < since,
        )  # fmt: skip
        if isinstance(found, Trouble):
            return found
        return [batch.progress(since) for batch in reversed(found) if batch.created(since) >= since]

    def progress(self, batch_id: str) -> Progress | Trouble:
        """Retrieve one batch. A 404 is trouble too: the provider is known to give it for batches that exist."""
        return self._batch("GET", f"{_PATH}/{batch_id}")

    def cancel(self, batch_id: str) -> Progress | Trouble:
        """Cancel one batch; doing so again changes nothing."""
        return self._batch("POST", f"{_PATH}/{batch_id}/cancel")

    def discard(self, origin: Origin, batch_ids: Iterable[str]) -> None:
        """Do nothing: this API keeps no files, and results for 29 days."""

    def _batch(self, method: str, path: str) -> Progress | Trouble:
        answer = self._transport.ask(method, path)
        if isinstance(answer, Trouble):
            return answer
        try:
            return _decode_batch(answer.content).progress()
        except (msgspec.MsgspecError, UnicodeDecodeError):
            return Trouble("the batch could not be decoded")

    @contextmanager
    def results(self, batch_id: str, *, seconds: int = 120) -> Iterator[Iterator[Result]]:
        """Stream the results; the address is made from the id, so that the credential goes nowhere else."""
        with self._transport.stream(f"{_PATH}/{batch_id}/results", seconds=seconds) as pieces:
            yield decode_results(pieces)


def connect(transport: Transport, settings: Settings) -> MessageBatches:
    """Return the API of a provider."""
    return MessageBatches(transport, settings.betas)
