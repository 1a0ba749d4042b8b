"""What AWS's S3 answers at times and the local one does not: put on the wire of a function's client."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import BytesIO
from typing import Any

from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.compat import HTTPHeaders
from botocore.exceptions import ConnectionClosedError

from conveyor.clients import Clients

_ERROR = b'<?xml version="1.0" encoding="UTF-8"?><Error><Code>%s</Code><Message>As AWS says it.</Message></Error>'
DENIED = _ERROR % b"AccessDenied"
MAY_NOT_LIST = DENIED.replace(
    b"As AWS says it.",
    b"User: x is not authorized to perform: s3:ListBucket because no identity-based policy allows it",
)
CONFLICT = _ERROR % b"ConditionalRequestConflict"


@contextmanager
def denying(clients: Clients) -> Iterator[list[bytes]]:
    """Answer 403 for an object or version that is not there, except in a ledger: S3 tells only those who may list.

    Yields what it was asked for, as the local S3 words it.
    """
    denied = list[bytes]()

    def deny(response_dict: dict[str, Any], **_: Any) -> None:
        told = response_dict["body"] if response_dict["status_code"] == 404 else b""
        if b"<Code>NoSuchKey</Code>" in told and b"<Key>runs/" not in told:
            denied.append(told)
            response_dict |= {"status_code": 403, "body": DENIED}
        if b"<Code>NoSuchVersion</Code>" in told:
            response_dict |= {"status_code": 403, "body": MAY_NOT_LIST}

    def deny_without_words(response_dict: dict[str, Any], **_: Any) -> None:
        response_dict["status_code"] = 403 if response_dict["status_code"] == 404 else response_dict["status_code"]

    with (
        _answering(clients, "before-parse.s3.GetObject", deny),
        _answering(clients, "before-parse.s3.HeadObject", deny_without_words),
    ):
        yield denied


@contextmanager
def conflicting(clients: Clients) -> Iterator[None]:
    """Answer 409 to each conditional write once: another writer was at it at that moment."""
    met = set[str]()

    def conflict(request: AWSPreparedRequest, **_: Any) -> AWSResponse | None:
        if "If-None-Match" not in request.headers or request.url in met:
            return None
        met.add(request.url)
        return AWSResponse(request.url, 409, HTTPHeaders(), _Raw(CONFLICT))

    with _answering(clients, "before-send.s3.PutObject", conflict):
        yield
    assert met, "no conditional write"


@contextmanager
def refusing_drops(clients: Clients, status: int, code: str, words: str = "As AWS says it.") -> Iterator[None]:
    """Answer every read of an object under `inbox/` with an error, for which AWS gives a HEAD no words."""
    body = b"<Error><Code>%b</Code><Message>%b</Message></Error>" % (code.encode(), words.encode())

    def refuse(request: AWSPreparedRequest, **_: Any) -> AWSResponse | None:
        if "/inbox/" not in request.url:
            return None
        return AWSResponse(request.url, status, HTTPHeaders(), _Raw(b"" if request.method == "HEAD" else body))

    with (
        _answering(clients, "before-send.s3.GetObject", refuse),
        _answering(clients, "before-send.s3.HeadObject", refuse),
    ):
        yield


@contextmanager
def losing_responses(clients: Clients, words: str) -> Iterator[None]:
    """Let the first write to each key that holds some words arrive, and lose its answer: the client repeats it."""
    met = set[str]()
    client: Any = clients.bucket._client  # noqa: SLF001
    send = client._endpoint.http_session.send  # noqa: SLF001

    def lose(request: AWSPreparedRequest, **_: Any) -> None:
        if words in request.url and request.url not in met:
            met.add(request.url)
            assert send(request).status_code == 200
            raise ConnectionClosedError(endpoint_url=request.url)

    with _answering(clients, "before-send.s3.PutObject", lose):
        yield
    assert met, f"no write to {words}"


@contextmanager
def _answering(clients: Clients, event: str, handler: Callable[..., Any]) -> Iterator[None]:
    events: Any = clients.bucket._client.meta.events  # noqa: SLF001
    events.register(event, handler, unique_id=event)
    try:
        yield
    finally:
        events.unregister(event, unique_id=event)


class _Raw(BytesIO):
    """The body of an answer that was never on a socket."""

    def __init__(self, data: bytes) -> None:
        super().__init__(data)

    def stream(self, *_: Any, **__: Any) -> Iterator[bytes]:
        yield self.read()
