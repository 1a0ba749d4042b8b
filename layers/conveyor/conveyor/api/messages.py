"""Anthropic's Message Batches API.

Facts: https://platform.claude.com/docs/en/api/creating-message-batches and the pages beside it.
"""

from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from time import monotonic
from typing import Protocol

import httpx
import msgspec

from conveyor.api import Created, Progress, Refused, ResultsUnreadable, Trouble, Unknown
from conveyor.api.errors import refused_from
from conveyor.api.message_results import decode_results
from conveyor.outcome import Result
from conveyor.plan import BODY_END, BODY_START
from conveyor.records import RefusalKind

_PATH = "/v1/messages/batches"
_VERSION = "2023-06-01"
"""The batch endpoints are the same in every version; under this one `temperature` and its like are still accepted."""
_KEY_REFUSED = (401, 403)
_PAGE = 1000
_QUESTION = httpx.Timeout(30.0, connect=5.0)
"""Seconds."""


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key that cannot print itself."""

    value: str = field(repr=False)


class KeySource(Protocol):
    """Where the key comes from."""

    def __call__(self, *, renew: bool = False) -> ApiKey:
        """Return the key, read anew where a kept one may be old."""
        ...


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
    created_at: datetime
    expires_at: datetime
    ended_at: datetime | None = None

    @property
    def progress(self) -> Progress:
        ended = self.processing_status == "ended"
        return Progress(self.id, ended, self.request_counts.total, self.created_at, self.expires_at, self.ended_at)


class _Page(msgspec.Struct):
    data: list[_Batch]
    has_more: bool


_decode_batch = msgspec.json.Decoder(_Batch).decode
_decode_page = msgspec.json.Decoder(_Page).decode


class MessageBatches:
    """The Message Batches API at one address. Redirects are never followed: they would carry the key elsewhere."""

    def __init__(self, client: httpx.Client, url: str, key: KeySource) -> None:
        """Take a client without base address, and where the key comes from."""
        self._client = client
        self._url = url.rstrip("/") + _PATH
        self._key = key

    def renew(self) -> None:
        """Read the key anew."""
        self._key(renew=True)

    def create(self, requests: Iterable[bytes], size: int, seconds: int) -> Created | Refused | Unknown:
        """Send one batch, once: a third of the time for all but its last piece, one for that, one for the answer.

        A call that never reached the provider is a refusal: nothing was created.
        """
        third = seconds / 3
        start = monotonic()
        headers = {**self._headers(self._key()), "content-type": "application/json", "content-length": str(size)}
        content = _in_time(_body(requests), start + third)
        timeout = httpx.Timeout(third, connect=min(5.0, third))
        call = self._client.stream("POST", self._url, headers=headers, content=content, timeout=timeout)
        try:
            with call as answer:
                text = b"".join(_in_time(answer.iter_bytes(), start + seconds))
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            told = f"the provider could not be reached ({type(error).__name__})"
            return Refused(RefusalKind.LATER, 0, "unreachable", told, None)
        except (httpx.HTTPError, _TooSlowError) as error:
            return Unknown(f"{type(error).__name__} while the batch was sent")
        if answer.is_success:
            try:
                batch = _decode_batch(text)
            except (msgspec.MsgspecError, UnicodeDecodeError):
                return Unknown(f"HTTP {answer.status_code} without a batch in its body")
            return Created(batch.id, batch.created_at, batch.expires_at)
        refused = refused_from(answer.status_code, answer.headers, text)
        if refused is None:
            return Unknown(f"HTTP {answer.status_code}")
        return refused._replace(message=refused.message.replace(self._key().value, "…"))

    def find(self, since: datetime) -> list[Progress] | Trouble:
        """Page through all batches of the workspace, newest first, until they are older than `since`."""
        found: list[Progress] = []
        question: dict[str, str | int] = {"limit": _PAGE}
        while True:
            answer = self._ask("GET", self._url, question)
            if isinstance(answer, Trouble):
                return answer
            try:
                page = _decode_page(answer.content)
            except (msgspec.MsgspecError, UnicodeDecodeError):
                return Trouble("the list of batches could not be decoded")
            if page.has_more and not page.data:
                return Trouble("the list of batches has an empty page and goes on")
            found += [batch.progress for batch in page.data if batch.created_at >= since]
            if not page.has_more or page.data[-1].created_at < since:
                return found[::-1]
            question["after_id"] = page.data[-1].id

    def progress(self, batch_id: str) -> Progress | Trouble:
        """Retrieve one batch. A 404 is trouble too: the provider is known to give it for batches that exist."""
        return self._batch("GET", f"{self._url}/{batch_id}")

    def cancel(self, batch_id: str) -> Progress | Trouble:
        """Cancel one batch; doing so again changes nothing."""
        return self._batch("POST", f"{self._url}/{batch_id}/cancel")

    def _batch(self, method: str, url: str) -> Progress | Trouble:
        answer = self._ask(method, url)
        if isinstance(answer, Trouble):
            return answer
        try:
            return _decode_batch(answer.content).progress
        except (msgspec.MsgspecError, UnicodeDecodeError):
            return Trouble("the batch could not be decoded")

    @contextmanager
    def results(self, batch_id: str, *, seconds: int = 120) -> Iterator[Iterator[Result]]:
        """Stream the results; the address is made from the id, so that the key goes nowhere else."""
        try:
            with ExitStack() as opened:
                answer = self._open_results(batch_id, opened, self._key(), seconds)
                if answer.status_code in _KEY_REFUSED:
                    answer = self._open_results(batch_id, opened, self._key(renew=True), seconds)
                if not answer.is_success:
                    raise ResultsUnreadable(f"HTTP {answer.status_code} for the results of {batch_id}")
                yield decode_results(answer.iter_bytes())
        except httpx.HTTPError as error:
            message = f"{type(error).__name__} while the results of {batch_id} were read"
            raise ResultsUnreadable(message) from None  # the cause may quote a header, and so the key

    def _open_results(self, batch_id: str, opened: ExitStack, key: ApiKey, seconds: int) -> httpx.Response:
        url = f"{self._url}/{batch_id}/results"
        timeout = httpx.Timeout(seconds, connect=5.0)
        call = self._client.stream("GET", url, headers=self._headers(key), timeout=timeout)
        return opened.enter_context(call)

    def _ask(self, method: str, url: str, question: dict[str, str | int] | None = None) -> httpx.Response | Trouble:
        """Ask once, and once more with a new key where the key was refused: it may have been rotated."""
        try:
            answer = self._call(method, url, question, self._key())
            if answer.status_code in _KEY_REFUSED:
                answer = self._call(method, url, question, self._key(renew=True))
        except httpx.HTTPError as error:
            return Trouble(type(error).__name__)
        return answer if answer.is_success else Trouble(f"HTTP {answer.status_code}")

    def _call(self, method: str, url: str, question: dict[str, str | int] | None, key: ApiKey) -> httpx.Response:
        return self._client.request(method, url, params=question, headers=self._headers(key), timeout=_QUESTION)

    def _headers(self, key: ApiKey) -> dict[str, str]:
        return {"x-api-key": key.value, "anthropic-version": _VERSION}


class _TooSlowError(Exception):
    """The body was not sent in time."""


def _body(requests: Iterable[bytes]) -> Iterator[bytes]:
    """Yield the body in pieces worth a system call."""
    before = BODY_START
    for some in requests:
        yield before
        yield some
        before = b","
    yield BODY_END if before == b"," else BODY_START + BODY_END


def _in_time(pieces: Iterable[bytes], deadline: float) -> Iterator[bytes]:
    for piece in pieces:
        if monotonic() > deadline:
            raise _TooSlowError
        yield piece
