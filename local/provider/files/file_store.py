"""All files of the workspace: uploads, and the result files of batches. The content of neither is held in memory."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from local.provider.batches.file_fields import new_file_id
from local.provider.batches.result_stream import CHUNK_BYTES, result_chunks
from local.provider.errors import ParamError
from local.provider.files.batch_object import filled_result_files, timestamp
from local.provider.files.result_writer import format_of

if TYPE_CHECKING:
    import mmap
    from collections.abc import AsyncIterator

    from local.provider.batches.batch import Batch
    from local.provider.batches.file_fields import FileFields, ResultFileKind
    from local.provider.settings import Settings


@dataclass(slots=True, kw_only=True, eq=False)
class UploadedFile:
    """An uploaded file; its content is mapped, not loaded."""

    id: str
    filename: str
    created_at: float
    content: mmap.mmap | bytes
    bytes: int
    deleted: bool = False
    hidden_listings: int = 0
    """How many more listings leave this file out."""
    purpose: str = "batch"

    def exists(self, _now: float) -> bool:
        """Return whether the file has ever been created."""
        return True

    def is_gone(self, _now: float) -> bool:
        """Return whether the file is deleted."""
        return self.deleted

    def delete(self) -> None:
        """Delete the file; the content stays as long as somebody reads it."""
        self.deleted, self.content = True, b""


@dataclass(slots=True, kw_only=True, eq=False)
class ResultFile:
    """One of the two result files of a batch; its content is written for each reader."""

    batch: Batch
    fields: FileFields
    kind: ResultFileKind
    deleted: bool = False
    hidden_listings: int = 0
    purpose: str = "batch_output"
    _bytes: int | None = None

    @property
    def id(self) -> str:
        """The id in the batch object."""
        return self.fields.file_ids[self.kind]

    @property
    def filename(self) -> str:
        """A name with the batch and the kind."""
        return f"{self.batch.id}_{self.kind}.jsonl"

    @property
    def created_at(self) -> float:
        """The end of the batch."""
        return self.batch.ends_at

    @property
    def bytes(self) -> int:
        """The length in bytes, which is counted once."""
        if self._bytes is None:
            chunks = result_chunks(self.batch, format_of(self.batch, self.fields, self.kind))
            self._bytes = sum(map(len, chunks)) if self.has_lines else 0
        return self._bytes

    @property
    def has_lines(self) -> bool:
        """Whether the file has any line."""
        return self.kind in filled_result_files(self.batch)

    def exists(self, now: float) -> bool:
        """Return whether the batch has ended and created the file."""
        ended = self.batch.ended(now) and not self.batch.failed
        return ended and (self.has_lines or self.batch.settings.absent_file == "zero")

    def is_gone(self, now: float) -> bool:
        """Return whether the file is deleted, or its batch archived."""
        return self.deleted or self.batch.archived(now)

    def delete(self) -> None:
        """Delete the file."""
        self.deleted = True


type File = UploadedFile | ResultFile


class FileStore:
    """All files of the workspace."""

    def __init__(self) -> None:
        """Start empty."""
        self._by_id: dict[str, File] = {}

    def add_upload(self, filename: str, content: mmap.mmap | bytes, now: float) -> UploadedFile:
        """Add an uploaded file."""
        size, file_id = len(content), new_file_id()
        file = UploadedFile(id=file_id, filename=filename, created_at=now, content=content, bytes=size)
        self._by_id[file_id] = file
        return file

    def add_result_files(self, batch: Batch, fields: FileFields) -> None:
        """Add the result files of a batch; they exist once it has ended."""
        for kind, file_id in fields.file_ids.items():
            self._by_id[file_id] = ResultFile(batch=batch, fields=fields, kind=kind)

    def get(self, file_id: str, now: float, param: str = "id") -> File:
        """Return a file; raises `ApiError` 404 that names the parameter."""
        file = self._by_id.get(file_id)
        if file is None or not file.exists(now) or file.is_gone(now):
            raise ParamError(404, f"No such File object: {file_id}", param)
        return file

    def batch_of(self, file_id: str) -> Batch | None:
        """Return the batch that a result file belongs to, whether it has ended or not."""
        file = self._by_id.get(file_id)
        return file.batch if isinstance(file, ResultFile) else None

    def listing(self, now: float, *, purpose: str | None, oldest_first: bool) -> list[File]:
        """Return the files that a listing shows; counts as one listing."""
        files = [file for file in self._by_id.values() if file.exists(now) and not file.is_gone(now)]
        listed = [file for file in files if file.hidden_listings == 0 and purpose in (None, file.purpose)]
        for file in files:
            file.hidden_listings = max(0, file.hidden_listings - 1)
        by_age = sorted(listed, key=lambda file: file.created_at)
        return by_age if oldest_first else by_age[::-1]

    def stats(self, now: float) -> list[dict[str, Any]]:
        """Describe every file that ever existed, in the order of uploads and of the creation of batches."""
        return [
            {
                "id": file.id,
                "filename": file.filename,
                "bytes": file.bytes,
                "purpose": file.purpose,
                "deleted": file.is_gone(now),
            }
            for file in self._by_id.values()
            if file.exists(now)
        ]


def file_object(file: File, settings: Settings) -> dict[str, Any]:
    """Return the file object of the API as JSON values."""
    return {
        "id": file.id,
        "object": "file",
        "bytes": file.bytes,
        "created_at": timestamp(file.created_at, settings),
        "filename": file.filename,
        "purpose": file.purpose,
        "status": "processed",
        "expires_at": None,
    }


async def content_chunks(content: mmap.mmap | bytes) -> AsyncIterator[bytes]:
    """Yield the content of an upload in chunks, and let other calls run between them."""
    for start in range(0, len(content), CHUNK_BYTES):
        yield content[start : start + CHUNK_BYTES]
        await asyncio.sleep(0)
