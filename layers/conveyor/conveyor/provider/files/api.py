"""The files dialect: a file of lines is uploaded, a batch is created from it, and its results are files, too.

OpenAI's API and many like it differ a little; this module uses only what all have.
Facts: https://platform.openai.com/docs/guides/batch and the pages of other providers.
"""

from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import datetime
from time import monotonic

import msgspec

from conveyor.domain.dialect import is_batch_id
from conveyor.domain.outcome import Result
from conveyor.domain.refusal import RefusalKind
from conveyor.provider.files.dialect import dialect_of
from conveyor.provider.files.input_files import PATH as FILES
from conveyor.provider.files.input_files import SOON, InputFiles
from conveyor.provider.files.objects import BATCH, REQUESTS, RUN, BatchObject, decode_batch, decode_batches
from conveyor.provider.files.results import decode_results
from conveyor.provider.pagination import read_list
from conveyor.provider.protocol import (
    Checked,
    Created,
    NewBatch,
    Origin,
    Progress,
    Refused,
    ResultsUnreadable,
    Trouble,
    TroubleKind,
    Unknown,
    created_as,
)
from conveyor.provider.refusals import CERTAIN_REFUSALS, check_list, error_in, refused_from
from conveyor.provider.transport import Content, HttpResponse, Transport
from conveyor.settings.settings import Settings

_PATH = "/v1/batches"
_PAGE = 100
_UPLOAD_SHARE = 0.7
"""Share of the time of both calls; the second one is small."""
_SHORTEST = 1.0
"""Seconds. With less time left no batch is created: its response could not be waited for."""
_CERTAIN_REFUSALS = CERTAIN_REFUSALS | {422: RefusalKind.DEFECT}
_NO_LIST = frozenset({"HTTP 404", "HTTP 405"})
"""Responses of a server that does not list files. Only those that its batches name are known."""


class FileBatches:
    """The files dialect of one provider."""

    def __init__(self, transport: Transport, settings: Settings) -> None:
        """Take the settings of this dialect."""
        self.dialect = dialect_of(settings)
        self._transport = transport
        self._input_files = InputFiles(transport)
        self._endpoint = settings.batch_endpoint
        self._window = settings.completion_window

    def renew(self) -> None:
        """Read the credential again."""
        self._transport.renew()

    def check(self) -> Checked | Trouble:
        """List one batch."""
        return check_list(self._transport, _PATH)

    def create(self, new_batch: NewBatch, seconds: int) -> Created | Refused | Unknown:
        """Upload the lines, then create a batch of them by one call. Only that call is paid for."""
        until = monotonic() + seconds
        file = self._input_files.upload(new_batch, seconds * _UPLOAD_SHARE)
        if isinstance(file, Refused):
            return file
        answer = self._request_batch(file, until, _metadata(new_batch))
        if isinstance(answer, HttpResponse) and _is_about_metadata(answer):  # so nothing was created
            answer = self._request_batch(file, until, {})
        return self._created(file, answer)

    def _request_batch(self, file: str, until: float, metadata: dict[str, str]) -> HttpResponse | Refused | Unknown:
        left = until - monotonic()
        if left < _SHORTEST:
            message = "the upload took all the time, and no batch was created"
            return Refused(RefusalKind.LATER, 0, "too_slow", message, SOON)
        fields = {"input_file_id": file, "endpoint": self._endpoint, "completion_window": self._window}
        body = msgspec.json.encode(fields | ({"metadata": metadata} if metadata else {}))
        return self._transport.post(_PATH, Content("application/json", len(body), lambda: [body]), left)

    def _created(self, file: str, answer: HttpResponse | Refused | Unknown) -> Created | Refused | Unknown:
        if not isinstance(answer, HttpResponse):
            return answer
        if answer.is_success:
            batch = decode_batch(answer.body)
            if batch is None:
                return Unknown(f"HTTP {answer.status} without a batch in its body")
            return created_as(batch.progress(self.dialect.window))
        if _is_about_file(answer, file):  # a new file may not be known to all of the provider's servers yet
            message = "the provider does not know the file that was uploaded"
            return Refused(RefusalKind.LATER, answer.status, "file_not_found", message, SOON)
        refused = refused_from(answer, _CERTAIN_REFUSALS)
        if refused is None:
            return Unknown(f"HTTP {answer.status}")
        return refused

    def find(self, since: datetime, origin: Origin | None = None) -> list[Progress] | Trouble:
        """Page through all batches, until a page is older than `since`.

        A batch of `origin` is known by its metadata, or by the name of its input file.
        """
        batches = read_list(
            self._transport, _PATH, decode_batches, {"limit": _PAGE}, cursor="after",
            until=lambda page: _is_before(page, since),
        )  # fmt: skip
        if isinstance(batches, Trouble):
            return batches
        found = [(batch, self._since(since, batch)) for batch in batches if is_batch_id(batch.id)]
        if origin is not None:
            found = self._recognised(found, origin)
        # One of ours is never too old: then the server's clock is wrong, or gives no time zone.
        new = [progress for _, progress in found if progress.is_ours or progress.created_at >= since]
        return sorted(new, key=lambda progress: progress.created_at)

    def _since(self, since: datetime, batch: BatchObject) -> Progress:
        """Return the state of a batch. One without a time of creation may have been created at `since`."""
        progress = batch.progress(self.dialect.window)
        return progress if batch.created() else progress._replace(created_at=since)

    def _recognised(
        self, found: list[tuple[BatchObject, Progress]], origin: Origin
    ) -> list[tuple[BatchObject, Progress]]:
        """Set `is_ours` of each batch. A file that is not listed proves nothing: its list may be late, too."""
        ours: set[str] | None = None
        recognised = []
        for batch, progress in found:
            is_ours = batch.is_of(origin)
            if is_ours is None:
                if ours is None:
                    files = self._input_files.list_of(origin)
                    ours = set() if isinstance(files, Trouble) else {file.id for file in files}
                is_ours = True if batch.input_file_id in ours else None
            recognised.append((batch, progress._replace(is_ours=is_ours)))
        return recognised

    def progress(self, batch_id: str) -> Progress | Trouble:
        """Retrieve one batch."""
        batch = self._batch("GET", f"{_PATH}/{batch_id}")
        return batch if isinstance(batch, Trouble) else batch.progress(self.dialect.window)

    def cancel(self, batch_id: str) -> Progress | Trouble:
        """Cancel one batch; doing so again changes nothing."""
        batch = self._batch("POST", f"{_PATH}/{batch_id}/cancel")
        return batch if isinstance(batch, Trouble) else batch.progress(self.dialect.window)

    @contextmanager
    def results(self, batch_id: str, *, seconds: int = 120) -> Iterator[Iterator[Result]]:
        """Stream the results: the file of the successes, then that of the errors, if they exist."""
        batch = self._batch("GET", f"{_PATH}/{batch_id}")
        if isinstance(batch, Trouble):
            raise ResultsUnreadable(f"{batch.reason} for {_PATH}/{batch_id}", batch.kind)
        with closing(self._results(batch, seconds)) as results:
            yield results

    def _results(self, batch: BatchObject, seconds: int) -> Generator[Result]:
        for file in batch.files:
            with self._transport.stream(f"{FILES}/{file}/content", seconds=seconds) as pieces:
                yield from decode_results(pieces)

    def discard(self, origin: Origin, batch_ids: Iterable[str]) -> Trouble | None:
        """Delete the input files and result files of some batches."""
        files = self._input_files.list_of(origin)
        unlisted = files if isinstance(files, Trouble) and not _has_no_list(files) else None
        ids = dict.fromkeys([] if isinstance(files, Trouble) else [file.id for file in files])
        for batch_id in batch_ids:
            batch = self._batch("GET", f"{_PATH}/{batch_id}")
            if isinstance(batch, Trouble):
                return batch
            ids |= dict.fromkeys([batch.input_file_id] if batch.input_file_id else [])
            ids |= dict.fromkeys(batch.files)
        return self._input_files.delete(ids) or unlisted

    def _batch(self, method: str, path: str) -> BatchObject | Trouble:
        answer = self._transport.ask(method, path)
        if isinstance(answer, Trouble):
            return answer
        return decode_batch(answer.content) or Trouble("the batch could not be decoded")


def connect(transport: Transport, settings: Settings) -> FileBatches:
    """Return the dialect over a transport."""
    return FileBatches(transport, settings)


def _metadata(new_batch: NewBatch) -> dict[str, str]:
    run, batch, _ = new_batch.origin
    return {RUN: run, BATCH: str(batch), REQUESTS: str(new_batch.requests)}


def _has_no_list(trouble: Trouble) -> bool:
    return trouble.reason in _NO_LIST and trouble.kind is not TroubleKind.UNASKED


def _is_about_metadata(answer: HttpResponse) -> bool:
    """Tell whether a server refused the metadata, and so created nothing."""
    if answer.status not in {400, 422}:
        return False
    error = error_in(answer)
    return "metadata" in error.param or "metadata" in error.message.lower() or b'"metadata"' in answer.body


def _is_about_file(answer: HttpResponse, file: str) -> bool:
    if answer.status != 404:  # noqa: PLR2004
        return False
    error = error_in(answer)
    names = file in error.message or "input_file" in error.message.lower()
    return names or error.param == "input_file_id" or "file" in error.code


def _is_before(batches: Sequence[BatchObject], since: datetime) -> bool:
    """Tell whether all of a page is older than a moment, in a list from new to old."""
    moments = [batch.created() or since for batch in batches]
    return bool(moments) and max(moments) < since and moments[0] >= moments[-1]
