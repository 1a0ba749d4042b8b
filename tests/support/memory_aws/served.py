"""The AWS in memory behind a socket, for programs that run in processes of their own."""

from __future__ import annotations

import re
from collections import Counter
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import parse_qs, urlsplit

from botocore.awsrequest import AWSPreparedRequest
from botocore.compat import HTTPHeaders

from tests.support.memory_aws.answers import answer, element
from tests.support.memory_aws.stacks import refused

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from botocore.awsrequest import AWSResponse

    from tests.support.memory_aws.aws import MemoryAws

_OF_S3 = frozenset({"LIST", "VERSIONS", "GET", "HEAD", "PUT", "DELETE"})


class Place(NamedTuple):
    """A byte of an object."""

    name: str
    byte: int

    def offset_in(self, request: AWSPreparedRequest) -> int | None:
        """Return where it is in the response to a read of a range; None if it is not in it."""
        wanted = re.fullmatch(r"bytes=(\d+)-(\d+)", request.headers.get("range", ""))
        if wanted is None or not urlsplit(str(request.url)).path.endswith(self.name):
            return None
        start, end = int(wanted[1]), int(wanted[2])
        return self.byte - start if start <= self.byte <= end else None


class Served:
    """An AWS in memory, and what was asked of it."""

    def __init__(self, memory: MemoryAws, url: str) -> None:
        """Take the AWS, and the address at which it is served."""
        self.memory = memory
        self.url = url
        self.asked: Counter[str] = Counter()
        """Requests by kind: those of S3 (`_OF_S3`), and the names of other operations."""
        self.refusals: dict[str, AWSResponse] = {}
        """Responses by kind, instead of those of the AWS in memory."""
        self.reactions: dict[str, Callable[[], object]] = {}
        """What happens by itself before a request of a kind is answered."""
        self.stalled, self.goes_on = Event(), Event()
        self._stalls = ""
        self._seconds: float | None = None
        self._stalls_at: Place | None = None
        self._cut_at: Place | None = None
        self._refused_at: tuple[str, AWSResponse] | None = None

    def refuse(self, kind: str, status: int, code: str, message: str = "no") -> None:
        """Answer all requests of a kind with an error."""
        of_s3 = answer(status, element("Error", {"Code": code, "Message": message}))
        self.refusals[kind] = of_s3 if kind in _OF_S3 else refused(status, code, message)

    def refuse_at(self, name: str, status: int, code: str, message: str = "no") -> None:
        """Answer all reads of an object with an error. `name`: how its key ends."""
        self._refused_at = name, answer(status, element("Error", {"Code": code, "Message": message}))

    def stall(self, kind: str, seconds: float | None = None) -> None:
        """Answer no request of a kind before `goes_on` is set, or so long; `stalled` says that there is one."""
        self._stalls, self._seconds = kind, seconds

    def stall_at(self, name: str, byte: int) -> None:
        """Do the same for reads of a byte of an object. `name`: how its key ends."""
        self._stalls_at = Place(name, byte)

    def cut_at(self, name: str, byte: int) -> None:
        """Break off each response that has a byte of an object, before that byte. `name`: how its key ends."""
        self._cut_at = Place(name, byte)

    def cut(self, request: AWSPreparedRequest, content: bytes) -> bytes:
        """Return what is sent of the content of a response."""
        start = self._cut_at.offset_in(request) if self._cut_at else None
        return content if start is None else content[:start]

    def reset(self) -> None:
        """Forget what was asked, and refuse and stall nothing."""
        self.asked.clear()
        self.refusals.clear()
        self.reactions.clear()
        self.stalled.clear()
        self.goes_on.clear()
        self._stalls, self._seconds = "", None
        self._stalls_at = self._cut_at = self._refused_at = None

    def answer(self, request: AWSPreparedRequest) -> AWSResponse:
        """Answer a request."""
        kind = _kind(request)
        self.asked[kind] += 1
        if kind == self._stalls or (self._stalls_at and self._stalls_at.offset_in(request) is not None):
            self.stalled.set()
            self.goes_on.wait(self._seconds)
        if self._refused_at and kind == "GET" and urlsplit(request.url).path.endswith(self._refused_at[0]):
            return self._refused_at[1]
        if kind in self.reactions:
            self.reactions[kind]()
        return self.refusals.get(kind) or self.memory.serve(request)


@contextmanager
def served(memory: MemoryAws) -> Iterator[Served]:
    """Serve an AWS in memory on a free port of the loopback for the length of the block."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def handle(self) -> None:
            """Answer the requests of a connection. A program that is tested may end before it has its answer."""
            with suppress(ConnectionError):
                super().handle()

        def log_message(self, *_: object) -> None:
            """Write nothing."""

        def _answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            url = f"{server.url}{self.path}"
            headers = HTTPHeaders.from_dict(dict(self.headers.items()))
            request = AWSPreparedRequest(self.command, url, headers, body, stream_output=False)
            response = server.answer(request)
            content = response.content
            self.send_response(response.status_code)
            sizes = {"content-length": str(len(content))} if self.command != "HEAD" else {}
            for name, value in (dict(response.headers) | sizes).items():
                self.send_header(name, str(value))
            self.end_headers()
            sent = b"" if self.command == "HEAD" else server.cut(request, content)
            self.wfile.write(sent)
            self.close_connection = len(sent) < len(content)

        do_GET = do_PUT = do_POST = do_HEAD = do_DELETE = _answer  # noqa: N815 - as http.server names them

    listener = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server = Served(memory, f"http://127.0.0.1:{listener.server_port}")
    thread = Thread(target=listener.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield server
    finally:
        listener.shutdown()
        listener.server_close()
        thread.join()


def _kind(request: Any) -> str:
    body: bytes = request.body
    if request.method == "POST" and b"Action=" in body:
        return parse_qs(body.decode())["Action"][0]
    question = parse_qs(urlsplit(request.url).query, keep_blank_values=True)
    kinds = {("GET", "list-type"): "LIST", ("GET", "versions"): "VERSIONS", ("POST", "delete"): "DELETE"}
    found = (kind for (method, name), kind in kinds.items() if request.method == method and name in question)
    return next(found, str(request.method))
