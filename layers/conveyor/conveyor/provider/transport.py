"""The way to one provider: an address, an HTTP client, a credential. Here HTTP becomes data."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from hashlib import sha256
from time import monotonic
from typing import NamedTuple

import httpx

from conveyor.domain.refusal import RefusalKind
from conveyor.provider.credentials import Credential
from conveyor.provider.protocol import RESTING, Refused, ResultsUnreadable, Trouble, TroubleKind, Unknown
from conveyor.provider.retry_after import RetryAfter
from conveyor.wording.trouble import in_words, name_of

_QUESTION = httpx.Timeout(30.0, connect=5.0)
"""Seconds."""
_CREDENTIAL_REFUSED = (401, 403)
_GONE = (404, 410)


class Content(NamedTuple):
    """The body of a call."""

    type: str
    size: int
    """Bytes."""
    pieces: Callable[[], Iterable[bytes]]
    """Gives the body anew with each call."""


class Answer(NamedTuple):
    """What came back for a POST."""

    status: int
    headers: httpx.Headers
    text: bytes

    @property
    def is_success(self) -> bool:
        """Whether the status says that it was done."""
        return httpx.codes.is_success(self.status)


class Transport:
    """One provider. Redirects are never followed: they would carry the credential elsewhere.

    Once an answer that is no success has said when to come back (Retry-After), nothing is asked before.
    """

    def __init__(
        self, client: httpx.Client, url: str, credential: Credential, headers: Mapping[str, str] | None = None,
        retry_after: RetryAfter | None = None,
    ) -> None:  # fmt: skip
        """Take a client without base address. An address that ends in `/v1`, as some SDKs want it, serves as well."""
        self._client = client
        self._url = url.rstrip("/").removesuffix("/v1")
        self._credential = credential
        self._headers = dict(headers or {})
        self._rest = retry_after or RetryAfter()

    def speaking(self, headers: Mapping[str, str]) -> "Transport":
        """Return the same way with further headers on each call."""
        return Transport(self._client, self._url, self._credential, self._headers | dict(headers), self._rest)

    def renew(self) -> None:
        """Read the credential anew. Raises CredentialsUnusable."""
        self._credential.renew()

    def ask(self, method: str, path: str, question: Mapping[str, str | int] | None = None) -> httpx.Response | Trouble:
        """Ask once, and once more with a new credential where it was refused: a key may have been rotated."""
        if self._rest.is_active:
            return Trouble(self._rest.reason, TroubleKind.UNASKED)
        try:
            answer = self._call(method, path, question)
            if answer.status_code in _CREDENTIAL_REFUSED and not self._rest.is_active:
                self._credential.renew()
                answer = self._call(method, path, question)
        except httpx.HTTPError as error:
            return Trouble(name_of(error))
        return answer if answer.is_success else Trouble(f"HTTP {answer.status_code}", _kind(answer))

    def post(self, path: str, content: Content, seconds: float) -> Answer | Refused | Unknown:
        """Post once: a third of the time for all but the body's last piece, one for that, one for the answer.

        A call that never reached the provider is a refusal: nothing was created. So is one that is not made, since the
        provider rests.
        """
        if self._rest.is_active:
            told = "the provider had asked not to be called yet"
            return Refused(RefusalKind.LATER, 0, RESTING, told, self._rest.seconds)
        third = seconds / 3
        start = monotonic()
        try:
            digest = self._digest(content, start + third)
        except _TooSlowError:
            return Refused(RefusalKind.LATER, 0, "too_slow", "the body could not be read in time, to sign it", None)
        about = {**self._headers, "content-type": content.type, "content-length": str(content.size)}
        pieces = _in_time(content.pieces(), start + third)
        timeout = httpx.Timeout(third, connect=min(5.0, third))
        request = self._client.build_request("POST", self._url + path, headers=about, content=pieces, timeout=timeout)
        self._credential.sign(request, digest)
        try:
            with closing(self._client.send(request, stream=True)) as answer:
                text = b"".join(_in_time(answer.iter_bytes(), start + seconds))
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            return Refused(RefusalKind.LATER, 0, "unreachable", in_words(name_of(error)), None)
        except (httpx.HTTPError, _TooSlowError) as error:
            return Unknown(f"{name_of(error)} while the batch was sent")
        self._heed(answer)
        if not answer.is_success:  # before anybody shortens the words
            text = self._credential.hide(text.decode(errors="replace")).encode()
        return Answer(answer.status_code, answer.headers, text)

    @contextmanager
    def stream(self, path: str, *, seconds: int) -> Iterator[Iterator[bytes]]:
        """Give what lies at a path, in pieces with at most so many seconds between. Raises ResultsUnreadable."""
        if self._rest.is_active:
            raise ResultsUnreadable(f"{self._rest.reason} before {path} was asked for", TroubleKind.UNASKED)
        try:
            with ExitStack() as opened:
                answer = self._open(path, opened, seconds)
                if answer.status_code in _CREDENTIAL_REFUSED and not self._rest.is_active:
                    self._credential.renew()
                    answer = self._open(path, opened, seconds)
                if not answer.is_success:
                    raise ResultsUnreadable(f"HTTP {answer.status_code} for {path}", _kind(answer))
                yield answer.iter_bytes()
        except httpx.HTTPError as error:
            # Not chained: the cause may quote a header, and so the key.
            raise ResultsUnreadable(f"{name_of(error)} while {path} was read") from None

    def _open(self, path: str, opened: ExitStack, seconds: int) -> httpx.Response:
        request = self._request("GET", path, None, httpx.Timeout(seconds, connect=5.0))
        return self._heed(opened.enter_context(closing(self._client.send(request, stream=True))))

    def _call(self, method: str, path: str, question: Mapping[str, str | int] | None) -> httpx.Response:
        return self._heed(self._client.send(self._request(method, path, question, _QUESTION)))

    def _heed(self, answer: httpx.Response) -> httpx.Response:
        """Leave the provider alone for as long as it says; a success says nothing about the next call."""
        if not answer.is_success:
            self._rest.heed(answer.status_code, answer.headers.get("retry-after", ""))
        return answer

    def _request(
        self, method: str, path: str, question: Mapping[str, str | int] | None, timeout: httpx.Timeout
    ) -> httpx.Request:
        url = self._url + path
        request = self._client.build_request(method, url, params=question, headers=self._headers, timeout=timeout)
        self._credential.sign(request, "")
        return request

    def _digest(self, content: Content, deadline: float) -> str:
        """Return the body's SHA-256, for which it is read once more, where the signature needs it."""
        if not self._credential.signs_body:
            return ""
        digest = sha256()
        for piece in _in_time(content.pieces(), deadline):
            digest.update(piece)
        return digest.hexdigest()


def _kind(answer: httpx.Response) -> TroubleKind:
    return TroubleKind.GONE if answer.status_code in _GONE else TroubleKind.LATER


class _TooSlowError(Exception):
    """The body was not sent, or read, in time."""


def _in_time(pieces: Iterable[bytes], deadline: float) -> Iterator[bytes]:
    for piece in pieces:
        if monotonic() > deadline:
            raise _TooSlowError
        yield piece
