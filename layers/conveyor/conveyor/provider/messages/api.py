"""Anthropic's Message Batches API.

Facts: https://platform.claude.com/docs/en/api/creating-message-batches and the pages beside it.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import msgspec

from conveyor.domain.dialect import is_batch_id
from conveyor.domain.outcome import Result
from conveyor.provider.messages.dialect import DIALECT
from conveyor.provider.messages.results import decode_results
from conveyor.provider.pagination import read_list
from conveyor.provider.protocol import (
    Checked,
    Created,
    NewBatch,
    Origin,
    Progress,
    Refused,
    Trouble,
    Unknown,
    created_as,
)
from conveyor.provider.refusals import CERTAIN_REFUSALS, check_list, refused_from
from conveyor.provider.timestamps import Timestamp, parse_timestamp
from conveyor.provider.transport import Content, HttpResponse, Transport
from conveyor.settings.settings import Settings

_PATH = "/v1/messages/batches"
_VERSION = "2023-06-01"
"""Batch endpoints are the same in every version. This one still accepts `temperature` and the like."""
_PAGE = 1000


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

    def progress(self, default: datetime | None = None) -> Progress:
        """Return its state. `default`: when it was created, if the provider does not say; by default now."""
        ended = self.processing_status == "ended"
        created = self.created(default or datetime.now(UTC))
        expires = parse_timestamp(self.expires_at) or created + DIALECT.window
        return Progress(self.id, ended, self.request_counts.total, created, expires, parse_timestamp(self.ended_at))

    def created(self, default: datetime) -> datetime:
        return parse_timestamp(self.created_at) or default


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

    dialect = DIALECT

    def __init__(self, transport: Transport, betas: str = "") -> None:
        """Send the names of beta features with the create call only."""
        self._transport = transport.with_headers({"anthropic-version": _VERSION})
        self._creating = self._transport.with_headers({"anthropic-beta": betas}) if betas else self._transport

    def renew(self) -> None:
        """Read the credential again."""
        self._transport.renew()

    def check(self) -> Checked | Trouble:
        """List one batch."""
        return check_list(self._transport, _PATH)

    def create(self, new_batch: NewBatch, seconds: int) -> Created | Refused | Unknown:
        """Create one batch by one call."""
        answer = self._creating.post(_PATH, Content("application/json", new_batch.size, new_batch.body), seconds)
        if not isinstance(answer, HttpResponse):
            return answer
        if answer.is_success:
            try:
                batch = _decode_batch(answer.body)
            except (msgspec.MsgspecError, UnicodeDecodeError):
                return Unknown(f"HTTP {answer.status} without a batch in its body")
            return created_as(batch.progress())
        return refused_from(answer, CERTAIN_REFUSALS) or Unknown(f"HTTP {answer.status}")

    def find(self, since: datetime, origin: Origin | None = None) -> list[Progress] | Trouble:  # noqa: ARG002
        """Page through all batches of the workspace, newest first, until they are older than `since`.

        This API does not know whose they are.
        """
        batches = read_list(
            self._transport, _PATH, _decode_page, {"limit": _PAGE}, cursor="after_id",
            until=lambda page: page[-1].created(since) < since,
        )  # fmt: skip
        if isinstance(batches, Trouble):
            return batches
        known = [batch for batch in reversed(batches) if is_batch_id(batch.id)]
        return [batch.progress(since) for batch in known if batch.created(since) >= since]

    def progress(self, batch_id: str) -> Progress | Trouble:
        """Retrieve one batch. A 404 is trouble, too: the provider has given it for batches that exist."""
        return self._batch("GET", f"{_PATH}/{batch_id}")

    def cancel(self, batch_id: str) -> Progress | Trouble:
        """Cancel one batch; to cancel it again changes nothing."""
        return self._batch("POST", f"{_PATH}/{batch_id}/cancel")

    def discard(self, origin: Origin, batch_ids: Iterable[str]) -> None:
        """Do nothing: this API has no files, and keeps results for 29 days."""

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
        """Stream the results. The URL is made from the id, so the credential is sent nowhere else."""
        with self._transport.stream(f"{_PATH}/{batch_id}/results", seconds=seconds) as pieces:
            yield decode_results(pieces)


def connect(transport: Transport, settings: Settings) -> MessageBatches:
    """Return the dialect over a transport."""
    return MessageBatches(transport, settings.betas)
