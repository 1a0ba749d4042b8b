"""Files and batches as servers of the file dialect describe them: much alike, and nowhere quite the same.

A status comes in either letter case and spelling, a moment as seconds or as text, a file that is not there as null, as
an empty id or not at all, a list as a page or bare, and a new batch perhaps wrapped. Only an id and a status are sure.
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
"""What a batch's metadata says of whose it is."""
_ENDED = frozenset({"completed", "failed", "expired", "cancelled"})
_LATER = frozenset({"token_limit_exceeded"})
"""Why a batch failed that may be taken another time: the queue was full."""
_WRONG = "invalid_request_error"
"""Our word for what comes again when the same line is sent again."""
_LONGEST = 300
_CODE = re.compile(r"[A-Za-z0-9_.-]{1,60}")
_LONGEST_COUNT = 12
"""Digits."""
_WINDOW = re.compile(r"(\d+)([hd])")


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
        """What it holds; some servers tell of nothing by null."""
        return self.data or []


class _Counts(msgspec.Struct):
    total: int | None = 0
    completed: int | None = 0
    failed: int | None = 0


class _Fault(msgspec.Struct):
    code: str | int | None = None
    line: int | None = None
    message: str | None = None


class _Faults(msgspec.Struct):
    data: list[_Fault] | None = None


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
    errors: _Faults | list[_Fault] | None = None
    error: Any = None

    @property
    def state(self) -> str:
        """The status in one letter case and spelling."""
        return self.status.lower().replace("canceled", "cancelled")

    @property
    def files(self) -> list[str]:
        """Ids of the files that hold its results, that of the successes first."""
        return list(dict.fromkeys(each for each in (self.output_file_id, self.error_file_id) if each))

    def about(self, name: str) -> str | None:
        """Return what its metadata says under a name."""
        return str(self.metadata[name]) if self.metadata and name in self.metadata else None

    @property
    def requests(self) -> int:
        """How many requests it holds; 0 where nobody says."""
        counted = (self.request_counts and self.request_counts.total) or 0
        told = self.about(REQUESTS) or ""
        is_count = told.isascii() and told.isdigit() and len(told) <= _LONGEST_COUNT
        return counted or (int(told) if is_count else 0)

    def is_of(self, origin: Origin) -> bool | None:
        """Tell whether it is a batch of an origin; None where its metadata does not tell."""
        run, batch = self.about(RUN), self.about(BATCH)
        return None if run is None or batch is None else (run, batch) == (origin.run, str(origin.batch))

    def created(self) -> datetime | None:
        """When it was created; None where nobody says."""
        return parse_timestamp(self.created_at)

    def progress(self, window: timedelta) -> Progress:
        """Return how far it is. `window`: after its creation it ends, where the provider does not say when."""
        state, created = self.state, self.created() or datetime.now(UTC)
        ends = (self.completed_at, self.failed_at, self.expired_at, self.cancelled_at)
        ended_at = next(filter(None, map(parse_timestamp, ends)), None)
        expires = parse_timestamp(self.expires_at) or created + window
        return Progress(self.id, state in _ENDED, self.requests, created, expires, ended_at, self._not_run(state))

    def _not_run(self, state: str) -> NotRun | None:
        """Tell why none of its requests was run, if none was."""
        counts = self.request_counts
        if state == "failed" and not (self.output_file_id or (counts and counts.completed)):
            return _refused_whole(self._faults())
        is_empty = counts is not None and counts.total and not (counts.completed or counts.failed or self.files)
        if state in {"cancelled", "expired"} and is_empty:
            return NotRun(
                RefusalKind.STOP, Error(f"batch_{state}", f"the batch was {state} before any request was run")
            )
        return None

    def _faults(self) -> list[_Fault]:
        if isinstance(self.errors, list):
            return self.errors
        found = self.errors.data if self.errors else None
        if found is None and isinstance(self.error, str):
            return [_Fault(message=self.error)]
        return found or []


def _refused_whole(faults: list[_Fault]) -> NotRun:
    """Say why a batch failed. Lines are counted from 1, or from 0 where one of them is 0: that is written nowhere."""
    first = 1 if all(fault.line != 0 for fault in faults) else 0
    refused_requests = tuple(
        RefusedRequest(fault.line - first + 1, Error(_WRONG, ": ".join(_words(fault))))
        for fault in faults
        if fault.line is not None and fault.line >= first
    )
    codes = {str(fault.code) for fault in faults}
    code, told = _words(faults[0]) if faults else ("batch_failed", "it does not say why")
    words = f"the provider refused the batch as a whole: {code}: {told}"
    if codes & _LATER and not refused_requests:
        return NotRun(RefusalKind.LATER, Error(code, words))
    cause = None if refused_requests else cause_of(0, code, told)
    return NotRun(RefusalKind.DEFECT, Error(code if refused_requests else _WRONG, words), refused_requests, cause)


def _words(fault: _Fault) -> tuple[str, str]:
    code = str(fault.code or "")
    told = " ".join((fault.message or "").split())[:_LONGEST]
    return code if _CODE.fullmatch(code) else "batch_failed", told or "it does not say why"


class BatchPage(msgspec.Struct):
    """A page of batches."""

    data: list[BatchObject] | None
    has_more: bool | None = False

    @property
    def items(self) -> list[BatchObject]:
        """What it holds; some servers tell of nothing by null."""
        return self.data or []


class _Wrapped(msgspec.Struct):
    job: BatchObject


_decode_wrapped = msgspec.json.Decoder(_Wrapped, strict=False).decode


def decode_batch(text: bytes) -> BatchObject | None:
    """Read a batch, perhaps wrapped in a `job`; None where there is none."""
    for decode in (_decode_batch, _decode_wrapped):
        try:
            found = decode(text)
        except (msgspec.MsgspecError, UnicodeDecodeError):
            continue
        return found.job if isinstance(found, _Wrapped) else found
    return None


_decode_batch = msgspec.json.Decoder(BatchObject, strict=False).decode
_decode_batch_page = msgspec.json.Decoder(BatchPage, strict=False).decode
_decode_bare_batches = msgspec.json.Decoder(list[BatchObject], strict=False).decode
_decode_file_page = msgspec.json.Decoder(FilePage, strict=False).decode
_decode_bare_files = msgspec.json.Decoder(list[FileObject], strict=False).decode
decode_file = msgspec.json.Decoder(FileObject, strict=False).decode


def decode_batches(text: bytes) -> BatchPage:
    """Read a page of batches; a bare list is all of them. Raises an error of msgspec's."""
    return BatchPage(_decode_bare_batches(text)) if text.lstrip().startswith(b"[") else _decode_batch_page(text)


def decode_files(text: bytes) -> FilePage:
    """Read a page of files; a bare list is all of them. Raises an error of msgspec's."""
    return FilePage(_decode_bare_files(text)) if text.lstrip().startswith(b"[") else _decode_file_page(text)


def window_of(text: str) -> timedelta:
    """Read a completion window: `24h`, `7d`."""
    found = _WINDOW.fullmatch(text)
    count, unit = (int(found[1]), found[2]) if found else (24, "h")
    return timedelta(days=count) if unit == "d" else timedelta(hours=count)
