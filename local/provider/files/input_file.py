"""The lines of an input file: they are read into the requests of a batch, or into its faults."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import UNSET, Raw, Struct, UnsetType

from local.provider.batches.file_fields import LineFault
from local.provider.decode_errors import describe_error
from local.provider.files.other_request import read_other
from local.provider.messages.read_request import Terms, read_request

if TYPE_CHECKING:
    import mmap
    from collections.abc import Iterator
    from datetime import date

    from local.provider.batches.file_fields import LineForm
    from local.provider.batches.request import BatchRequest
    from local.provider.settings import Settings

MESSAGES = "/v1/messages"
MAX_FAULTS = 100
"""How many faults of one file are reported."""


class Line(Struct):
    """One line of either form; the body of the request stays bytes."""

    custom_id: str | UnsetType = UNSET
    params: Raw | UnsetType = UNSET
    method: Any = None
    url: Any = None
    body: Raw | UnsetType = UNSET


@dataclass(slots=True)
class InputFile:
    """The requests and the faults of the lines read so far."""

    endpoint: str
    form: LineForm | None
    terms: Terms
    requests: list[BatchRequest] = field(default_factory=list)
    models: set[str] = field(default_factory=set)
    faults: list[LineFault] = field(default_factory=list)
    custom_ids: set[str] = field(default_factory=set)

    def add_fault(self, code: str, message: str, line: int | None = None, param: str | None = None) -> None:
        """Add a fault, up to the limit."""
        if len(self.faults) < MAX_FAULTS:
            self.faults.append(LineFault(code, message, line, param))

    def add_line(self, number: int, raw: bytes) -> None:
        """Read one line, which adds a request or a fault."""
        try:
            raw.decode()
            line = _LINE.decode(raw)
        except msgspec.ValidationError as error:
            is_object = "$" in str(error)
            code = "invalid_request" if is_object else "invalid_json_line"
            self.add_fault(code, describe_error(error), number)
        except (msgspec.DecodeError, UnicodeDecodeError):
            self.add_fault("invalid_json_line", "This line is not parseable as valid JSON.", number)
        else:
            self._check(number, line)

    def _check(self, number: int, line: Line) -> None:
        self.form = self.form or ("params" if line.body is UNSET else "body")
        body = line.params if self.form == "params" else line.body
        if not line.custom_id:
            self._add_missing("custom_id", number)
        elif body is UNSET or bytes(memoryview(body)[:1]) != b"{":
            self._add_missing(self.form, number)
        elif line.custom_id in self.custom_ids:
            message = f"The custom_id '{line.custom_id}' for this request is a duplicate of another request."
            self.add_fault("duplicate_custom_id", message, number, "custom_id")
        elif self._is_for_endpoint(number, line):
            self._add_request(number, line.custom_id, body)

    def _is_for_endpoint(self, number: int, line: Line) -> bool:
        """Check `method` and `url`, which only lines with a `body` have."""
        if self.form == "params":
            return True
        if line.method != "POST":
            self.add_fault("invalid_request", "The method of every request must be POST.", number, "method")
        elif line.url != self.endpoint:
            message = f"The URL provided for this request does not match the batch endpoint {self.endpoint}."
            self.add_fault("url_mismatch", message, number, "url")
        else:
            return True
        return False

    def _add_request(self, number: int, custom_id: str, body: Raw) -> None:
        self.custom_ids.add(custom_id)
        read = read_request if self.endpoint == MESSAGES else read_other
        request = read(custom_id, body, self.terms)
        if self.form == "body" and request.model and self.models - {request.model}:
            message = "The model of this request does not match the rest of the batch."
            self.add_fault("model_mismatch", message, number, "body.model")
            return
        if request.model:
            self.models.add(request.model)
        self.requests.append(request)

    def _add_missing(self, name: str, number: int) -> None:
        self.add_fault("missing_required_parameter", f"Missing required parameter: '{name}'.", number, name)


def read_input_file(content: mmap.mmap | bytes, endpoint: str, settings: Settings, today: date) -> InputFile:
    """Read a whole file; memory holds about 500 bytes a request, the content stays on disk."""
    terms = Terms(today=today, ids_of_params=settings.ids_of_params)
    file = InputFile(endpoint, settings.line_form, terms)
    number = 0
    lines = _split_naively(content) if settings.naive_lines else _split(content)
    for number, raw in enumerate(lines, 1):
        if number > settings.max_file_requests:
            message = f"This batch contains too many tasks: at most {settings.max_file_requests} are supported."
            file.faults.insert(0, LineFault("too_many_tasks", message))
            break
        file.add_line(number, raw)
        if number in settings.blame:
            file.add_fault(settings.blame[number], "The provider's settings make this line invalid.", number)
    if settings.blame_whole:
        file.faults.insert(0, LineFault(settings.blame_whole, "The provider's settings make this file invalid."))
    if number == 0:
        file.add_fault("empty_file", "The input file is empty. Ensure that the batch contains at least one request.")
    return file


def _split(content: mmap.mmap | bytes) -> Iterator[bytes]:
    """Yield the lines of a file, without their line ends; a newline at the end starts no further line."""
    start = 0
    while start < len(content):
        end = content.find(b"\n", start)
        end = len(content) if end < 0 else end
        yield content[start:end].removesuffix(b"\r")
        start = end + 1


def _split_naively(content: mmap.mmap | bytes) -> Iterator[bytes]:
    """Yield the lines as programs do that also split at characters which JSON strings may hold, such as U+2028."""
    return (line.encode() for line in bytes(content).decode(errors="replace").splitlines())


_LINE = msgspec.json.Decoder(Line)
