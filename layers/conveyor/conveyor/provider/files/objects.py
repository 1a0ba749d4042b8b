"""The JSON objects of the files dialect: files and batches, in the variants of different servers.

A status has either letter case and spelling, a timestamp is a number or a text, a missing file is null, an empty id or
absent, a list is a page or bare, and a new batch may be wrapped. Only an id and a status are always there.
"""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from conveyor.domain.outcome import Error
from conveyor.domain.refusal import RefusalKind, cause_of
from conveyor.provider.protocol import NotRun, Origin, Progress, RefusedRequest
from conveyor.provider.timestamps import Timestamp, parse_timestamp

RUN, BATCH, REQUESTS = "conveyor_run", "conveyor_batch", "conveyor_requests"
"""Keys of the metadata by which a batch of ours is known."""
_ENDED = frozenset({"completed", "failed", "expired", "cancelled"})
_QUEUE_FULL = frozenset({"token_limit_exceeded"})
"""Error codes of a failed batch that can be sent again: the queue was full."""
_PERMANENT = "invalid_request_error"
"""Error type of a request that would fail again."""
_LONGEST = 300
_CODE = re.compile(r"[A-Za-z0-9_.-]{1,60}")
_LONGEST_COUNT = 12
"""Digits."""


class FileObject(msgspec.Struct):
    """A file at the provider."""

    id: str
    bytes: int | None = None
    filename: str | None = None
    status: str | None = None
    created_at: Timestamp = None


class FilePage(msgspec.Struct):
    """A page of files."""

    data: list[FileObject] | None
    has_more: bool | None = False

    @property
    def items(self) -> list[FileObject]:
        """Its elements. Some servers write an empty list as null."""
        return self.data or []


class _Counts(msgspec.Struct):
    total: int | None = 0
    completed: int | None = 0
    failed: int | None = 0


class _BatchError(msgspec.Struct):
    code: str | int | None = None
    line: int | None = None
    message: str | None = None


class _BatchErrors(msgspec.Struct):
    data: list[_BatchError] | None = None


class BatchObject(msgspec.Struct):
    """A batch at the provider."""

    id: str
    status: str
    created_at: Timestamp = None
    expires_at: Timestamp = None
    completed_at: Timestamp = None
    failed_at: Timestamp = None
    expired_at: Timestamp = None
    cancelled_at: Timestamp = None
    input_file_id: str | None = None
    output_file_id: str | None = None
    error_file_id: str | None = None
    request_counts: _Counts | None = None
    metadata: dict[str, Any] | None = None
    errors: _BatchErrors | list[_BatchError] | None = None
    error: Any = None

    @property
    def state(self) -> str:
        """The status in lower case, with the spelling `cancelled`."""
        return self.status.lower().replace("canceled", "cancelled")

    @property
    def files(self) -> list[str]:
        """Ids of the files with its results, that of the successes first."""
        return list(dict.fromkeys(each for each in (self.output_file_id, self.error_file_id) if each))

    def metadata_value(self, name: str) -> str | None:
        """Return a value of its metadata."""
        return str(self.metadata[name]) if self.metadata and name in self.metadata else None

    @property
    def requests(self) -> int:
        """Number of its requests; 0 if unknown."""
        counted = (self.request_counts and self.request_counts.total) or 0
        count = self.metadata_value(REQUESTS) or ""
        is_count = count.isascii() and count.isdigit() and len(count) <= _LONGEST_COUNT
        return counted or (int(count) if is_count else 0)

    def is_of(self, origin: Origin) -> bool | None:
        """Tell whether it is the batch of an origin; None if its metadata does not say."""
        run, batch = self.metadata_value(RUN), self.metadata_value(BATCH)
        return None if run is None or batch is None else (run, batch) == (origin.run, str(origin.batch))

    def created(self) -> datetime | None:
        """Return when it was created; None if unknown."""
        return parse_timestamp(self.created_at)

    def progress(self, window: timedelta) -> Progress:
        """Return its state. `window`: the time from its creation to its end, if the provider gives no end."""
        state, created = self.state, self.created() or datetime.now(UTC)
        ends = (self.completed_at, self.failed_at, self.expired_at, self.cancelled_at)
        ended_at = next(filter(None, map(parse_timestamp, ends)), None)
        expires = parse_timestamp(self.expires_at) or created + window
        return Progress(self.id, state in _ENDED, self.requests, created, expires, ended_at, self._not_run(state))

    def _not_run(self, state: str) -> NotRun | None:
        """Return why none of its requests was run; None if any was."""
        counts = self.request_counts
        if state == "failed" and not (self.output_file_id or (counts and counts.completed)):
            return _refused_whole(self._batch_errors())
        is_empty = counts is not None and counts.total and not (counts.completed or counts.failed or self.files)
        if state in {"cancelled", "expired"} and is_empty:
            error = Error(f"batch_{state}", f"the batch was {state} before any request was run")
            return NotRun(RefusalKind.STOP, error, is_expired=state == "expired")
        return None

    def _batch_errors(self) -> list[_BatchError]:
        if isinstance(self.errors, list):
            return self.errors
        errors = self.errors.data if self.errors else None
        if errors is None and isinstance(self.error, str):
            return [_BatchError(message=self.error)]
        return errors or []


def _refused_whole(errors: list[_BatchError]) -> NotRun:
    """Return why a batch failed. Lines are counted from 1, or from 0 if one of them is 0: no server documents it."""
    first = 1 if all(error.line != 0 for error in errors) else 0
    refused_requests = tuple(
        RefusedRequest(error.line - first + 1, Error(_PERMANENT, ": ".join(_code_and_message(error))))
        for error in errors
        if error.line is not None and error.line >= first
    )
    codes = {str(error.code) for error in errors}
    code, message = _code_and_message(errors[0]) if errors else ("batch_failed", "it does not say why")
    text = f"the provider refused the batch as a whole: {code}: {message}"
    if codes & _QUEUE_FULL and not refused_requests:
        return NotRun(RefusalKind.LATER, Error(code, text))
    cause = None if refused_requests else cause_of(0, code, message)
    return NotRun(RefusalKind.DEFECT, Error(code if refused_requests else _PERMANENT, text), refused_requests, cause)


def _code_and_message(error: _BatchError) -> tuple[str, str]:
    code = str(error.code or "")
    message = " ".join((error.message or "").split())[:_LONGEST]
    return code if _CODE.fullmatch(code) else "batch_failed", message or "it does not say why"


class BatchPage(msgspec.Struct):
    """A page of batches."""

    data: list[BatchObject] | None
    has_more: bool | None = False

    @property
    def items(self) -> list[BatchObject]:
        """Its elements. Some servers write an empty list as null."""
        return self.data or []


class _Wrapped(msgspec.Struct):
    job: BatchObject


_decode_wrapped = msgspec.json.Decoder(_Wrapped, strict=False).decode


def decode_batch(text: bytes) -> BatchObject | None:
    """Decode a batch, perhaps wrapped in a `job`; None if there is none."""
    for decode in (_decode_batch, _decode_wrapped):
        try:
            decoded = decode(text)
        except (msgspec.MsgspecError, UnicodeDecodeError):
            continue
        return decoded.job if isinstance(decoded, _Wrapped) else decoded
    return None


_decode_batch = msgspec.json.Decoder(BatchObject, strict=False).decode
_decode_batch_page = msgspec.json.Decoder(BatchPage, strict=False).decode
_decode_bare_batches = msgspec.json.Decoder(list[BatchObject], strict=False).decode
_decode_file_page = msgspec.json.Decoder(FilePage, strict=False).decode
_decode_bare_files = msgspec.json.Decoder(list[FileObject], strict=False).decode
decode_file = msgspec.json.Decoder(FileObject, strict=False).decode


def decode_batches(text: bytes) -> BatchPage:
    """Decode a page of batches; a bare list is the only page. Raises an error of msgspec's."""
    return BatchPage(_decode_bare_batches(text)) if text.lstrip().startswith(b"[") else _decode_batch_page(text)


def decode_files(text: bytes) -> FilePage:
    """Decode a page of files; a bare list is the only page. Raises an error of msgspec's."""
    return FilePage(_decode_bare_files(text)) if text.lstrip().startswith(b"[") else _decode_file_page(text)
