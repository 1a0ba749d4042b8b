"""The lines of an uploaded file: from bytes on disk to the requests of a batch, or to the faults that let it fail."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, BinaryIO

import msgspec
from msgspec import Raw, Struct

from local.provider.params import VERSIONS, Asked, read_params

if TYPE_CHECKING:
    from collections.abc import Iterator

    from local.provider.settings import Settings

MESSAGES_ENDPOINT = "/v1/messages"
MOST_FAULTS = 100


class Line(Struct):
    """A line of either form; the request itself stays the bytes it is."""

    custom_id: str = ""
    params: Raw = Raw(b"")
    method: str = "POST"
    url: str = ""
    body: Raw = Raw(b"")


class _Model(Struct):
    model: str


class Reader:
    """Reads a file for a batch with an endpoint; what is wrong with it is kept, as the batch's errors."""

    def __init__(self, settings: Settings, endpoint: str) -> None:
        """Read nothing yet."""
        self._settings = settings
        self._endpoint = endpoint
        self._seen: set[str] = set()
        self._model = ""
        self.form = settings.line_form or ""
        self.faults: list[dict[str, Any]] = []

    def read(self, content: BinaryIO) -> list[Asked]:
        """Return the requests of a file, as far as they are sound."""
        content.seek(0)
        found = [asked for number, raw in enumerate(content, 1) if (asked := self._asked(number, raw))]
        blamed = self._settings.blame.items()
        for position, code in blamed:
            self._blame(position, code, "This line was told to be wrong.")
        if not found and not self.faults:
            self._blame(None, "empty_file", "The file has no requests.")
        if len(found) > self._settings.max_file_requests:
            limit = f"The file has {len(found)} requests; the limit is {self._settings.max_file_requests}."
            self._blame(None, "too_many_tasks", limit)
        return found

    def _asked(self, number: int, raw: bytes) -> Asked | None:
        try:
            line = msgspec.json.decode(raw, type=Line)
            raw.decode()
        except (msgspec.MsgspecError, UnicodeDecodeError):
            self._blame(number, "invalid_json_line", "This line is not parseable as valid JSON.")
            return None
        self.form = self.form or ("params" if line.params else "body")
        request = line.params if self.form == "params" else line.body
        faults = list(self._faults(line, request))
        for code, message in faults:
            self._blame(number, code, message)
        return None if faults else self._read(line.custom_id, request)

    def _faults(self, line: Line, request: Raw) -> Iterator[tuple[str, str]]:
        if not line.custom_id or not request:
            yield "missing_required_parameter", f"A line needs custom_id and {self.form}."
            return
        if line.custom_id in self._seen:
            yield "duplicate_custom_id", f"The custom_id '{line.custom_id}' is used twice."
        self._seen.add(line.custom_id)
        if self.form == "body":
            yield from self._faults_of_body(line, request)

    def _faults_of_body(self, line: Line, request: Raw) -> Iterator[tuple[str, str]]:
        if (line.method, line.url) != ("POST", self._endpoint):
            yield "url_mismatch", f"The line's method and url must be POST {self._endpoint}."
        model = _model_of(request)
        self._model = self._model or model
        if model != self._model:
            yield "model_mismatch", f"The batch is for the model {self._model}, the line for another."

    def _read(self, custom_id: str, request: Raw) -> Asked:
        asked = read_params(custom_id, request, VERSIONS[0])
        if self._endpoint == MESSAGES_ENDPOINT:
            return asked
        model = _model_of(request)
        refusal = "" if model else "model: Field required"
        return msgspec.structs.replace(asked, refusal=refusal, model=model)

    def _blame(self, number: int | None, code: str, message: str) -> None:
        if len(self.faults) < MOST_FAULTS:
            line = None if number is None else number - 1 + self._settings.error_line_base
            self.faults.append({"code": code, "line": line, "message": message, "param": None})


def _model_of(request: Raw) -> str:
    try:
        return msgspec.json.decode(request, type=_Model).model
    except msgspec.MsgspecError:
        return ""
