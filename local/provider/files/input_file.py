"""The lines of an input file: from bytes on disk to the requests of a batch, or all that is wrong with them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, Raw, Struct, UnsetType

from local.provider.files.batch_object import LineFault
from local.provider.messages.params import QUOTED_CHARS, VERSIONS, Asked, digest_of, plainly, read_params

if TYPE_CHECKING:
    import mmap
    from collections.abc import Iterator

    from local.provider.settings import Settings

MESSAGES = "/v1/messages"
MOST_FAULTS = 100
"""As many faults are told of one file."""

type LineForm = Literal["params", "body"]


class Line(Struct):
    """One line, in either form; what is asked stays the bytes it is."""

    custom_id: str | UnsetType = UNSET
    params: Raw | UnsetType = UNSET
    method: Any = None
    url: Any = None
    body: Raw | UnsetType = UNSET


class AnyParams(Struct):
    """A body of an endpoint that is not looked into."""

    model: Annotated[str, Meta(min_length=1)]
    messages: Any = None


@dataclass(slots=True)
class Intake:
    """What was read of a file so far."""

    endpoint: str
    form: LineForm | None
    requests: list[Asked] = field(default_factory=list)
    models: set[str] = field(default_factory=set)
    faults: list[LineFault] = field(default_factory=list)
    seen: set[str] = field(default_factory=set)

    def blame(self, code: str, message: str, line: int | None = None, param: str | None = None) -> None:
        """Note a fault, unless there are more than anybody wants to read."""
        if len(self.faults) < MOST_FAULTS:
            self.faults.append(LineFault(code, message, line, param))

    def read(self, number: int, raw: bytes) -> None:
        """Read one line: it becomes a request, or a fault."""
        try:
            raw.decode()
            line = _LINE.decode(raw)
        except msgspec.ValidationError as error:
            whole = "$" not in str(error)
            code = "invalid_json_line" if whole else "invalid_request"
            self.blame(code, plainly(error), number)
        except (msgspec.DecodeError, UnicodeDecodeError):
            self.blame("invalid_json_line", "This line is not parseable as valid JSON.", number)
        else:
            self._take(number, line)

    def _take(self, number: int, line: Line) -> None:
        self.form = self.form or ("params" if line.body is UNSET else "body")
        asked_for = line.params if self.form == "params" else line.body
        if not line.custom_id:
            self._lacks("custom_id", number)
        elif asked_for is UNSET or bytes(memoryview(asked_for)[:1]) != b"{":
            self._lacks(self.form, number)
        elif line.custom_id in self.seen:
            message = f"The custom_id '{line.custom_id}' for this request is a duplicate of another request."
            self.blame("duplicate_custom_id", message, number, "custom_id")
        elif self._fits(number, line):
            self._keep(number, line.custom_id, asked_for)

    def _fits(self, number: int, line: Line) -> bool:
        """Check what only lines with a `body` say."""
        if self.form == "params":
            return True
        if line.method != "POST":
            self.blame("invalid_request", "The method of every request must be POST.", number, "method")
        elif line.url != self.endpoint:
            message = f"The URL provided for this request does not match the batch endpoint {self.endpoint}."
            self.blame("url_mismatch", message, number, "url")
        else:
            return True
        return False

    def _keep(self, number: int, custom_id: str, asked_for: Raw) -> None:
        self.seen.add(custom_id)
        read = read_params if self.endpoint == MESSAGES else _read_any
        asked = read(custom_id, asked_for, VERSIONS[0])
        if self.form == "body" and asked.model and self.models - {asked.model}:
            message = "The model of this request does not match the rest of the batch."
            self.blame("model_mismatch", message, number, "body.model")
            return
        if asked.model:
            self.models.add(asked.model)
        self.requests.append(asked)

    def _lacks(self, name: str, number: int) -> None:
        self.blame("missing_required_parameter", f"Missing required parameter: '{name}'.", number, name)


def read_input(content: mmap.mmap | bytes, endpoint: str, settings: Settings) -> Intake:
    """Read a whole file; memory holds the requests (some 500 bytes each), the rest is the system's cache."""
    intake = Intake(endpoint, settings.line_form)
    number = 0
    lines = _split_naively(content) if settings.naive_lines else _split(content)
    for number, raw in enumerate(lines, 1):
        if number > settings.max_file_requests:
            most = f"This batch contains too many tasks: at most {settings.max_file_requests} are supported."
            intake.faults.insert(0, LineFault("too_many_tasks", most))
            break
        intake.read(number, raw)
        if number in settings.blame:
            intake.blame(settings.blame[number], "This line was told to be at fault.", number)
    if settings.blame_whole:
        intake.faults.insert(0, LineFault(settings.blame_whole, "This file was told to be at fault."))
    if number == 0:
        intake.blame("empty_file", "The input file is empty. Ensure that the batch contains at least one request.")
    return intake


def _split(content: mmap.mmap | bytes) -> Iterator[bytes]:
    """Give the lines of a file; the newline at its end begins no other."""
    start = 0
    while start < len(content):
        end = content.find(b"\n", start)
        end = len(content) if end < 0 else end
        yield content[start:end].removesuffix(b"\r")
        start = end + 1


def _split_naively(content: mmap.mmap | bytes) -> Iterator[bytes]:
    """Give what many programs take for the lines of a file: JSON strings may hold more characters that end one."""
    return (line.encode() for line in bytes(content).decode(errors="replace").splitlines())


def _read_any(custom_id: str, asked_for: Raw, _version: str) -> Asked:
    """Keep what an answer needs of a request to an endpoint whose rules are not known here."""
    raw = memoryview(asked_for)
    digest = digest_of(custom_id, raw)
    try:
        read = _ANY.decode(raw)
    except msgspec.DecodeError as error:
        return Asked(custom_id, digest, plainly(error))
    said = _said(read.messages)
    return Asked(custom_id, digest, "", read.model, said[:QUOTED_CHARS], 4 + len(raw) // 4)


def _said(messages: Any) -> str:  # noqa: ANN401 - whatever the endpoint takes
    turns = [turn for turn in messages if isinstance(turn, dict)] if isinstance(messages, list) else []
    texts = (turn["content"] for turn in reversed(turns) if isinstance(turn.get("content"), str))
    return next(texts, "")


_LINE = msgspec.json.Decoder(Line)
_ANY = msgspec.json.Decoder(AnyParams)
