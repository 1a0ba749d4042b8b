"""S3 responses that the local S3 does not give, injected into a function's client."""

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
    """Answer 403 for a missing object or version outside the ledger, as S3 does without ListBucket permission.

    Yields the local S3's original error bodies.
    """
    denied = list[bytes]()

    def deny(response_dict: dict[str, Any], **_: Any) -> None:
        body = response_dict["body"] if response_dict["status_code"] == 404 else b""
        if b"<Code>NoSuchKey</Code>" in body and b"<Key>runs/" not in body:
            denied.append(body)
            response_dict |= {"status_code": 403, "body": DENIED}
        if b"<Code>NoSuchVersion</Code>" in body:
            response_dict |= {"status_code": 403, "body": MAY_NOT_LIST}

    def deny_head(response_dict: dict[str, Any], **_: Any) -> None:
        response_dict["status_code"] = 403 if response_dict["status_code"] == 404 else response_dict["status_code"]

    with (
        _answering(clients, "before-parse.s3.GetObject", deny),
        _answering(clients, "before-parse.s3.HeadObject", deny_head),
    ):
        yield denied


@contextmanager
def conflicting(clients: Clients) -> Iterator[None]:
    """Answer 409 once to each conditional write, as if there were a concurrent writer."""
    conflicted = set[str]()

    def conflict(request: AWSPreparedRequest, **_: Any) -> AWSResponse | None:
        if "If-None-Match" not in request.headers or request.url in conflicted:
            return None
        conflicted.add(request.url)
        return AWSResponse(request.url, 409, HTTPHeaders(), _Raw(CONFLICT))

    with _answering(clients, "before-send.s3.PutObject", conflict):
        yield
    assert conflicted, "no conditional write"


@contextmanager
def refusing_drops(clients: Clients, status: int, code: str, message: str = "As AWS says it.") -> Iterator[None]:
    """Answer every read of an object under `inbox/` with an error; a HEAD response has no body."""
    body = b"<Error><Code>%b</Code><Message>%b</Message></Error>" % (code.encode(), message.encode())

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
def losing_responses(clients: Clients, key_part: str) -> Iterator[None]:
    """Lose the response to the first write of each key that contains `key_part`; the client retries the write."""
    lost = set[str]()
    client: Any = clients.bucket._client  # noqa: SLF001
    send = client._endpoint.http_session.send  # noqa: SLF001

    def lose(request: AWSPreparedRequest, **_: Any) -> None:
        if key_part in request.url and request.url not in lost:
            lost.add(request.url)
            assert send(request).status_code == 200
            raise ConnectionClosedError(endpoint_url=request.url)

    with _answering(clients, "before-send.s3.PutObject", lose):
        yield
    assert lost, f"no write to {key_part}"


@contextmanager
def _answering(clients: Clients, event: str, handler: Callable[..., Any]) -> Iterator[None]:
    events: Any = clients.bucket._client.meta.events  # noqa: SLF001
    events.register(event, handler, unique_id=event)
    try:
        yield
    finally:
        events.unregister(event, unique_id=event)


class _Raw(BytesIO):
    """A response body that does not come from a socket."""

    def __init__(self, data: bytes) -> None:
        super().__init__(data)

    def stream(self, *_: Any, **__: Any) -> Iterator[bytes]:
        yield self.read()
