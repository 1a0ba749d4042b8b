"""HTTP calls to one provider: its URL, an HTTP client, a credential. Failed calls become values."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from hashlib import sha256
from time import monotonic
from typing import NamedTuple

import httpx

from conveyor.domain.refusal import NOT_CALLED, RefusalKind
from conveyor.provider.credentials import Credential
from conveyor.provider.protocol import Refused, ResultsUnreadable, Trouble, TroubleKind, Unknown
from conveyor.provider.retry_after import RetryAfter
from conveyor.wording.trouble import in_words, name_of

_TIMEOUT = httpx.Timeout(30.0, connect=5.0)
"""Seconds."""
_CREDENTIAL_REFUSED = (401, 403)
_GONE = (404, 410)
_NO_ADDRESS = "an id that the provider gave cannot be part of an address"


class Content(NamedTuple):
    """The body of a request."""

    type: str
    size: int
    """Bytes."""
    pieces: Callable[[], Iterable[bytes]]
    """Returns the body in pieces; each call reads it again."""


class HttpResponse(NamedTuple):
    """The response to a POST."""

    status: int
    headers: httpx.Headers
    body: bytes
    """Without the credential, if it is an error that quotes it."""

    @property
    def is_success(self) -> bool:
        """Whether the status is 2xx."""
        return httpx.codes.is_success(self.status)


class Transport:
    """One provider. Redirects are never followed, because they would carry the credential elsewhere.

    After a response that asks not to be called before a moment (Retry-After), no call is made before it.
    """

    def __init__(
        self, client: httpx.Client, url: str, credential: Credential, headers: Mapping[str, str] | None = None,
        retry_after: RetryAfter | None = None,
    ) -> None:  # fmt: skip
        """`url` may end in `/v1`, as some SDKs want it. `headers` are sent with each call."""
        self._client = client
        self._url = url.rstrip("/").removesuffix("/v1")
        self._credential = credential
        self._headers = dict(headers or {})
        self._retry_after = retry_after or RetryAfter()

    def with_headers(self, headers: Mapping[str, str]) -> "Transport":
        """Return the same transport with further headers on each call."""
        return Transport(self._client, self._url, self._credential, self._headers | dict(headers), self._retry_after)

    def renew(self) -> None:
        """Read the credential again. Raises CredentialsUnusable."""
        self._credential.renew()

    def ask(self, method: str, path: str, query: Mapping[str, str | int] | None = None) -> httpx.Response | Trouble:
        """Call once, and once more with the credential read again if it was refused: a key may have been rotated."""
        answer = self._answer(method, path, query)
        if isinstance(answer, Trouble) or answer.is_success:
            return answer
        return Trouble(f"HTTP {answer.status_code}", _kind(answer))

    def try_out(self, path: str, query: Mapping[str, str | int]) -> HttpResponse | Trouble:
        """Read from a path, as `ask` does, and return the response also where it is an error."""
        answer = self._answer("GET", path, query)
        if isinstance(answer, Trouble):
            return answer
        return HttpResponse(answer.status_code, answer.headers, answer.content)

    def _answer(self, method: str, path: str, query: Mapping[str, str | int] | None) -> httpx.Response | Trouble:
        if self._retry_after.is_active:
            return Trouble(self._retry_after.reason, TroubleKind.UNASKED)
        try:
            answer = self._call(method, path, query)
            if answer.status_code in _CREDENTIAL_REFUSED and not self._retry_after.is_active:
                self._credential.renew()
                answer = self._call(method, path, query)
        except httpx.InvalidURL:
            return Trouble(_NO_ADDRESS)
        except httpx.HTTPError as error:
            return Trouble(name_of(error))
        return answer

    def post(self, path: str, content: Content, seconds: float) -> HttpResponse | Refused | Unknown:
        """Post once. A third of the time is for the body but its last piece, one for that, and one for the response.

        A call that never reached the provider is a refusal, because nothing was created. So is a call that is not made,
        because the provider asked not to be called yet.
        """
        if self._retry_after.is_active:
            message = "the provider had asked not to be called yet"
            return Refused(RefusalKind.LATER, 0, NOT_CALLED, message, self._retry_after.seconds)
        third = seconds / 3
        start = monotonic()
        try:
            digest = self._digest(content, start + third)
        except _TooSlowError:
            return Refused(RefusalKind.LATER, 0, "too_slow", "the body could not be read in time, to sign it", None)
        headers = {**self._headers, "content-type": content.type, "content-length": str(content.size)}
        pieces = _in_time(content.pieces(), start + third)
        timeout = httpx.Timeout(third, connect=min(5.0, third))
        request = self._client.build_request("POST", self._url + path, headers=headers, content=pieces, timeout=timeout)
        self._credential.sign(request, digest)
        try:
            with closing(self._client.send(request, stream=True)) as answer:
                body = b"".join(_in_time(answer.iter_bytes(), start + seconds))
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            return Refused(RefusalKind.LATER, 0, "unreachable", in_words(name_of(error)), None)
        except (httpx.HTTPError, _TooSlowError) as error:
            return Unknown(f"{name_of(error)} while the batch was sent")
        self._obey_retry_after(answer)
        if not answer.is_success:  # before it is cut: half a key would not be found
            body = self._credential.redact(body.decode(errors="replace")).encode()
        return HttpResponse(answer.status_code, answer.headers, body)

    @contextmanager
    def stream(self, path: str, *, seconds: int) -> Iterator[Iterator[bytes]]:
        """Yield the pieces of what is at a path. `seconds`: the longest wait for a piece. Raises ResultsUnreadable."""
        if self._retry_after.is_active:
            raise ResultsUnreadable(f"{self._retry_after.reason} before {path} was requested", TroubleKind.UNASKED)
        try:
            with ExitStack() as opened:
                answer = self._open(path, opened, seconds)
                if answer.status_code in _CREDENTIAL_REFUSED and not self._retry_after.is_active:
                    self._credential.renew()
                    answer = self._open(path, opened, seconds)
                if not answer.is_success:
                    raise ResultsUnreadable(f"HTTP {answer.status_code} for {path}", _kind(answer))
                yield answer.iter_bytes()
        except httpx.InvalidURL:
            raise ResultsUnreadable(_NO_ADDRESS) from None
        except httpx.HTTPError as error:
            # Not chained: the cause may quote a header, and so the key.
            raise ResultsUnreadable(f"{name_of(error)} while {path} was read") from None

    def _open(self, path: str, opened: ExitStack, seconds: int) -> httpx.Response:
        request = self._request("GET", path, None, httpx.Timeout(seconds, connect=5.0))
        return self._obey_retry_after(opened.enter_context(closing(self._client.send(request, stream=True))))

    def _call(self, method: str, path: str, query: Mapping[str, str | int] | None) -> httpx.Response:
        return self._obey_retry_after(self._client.send(self._request(method, path, query, _TIMEOUT)))

    def _obey_retry_after(self, answer: httpx.Response) -> httpx.Response:
        """Obey the Retry-After of an error response; with a success it says nothing about the next call."""
        if not answer.is_success:
            self._retry_after.obey(answer.status_code, answer.headers.get("retry-after", ""))
        return answer

    def _request(
        self, method: str, path: str, query: Mapping[str, str | int] | None, timeout: httpx.Timeout
    ) -> httpx.Request:
        url = self._url + path
        request = self._client.build_request(method, url, params=query, headers=self._headers, timeout=timeout)
        self._credential.sign(request, "")
        return request

    def _digest(self, content: Content, deadline: float) -> str:
        """Return the SHA-256 of the body, which is read once more for it; empty unless the credential signs it."""
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
