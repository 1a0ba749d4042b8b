"""Files: those that were uploaded, and those a batch ends in. The bytes of neither lie in memory."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from local.provider.batches.result_stream import CHUNK_BYTES, results
from local.provider.errors import ParamError
from local.provider.files.batch_object import new_file_id, parts_of, told
from local.provider.files.result_writer import form_of

if TYPE_CHECKING:
    import mmap
    from collections.abc import AsyncIterator

    from local.provider.batches.batch import Batch
    from local.provider.files.batch_object import Job, Part
    from local.provider.settings import Settings


@dataclass(slots=True, kw_only=True, eq=False)
class Input:
    """An uploaded file; its bytes are mapped, not loaded."""

    id: str
    filename: str
    created_at: float
    content: mmap.mmap | bytes
    bytes: int
    deleted: bool = False
    unlisted_looks: int = 0
    purpose: str = "batch"

    def known(self, _now: float) -> bool:
        """Tell whether it ever was there."""
        return True

    def gone(self, _now: float) -> bool:
        """Tell whether it is there no longer."""
        return self.deleted

    def delete(self) -> None:
        """Let the bytes go, once those who read them have done so."""
        self.deleted, self.content = True, b""


@dataclass(slots=True, kw_only=True, eq=False)
class Output:
    """One of the two files a batch ends in; its bytes are written anew for each reader."""

    batch: Batch
    job: Job
    part: Part
    deleted: bool = False
    unlisted_looks: int = 0
    purpose: str = "batch_output"
    _bytes: int | None = None

    @property
    def id(self) -> str:
        """Give the id the batch names it by."""
        return self.job.file_ids[self.part]

    @property
    def filename(self) -> str:
        """Give a name that tells the batch."""
        return f"{self.batch.id}_{self.part}.jsonl"

    @property
    def created_at(self) -> float:
        """Give the end of the batch."""
        return self.batch.ends_at

    @property
    def bytes(self) -> int:
        """Give its length, which is counted once."""
        if self._bytes is None:
            form = form_of(self.batch, self.job, self.part)
            self._bytes = sum(map(len, results(self.batch, form=form))) if self.filled else 0
        return self._bytes

    @property
    def filled(self) -> bool:
        """Tell whether it has any line."""
        return self.part in parts_of(self.batch)

    def known(self, now: float) -> bool:
        """Tell whether the batch has ended in it."""
        made = self.batch.ended(now) and not self.batch.failed
        return made and (self.filled or self.batch.settings.absent_file == "zero")

    def gone(self, now: float) -> bool:
        """Tell whether it is there no longer."""
        return self.deleted or self.batch.archived(now)

    def delete(self) -> None:
        """Note that nobody may read it any more."""
        self.deleted = True


type File = Input | Output


class Files:
    """All files of the workspace."""

    def __init__(self) -> None:
        """Start with none."""
        self._by_id: dict[str, File] = {}

    def add(self, filename: str, content: mmap.mmap | bytes, now: float) -> Input:
        """Take an upload in."""
        size, file_id = len(content), new_file_id()
        file = Input(id=file_id, filename=filename, created_at=now, content=content, bytes=size)
        self._by_id[file_id] = file
        return file

    def expect(self, batch: Batch, job: Job) -> None:
        """Note the files a batch will end in."""
        for part, file_id in job.file_ids.items():
            self._by_id[file_id] = Output(batch=batch, job=job, part=part)

    def get(self, file_id: str, now: float, param: str = "id") -> File:
        """Find a file; raises `ApiError` 404 that names the parameter."""
        file = self._by_id.get(file_id)
        if file is None or not file.known(now) or file.gone(now):
            raise ParamError(404, f"No such File object: {file_id}", param)
        return file

    def batch_of(self, file_id: str) -> Batch | None:
        """Give the batch that ends in a file, whether it has done so or not."""
        file = self._by_id.get(file_id)
        return file.batch if isinstance(file, Output) else None

    def look(self, now: float, *, purpose: str | None, oldest_first: bool) -> list[File]:
        """Give what the listing shows; counts as one look."""
        there = [file for file in self._by_id.values() if file.known(now) and not file.gone(now)]
        shown = [file for file in there if file.unlisted_looks == 0 and purpose in (None, file.purpose)]
        for file in there:
            file.unlisted_looks = max(0, file.unlisted_looks - 1)
        oldest = sorted(shown, key=lambda file: file.created_at)
        return oldest if oldest_first else oldest[::-1]

    def account(self, now: float) -> list[dict[str, Any]]:
        """Tell of every file there ever was: an output stands where its batch was created."""
        return [
            {
                "id": file.id,
                "filename": file.filename,
                "bytes": file.bytes,
                "purpose": file.purpose,
                "deleted": file.gone(now),
            }
            for file in self._by_id.values()
            if file.known(now)
        ]


def view(file: File, settings: Settings) -> dict[str, Any]:
    """Give the file object of the API."""
    return {
        "id": file.id,
        "object": "file",
        "bytes": file.bytes,
        "created_at": told(file.created_at, settings),
        "filename": file.filename,
        "purpose": file.purpose,
        "status": "processed",
        "expires_at": None,
    }


async def chunks(content: mmap.mmap | bytes) -> AsyncIterator[bytes]:
    """Give the bytes of an upload to a server; other calls go on between the chunks."""
    for start in range(0, len(content), CHUNK_BYTES):
        yield content[start : start + CHUNK_BYTES]
        await asyncio.sleep(0)
