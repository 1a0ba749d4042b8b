"""A file batch server that is a function, with responses set by the test."""

from collections import defaultdict, deque
from collections.abc import Callable
from email import message_from_bytes
from email.message import Message
from typing import Any

import httpx
import msgspec
from msgspec.structs import replace

from conveyor.provider.credentials import KeyHeader
from conveyor.provider.files.api import FileBatches, connect
from conveyor.provider.transport import Transport
from tests.support.examples import NOW, SETTINGS
from tests.support.keys import Keys

URL = "https://provider.test"
CREATED = int(NOW.timestamp())
FILES, BATCHES = "/v1/files", "/v1/batches"
NAME = "conveyor-run-1-1.jsonl"
"""The name of the file of `examples.ORIGIN`."""
LINES = b'{"custom_id":"n-1","params":{}}\n{"custom_id":"n-2","params":{}}\n'
type Reply = httpx.Response | type[httpx.TransportError] | Callable[[httpx.Request], httpx.Response]


class FileServer:
    """Keeps files and batches, newest first, and all requests."""

    def __init__(self) -> None:
        """Start empty."""
        self.files: list[dict[str, Any]] = []
        self.batches: list[dict[str, Any]] = []
        self.content: dict[str, bytes] = {}
        self.seen: list[httpx.Request] = []
        self._told: dict[str, deque[Reply]] = defaultdict(deque)

    def tells(self, call: str, *replies: Reply) -> None:
        """Set the next responses, or exceptions, for a method and path such as `GET /v1/files`."""
        self._told[call] += replies

    def asked(self, call: str) -> list[httpx.Request]:
        """Return the requests with a method and path."""
        return [request for request in self.seen if _call(request) == call]

    def api(self, keys: Keys | None = None, *, url: str = URL, **changes: Any) -> FileBatches:
        """Return the API client for this server, with some settings changed."""
        client = httpx.Client(transport=httpx.MockTransport(self._answer))
        settings = replace(SETTINGS, batch_api="files", **changes)
        return connect(Transport(client, url, KeyHeader(keys or Keys(), bearer=True)), settings)

    def _answer(self, request: httpx.Request) -> httpx.Response:
        request.read()
        self.seen.append(request)
        told = self._told[_call(request)]
        if not told:
            return self._does(request)
        reply = told.popleft()
        if isinstance(reply, type):
            raise reply("secret key-0")
        return reply if isinstance(reply, httpx.Response) else reply(request)

    def _does(self, request: httpx.Request) -> httpx.Response:
        answer = None
        match request.method, request.url.path.removeprefix("/v1/").split("/"):
            case "GET", ["files"]:
                answer = listed(self.files)
            case "POST", ["files"]:
                answer = self.keep(request)
            case "GET", ["files", file, "content"] if file in self.content:
                answer = httpx.Response(200, content=self.content[file])
            case "DELETE", ["files", file] if self.content.pop(file, None) is not None:
                answer = httpx.Response(200, json={"id": file, "deleted": True})
            case "GET", ["batches"]:
                answer = listed(self.batches)
            case "POST", ["batches"]:
                self.batches.insert(0, batch(len(self.batches) + 1, **msgspec.json.decode(request.content)))
                answer = httpx.Response(200, json=self.batches[0])
            case _, ["batches", batch_id, *_]:
                answer = next((httpx.Response(200, json=each) for each in self.batches if each["id"] == batch_id), None)
        return answer or error(404)

    def keep(self, request: httpx.Request) -> httpx.Response:
        """Store an uploaded file."""
        part = form(request)["file"]
        made = file(len(self.files) + 1, size=len(body(part)), name=str(part.get_filename()))
        self.files.insert(0, made)
        self.content[made["id"]] = body(part)
        return httpx.Response(200, json=made)


def _call(request: httpx.Request) -> str:
    return f"{request.method} {request.url.path}"


def form(request: httpx.Request) -> dict[str, Message]:
    """Parse a multipart form."""
    head = b"Content-Type: " + request.headers["content-type"].encode() + b"\r\n\r\n"
    parts = message_from_bytes(head + request.content).get_payload()
    assert isinstance(parts, list)
    return {
        str(part.get_param("name", header="content-disposition")): part for part in parts if isinstance(part, Message)
    }


def body(part: Message) -> bytes:
    """Return the bytes of a part."""
    data = part.get_payload(decode=True)
    assert isinstance(data, bytes)
    return data


def listed(entries: list[dict[str, Any]], *, more: bool = False) -> httpx.Response:
    """Return one page of a list."""
    return httpx.Response(200, json={"object": "list", "data": entries, "has_more": more})


def file(number: int, *, size: int = len(LINES), name: str = NAME, **changes: Any) -> dict[str, Any]:
    """Return a file object in OpenAI's format."""
    about = {"id": f"file-{number}", "object": "file", "bytes": size, "created_at": CREATED + number, "filename": name}
    return about | {"purpose": "batch", "status": "processed", "expires_at": None} | changes


def batch(number: int = 1, **changes: Any) -> dict[str, Any]:
    """Return a batch object in OpenAI's format, as it is just after creation."""
    about = {
        "id": f"batch_{number}",
        "object": "batch",
        "status": "validating",
        "created_at": CREATED,
        "expires_at": CREATED + 86_400,
        "output_file_id": None,
        "error_file_id": None,
        "errors": None,
        "request_counts": {"total": 0, "completed": 0, "failed": 0},
        "metadata": None,
        "a_field_of_next_year": {},
    }
    return about | changes


def error(status: int, message: str = "…", code: str | None = None, **more: Any) -> httpx.Response:
    """Return an error in OpenAI's format."""
    about = {"message": message, "type": "invalid_request_error", "param": None, "code": code}
    return httpx.Response(status, json={"error": about | more})
