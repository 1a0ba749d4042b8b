"""A fake AWS: real clients, whose requests are answered here instead of over the network."""

import re
from collections.abc import Callable, Iterator
from functools import partial
from io import BytesIO
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit
from xml.sax.saxutils import escape

import boto3
from botocore import UNSIGNED
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders
from botocore.config import Config
from botocore.exceptions import ReadTimeoutError
from botocore.retries.standard import ExponentialBackoff

from tests.support.memory_aws.short_way import short_way

type Server = Callable[[Any], AWSResponse]
"""Answers a request as prepared by botocore."""

# Bodies and paths as they are meant; repeats as the functions' own clients make them; nothing that only takes time.
_CONFIG = Config(
    signature_version=UNSIGNED,
    user_agent="tests",
    request_checksum_calculation="when_required",
    s3={"addressing_style": "path"},
    retries={"mode": "standard", "total_max_attempts": 5},
)
# How long a client waits before a repeat is botocore's, and no test is about it.
ExponentialBackoff.delay_amount = lambda *_: 0.0  # type: ignore[method-assign]
_PAGE = 1000
"""The maximum number of keys in one page of a listing, as in S3."""
_ABOUT = {"etag": '"e"', "last-modified": "Sun, 22 Nov 2026 10:00:00 GMT", "x-amz-version-id": "v1"}


class _Body(BytesIO):
    def stream(self) -> Iterator[bytes]:
        """Yield the rest of the body, as urllib3 does."""
        yield self.read()


def answer(status: int = 200, body: bytes = b"", headers: dict[str, str] | None = None) -> AWSResponse:
    """Return a response."""
    every = HTTPHeaders.from_dict({"content-length": str(len(body)), **(headers or {})})
    return AWSResponse("http://aws.test", status, every, _Body(body))


def failure(status: int, code: str) -> AWSResponse:
    """Return an error response in S3's format."""
    return answer(status, f"<Error><Code>{code}</Code><Message>no</Message></Error>".encode())


def client(service: str, server: Server) -> Any:
    """Return a client whose service is a function; the function may raise botocore's network exceptions."""
    known: dict[str, Any] = {"region_name": "us-east-1", "aws_access_key_id": "x", "aws_secret_access_key": "x"}
    made: Any = boto3.client(service, config=_CONFIG, **known)
    made.meta.events.register("before-send", lambda request, **_: server(request))
    endpoint = made._endpoint  # noqa: SLF001
    endpoint._send_request = partial(short_way(endpoint.host, type(endpoint)._send_request), endpoint)  # noqa: SLF001
    return made


class FakeBucket:
    """One bucket, in memory: reads, writes that may be conditional, and listings in pages of 1,000 keys."""

    def __init__(self) -> None:
        """Start empty."""
        self.objects: dict[str, bytes] = {}
        self.requests: list[str] = []
        """The requests so far: `LIST prefix`, `GET key`, `PUT key`, `HEAD key`."""
        self.denied: set[str] = set()
        """Keys that may not be read."""
        self.client = client("s3", self.serve)

    def serve(self, request: Any) -> AWSResponse:
        """Answer one request."""
        address = urlsplit(request.url)
        key = unquote(address.path).removeprefix("/bucket").removeprefix("/")
        question = parse_qs(address.query)
        self.requests.append(f"{request.method} {key}" if key else f"LIST {question['prefix'][0]}")
        if request.method == "PUT":
            if "If-None-Match" in request.headers and key in self.objects:
                return failure(412, "PreconditionFailed")
            self.objects[key] = request.body.read()
            return answer()
        if not key:
            return self._list(question["prefix"][0], question.get("continuation-token", [""])[0])
        if key in self.denied or key not in self.objects:
            return failure(403, "AccessDenied") if key in self.denied else failure(404, "NoSuchKey")
        if request.method == "HEAD":
            return answer(200, b"", _ABOUT | {"content-length": str(len(self.objects[key]))})
        return self._read(key, re.findall(r"\d+", str(request.headers.get("Range", ""))))

    def _read(self, key: str, places: list[str]) -> AWSResponse:
        """Return an object, or the range of it between the places of two bytes."""
        if not places:
            return answer(200, self.objects[key])
        first, last = map(int, places)
        return answer(206, self.objects[key][first : last + 1])

    def _list(self, prefix: str, after: str) -> AWSResponse:
        found = [key for key in sorted(self.objects) if key.startswith(prefix) and key > after]
        page = found[:_PAGE]
        contents = "".join(f"<Contents><Key>{escape(key)}</Key></Contents>" for key in page)
        if len(found) > len(page):
            more = escape(page[-1])
            contents += f"<IsTruncated>true</IsTruncated><NextContinuationToken>{more}</NextContinuationToken>"
        return answer(200, f"<ListBucketResult>{contents}</ListBucketResult>".encode())


class BadBucket:
    """A bucket that loses the responses to its first writes, or answers them with conflicts."""

    def __init__(self, *, lost: int = 0, conflicts: int = 0) -> None:
        """Set how many responses are lost, and how many writes conflict."""
        self.bucket = FakeBucket()
        self.writes: list[int] = []
        self.client = client("s3", self._serve)
        self._lost, self._conflicts = lost, conflicts

    def _serve(self, request: Any) -> AWSResponse:
        if request.method != "PUT":
            return self.bucket.serve(request)
        number = len(self.writes)
        answered = (
            failure(409, "ConditionalRequestConflict") if number < self._conflicts else self.bucket.serve(request)
        )
        self.writes.append(answered.status_code)
        if number < self._lost:
            raise ReadTimeoutError(endpoint_url=request.url)
        return answered
