"""Files at the provider: the lines of a batch on their way in. Nothing is paid for them, and one may be there twice."""

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
    """The files of one provider's batches, named after run and batch: the same name and size is the same content."""

    def __init__(self, transport: Transport) -> None:
        """Take the way to the provider."""
        self._transport = transport

    def put(self, new_batch: NewBatch, seconds: float) -> str | Refused:
        """Return the id of the file that holds a batch: one that an earlier attempt has left, or a new one."""
        found = self._present(new_batch)
        if found is not None:
            return found
        answer = self._transport.post(PATH, _multipart(new_batch), seconds)
        if isinstance(answer, Refused):
            return answer
        if isinstance(answer, HttpResponse) and answer.is_success:
            return self._made(answer, new_batch)
        if isinstance(answer, HttpResponse) and (refused := refused_from(answer, _REFUSED)):
            return refused
        found = self._present(new_batch)
        if found is not None:
            return found
        status = answer.status if isinstance(answer, HttpResponse) else 0
        kind = "upload_lost" if not status else f"http_{status}"
        told = "the file of the batch could not be uploaded"
        return Refused(RefusalKind.LATER, status, kind, told, SOON)

    def of(self, origin: Origin) -> list[FileObject] | Trouble:
        """Return the files of an origin, newest first."""
        question: dict[str, str | int] = {"purpose": _PURPOSE, "order": "desc", "limit": _PAGE}
        files = read_list(
            self._transport, PATH, decode_files, question, cursor="after", until=lambda page: _are_older(page, origin)
        )
        return files if isinstance(files, Trouble) else [file for file in files if file.filename == _name(origin)]

    def delete(self, ids: Iterable[str]) -> Trouble | None:
        """Delete files; one that is gone already is deleted."""
        trouble = None
        for each in ids:
            answer = self._transport.ask("DELETE", f"{PATH}/{each}")
            if isinstance(answer, Trouble) and answer.kind is not TroubleKind.GONE:
                trouble = answer
        return trouble

    def _present(self, new_batch: NewBatch) -> str | None:
        """Return a file that holds exactly these lines, if the provider lists one."""
        files = self.of(new_batch.origin)
        if isinstance(files, Trouble):
            return None
        whole = (file for file in files if file.bytes == new_batch.size and file.status not in {"error", "deleted"})
        return next((file.id for file in whole), None)

    def _made(self, answer: HttpResponse, new_batch: NewBatch) -> str | Refused:
        """Read the answer to an upload; a file of another size was cut on its way, and may not be used."""
        try:
            file = decode_file(answer.body)
        except (msgspec.MsgspecError, UnicodeDecodeError):
            return Refused(RefusalKind.LATER, answer.status, "upload_lost", "the answer names no file", SOON)
        if file.bytes not in {None, 0, new_batch.size}:
            told = f"the provider has {file.bytes:,} bytes of a file of {new_batch.size:,}"
            return Refused(RefusalKind.RESEND, answer.status, "upload_cut", told, None)
        return file.id


def _name(origin: Origin) -> str:
    return f"conveyor-{origin.run}-{origin.batch}.jsonl"


def _are_older(files: Sequence[FileObject], origin: Origin) -> bool:
    """Tell whether a page lies surely before the drop came: what follows it is older still."""
    moments = [parse_timestamp(file.created_at) for file in files]
    known = [each for each in moments if each is not None]
    return len(known) == len(moments) and max(known) < origin.since - SKEW and known[0] >= known[-1]


def _multipart(new_batch: NewBatch) -> Content:
    """Return the form that uploads a batch's lines: of a length that is known before its first byte is sent."""
    mark = uuid4().hex
    disposition = "Content-Disposition: form-data; name"
    before = (
        f'--{mark}\r\n{disposition}="purpose"\r\n\r\n{_PURPOSE}\r\n'
        f'--{mark}\r\n{disposition}="file"; filename="{_name(new_batch.origin)}"\r\n'
        f"Content-Type: application/jsonl\r\n\r\n"
    ).encode()
    after = f"\r\n--{mark}--\r\n".encode()

    def pieces() -> Iterator[bytes]:
        yield before
        yield from new_batch.body()
        yield after

    return Content(f"multipart/form-data; boundary={mark}", len(before) + new_batch.size + len(after), pieces)
