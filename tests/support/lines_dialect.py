"""A third dialect, as a contributor might add it: the whole of it is this module, and `connect` is registered.

Lines are posted bare, and one address answers for them. The server in test_third_dialect.py speaks it.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import msgspec

from conveyor.domain.dialect import Dialect, Form
from conveyor.domain.outcome import Outcome, Result
from conveyor.jsonl.lines import read_lines
from conveyor.provider.protocol import Checked, Created, NewBatch, Origin, Progress, Refused, Trouble, Unknown
from conveyor.provider.transport import Content, HttpResponse, Transport
from conveyor.settings.settings import Settings

PATH = "/lines"


class _Line(msgspec.Struct):
    custom_id: str
    answer: msgspec.Raw


class LineBatches:
    """Batches of bare lines."""

    dialect = Dialect(Form(b"", b'{"id":"', b'","ask":', b"\n", b""), max_requests=2, max_bytes=1000)

    def __init__(self, transport: Transport) -> None:
        """Set the transport to the provider."""
        self._transport = transport

    def renew(self) -> None:
        """Read the credential again."""
        self._transport.renew()

    def check(self) -> Checked | Trouble:
        """Report that batches cannot be listed."""
        return Trouble("there is no list")

    def create(self, new_batch: NewBatch, seconds: int) -> Created | Refused | Unknown:
        """Post the lines."""
        answer = self._transport.post(PATH, Content("application/x-ndjson", new_batch.size, new_batch.body), seconds)
        now = datetime.now(UTC)
        return (
            Created(answer.body.decode(), now, now + timedelta(days=1)) if isinstance(answer, HttpResponse) else answer
        )

    def find(self, since: datetime, origin: Origin | None = None) -> list[Progress] | Trouble:  # noqa: ARG002
        """Report that batches cannot be listed."""
        return Trouble("there is no list")

    def progress(self, batch_id: str) -> Progress | Trouble:
        """Report that the batch has ended, since lines are answered at once."""
        now = datetime.now(UTC)
        return Progress(batch_id, ended=True, requests=0, created_at=now, expires_at=now, ended_at=now)

    def cancel(self, batch_id: str) -> Progress | Trouble:
        """Change nothing, since the batch has ended."""
        return self.progress(batch_id)

    def discard(self, origin: Origin, batch_ids: Iterable[str]) -> None:
        """Delete nothing, since nothing is stored."""

    @contextmanager
    def results(self, batch_id: str, *, seconds: int = 120) -> Iterator[Iterator[Result]]:
        """Read the results."""
        with self._transport.stream(f"{PATH}/{batch_id}", seconds=seconds) as pieces:
            yield (_result(line.raw or b"") for line in read_lines(pieces))


def _result(raw: bytes) -> Result:
    line = msgspec.json.decode(raw, type=_Line)
    return Result(line.custom_id, Outcome.SUCCEEDED, raw, bytes(line.answer))


def connect(transport: Transport, settings: Settings) -> LineBatches:  # noqa: ARG001
    """Return the API of a provider."""
    return LineBatches(transport)
