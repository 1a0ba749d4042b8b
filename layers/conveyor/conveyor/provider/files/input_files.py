"""The input files of batches at the provider. Nothing is paid for them, and there may be two of one batch."""

from collections.abc import Iterable, Iterator, Sequence
from uuid import uuid4

import msgspec

from conveyor.domain.invocation import SKEW
from conveyor.domain.refusal import RefusalKind
from conveyor.provider.files.objects import FileObject, decode_file, decode_files
from conveyor.provider.pagination import read_list
from conveyor.provider.protocol import NewBatch, Origin, Refused, Trouble, TroubleKind
from conveyor.provider.refusals import CERTAIN_REFUSALS, refused_from
from conveyor.provider.timestamps import parse_timestamp
from conveyor.provider.transport import Content, HttpResponse, Transport

PATH = "/v1/files"
_PURPOSE = "batch"
_PAGE = 100
SOON = 10
"""Seconds after which the next attempt may follow one that has surely cost nothing."""
_REFUSED = CERTAIN_REFUSALS | dict.fromkeys((404, 405, 415, 422), RefusalKind.DEFECT)
"""After any other status the file is looked for, and uploaded again: an upload costs nothing."""


class InputFiles:
    """Uploads, lists and deletes input files. They are named after run and batch: same name and size, same content."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def upload(self, new_batch: NewBatch, seconds: float) -> str | Refused:
        """Return the id of the file that holds a batch: one of an earlier attempt, or a new one."""
        file_id = self._existing_id(new_batch)
        if file_id is not None:
            return file_id
        answer = self._transport.post(PATH, _multipart(new_batch), seconds)
        if isinstance(answer, Refused):
            return answer
        if isinstance(answer, HttpResponse) and answer.is_success:
            return self._uploaded_id(answer, new_batch)
        if isinstance(answer, HttpResponse) and (refused := refused_from(answer, _REFUSED)):
            return refused
        file_id = self._existing_id(new_batch)
        if file_id is not None:
            return file_id
        status = answer.status if isinstance(answer, HttpResponse) else 0
        kind = "upload_lost" if not status else f"http_{status}"
        message = "the file of the batch could not be uploaded"
        return Refused(RefusalKind.LATER, status, kind, message, SOON)

    def list_of(self, origin: Origin) -> list[FileObject] | Trouble:
        """Return the files of a batch, newest first."""
        parameters: dict[str, str | int] = {"purpose": _PURPOSE, "order": "desc", "limit": _PAGE}
        files = read_list(
            self._transport, PATH, decode_files, parameters, cursor="after", until=lambda page: _are_older(page, origin)
        )
        return files if isinstance(files, Trouble) else [file for file in files if file.filename == _name(origin)]

    def delete(self, ids: Iterable[str]) -> Trouble | None:
        """Delete files, ignoring those that do not exist any more."""
        trouble = None
        for file_id in ids:
            answer = self._transport.ask("DELETE", f"{PATH}/{file_id}")
            if isinstance(answer, Trouble) and answer.kind is not TroubleKind.GONE:
                trouble = answer
        return trouble

    def _existing_id(self, new_batch: NewBatch) -> str | None:
        """Return the id of a file with these lines, if the provider lists one."""
        files = self.list_of(new_batch.origin)
        if isinstance(files, Trouble):
            return None
        whole = (file for file in files if file.bytes == new_batch.size and file.status not in {"error", "deleted"})
        return next((file.id for file in whole), None)

    def _uploaded_id(self, answer: HttpResponse, new_batch: NewBatch) -> str | Refused:
        """Read the response to an upload. A file of another size was cut off, and must not be used."""
        try:
            file = decode_file(answer.body)
        except (msgspec.MsgspecError, UnicodeDecodeError):
            return Refused(RefusalKind.LATER, answer.status, "upload_lost", "the response names no file", SOON)
        if file.bytes not in {None, 0, new_batch.size}:
            message = f"the provider has {file.bytes:,} bytes of a file of {new_batch.size:,}"
            return Refused(RefusalKind.RESEND, answer.status, "upload_cut", message, None)
        return file.id


def _name(origin: Origin) -> str:
    return f"conveyor-{origin.run.replace('/', '-')}-{origin.batch}.jsonl"


def _are_older(files: Sequence[FileObject], origin: Origin) -> bool:
    """Tell whether all of a page is surely older than the drop; what follows is older still."""
    created = [parse_timestamp(file.created_at) for file in files]
    known = [moment for moment in created if moment is not None]
    return len(known) == len(created) and max(known) < origin.since - SKEW and known[0] >= known[-1]


def _multipart(new_batch: NewBatch) -> Content:
    """Return the form that uploads a batch, with its length, which must be known before it is sent."""
    boundary = uuid4().hex
    disposition = "Content-Disposition: form-data; name"
    before = (
        f'--{boundary}\r\n{disposition}="purpose"\r\n\r\n{_PURPOSE}\r\n'
        f'--{boundary}\r\n{disposition}="file"; filename="{_name(new_batch.origin)}"\r\n'
        f"Content-Type: application/jsonl\r\n\r\n"
    ).encode()
    after = f"\r\n--{boundary}--\r\n".encode()

    def pieces() -> Iterator[bytes]:
        yield before
        yield from new_batch.body()
        yield after

    return Content(f"multipart/form-data; boundary={boundary}", len(before) + new_batch.size + len(after), pieces)
