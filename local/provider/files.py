"""Files at the provider: those that were uploaded, and those that ended batches have made."""

from __future__ import annotations

import secrets
import weakref
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, BinaryIO, Literal

from local.provider.errors import ApiError

if TYPE_CHECKING:
    from local.provider.batches import Batch

type Kind = Literal["input", "output", "error"]


@dataclass(slots=True, kw_only=True, weakref_slot=True)
class File:
    """One file; moments are seconds since 1970."""

    id: str
    filename: str
    created_at: float
    kind: Kind
    bytes: int = 0
    content: BinaryIO | None = None  # of an uploaded file
    batch_id: str = ""  # of a batch that made it
    deleted: bool = False
    unlisted_looks: int = 0


class Files:
    """All files, in order of their coming."""

    def __init__(self) -> None:
        """Start with none."""
        self._by_id: dict[str, File] = {}

    def add(self, filename: str, content: BinaryIO, now: float) -> File:
        """Keep an uploaded file."""
        size = content.seek(0, 2)
        file = File(
            id=f"file-{secrets.token_hex(12)}",
            filename=filename,
            created_at=now,
            kind="input",
            bytes=size,
            content=content,
        )
        weakref.finalize(file, content.close)  # with the world that it is of
        self._by_id[file.id] = file
        return file

    def made(self, batch: Batch, kind: Kind, size: int) -> File:
        """Return one of the two files that a batch makes, the same each time."""
        file = File(
            id=f"file-{kind}-{batch.id.removeprefix('batch_')}",
            filename=f"{batch.id}_{kind}.jsonl",
            created_at=batch.ends_at,
            kind=kind,
            bytes=size,
            batch_id=batch.id,
        )
        return self._by_id.setdefault(file.id, file)

    def find(self, file_id: str) -> File | None:
        """Find a file, also one that was deleted."""
        return self._by_id.get(file_id)

    def get(self, file_id: str) -> File:
        """Find a file; raises `ApiError` 404."""
        file = self._by_id.get(file_id)
        if file is None or file.deleted:
            raise ApiError(404, f"No such File object: {file_id}", param="id")
        return file

    def delete(self, file_id: str) -> None:
        """Delete a file; raises `ApiError` 404."""
        file = self.get(file_id)
        file.deleted = True
        if file.content is not None:
            file.content.close()

    def page(self, limit: int, after: str | None, *, newest_first: bool) -> tuple[list[File], bool]:
        """Give a page of what is there, and whether there is more; counts as one look."""
        there = [file for file in self._by_id.values() if not file.deleted]
        shown = [file for file in there if file.unlisted_looks == 0]
        for file in there:
            file.unlisted_looks = max(0, file.unlisted_looks - 1)
        if newest_first:
            shown.reverse()
        start = next((place + 1 for place, file in enumerate(shown) if file.id == after), 0)
        return shown[start : start + limit], len(shown) > start + limit

    def account(self) -> list[dict[str, Any]]:
        """Say what files there are and were."""
        names = ("id", "filename", "bytes", "kind", "deleted")
        return [{name: getattr(file, name) for name in names} for file in self._by_id.values()]
