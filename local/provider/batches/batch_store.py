"""All batches of the workspace.

Where the APIs do not document an answer, this provider decides: deleting a running batch is 400; listing after or
before an unknown batch is 404; a full queue is 429 in the Message Batches API, and fails a batch created from a file.
"""

from __future__ import annotations

import secrets
import string
from typing import TYPE_CHECKING

from msgspec.structs import replace

from local.provider.batches.batch import Batch, Dialect
from local.provider.batches.file_fields import LineFault
from local.provider.batches.prompt_cache import PromptCache
from local.provider.errors import ApiError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from local.provider.batches.file_fields import FileFields
    from local.provider.batches.request import BatchRequest
    from local.provider.settings import Settings

_ALPHABET = string.ascii_letters + string.digits


class BatchStore:
    """All batches of the workspace, in order of creation."""

    def __init__(self) -> None:
        """Start empty."""
        self._by_id: dict[str, Batch] = {}
        self.created = 0
        self._prompt_cache = PromptCache()

    def __iter__(self) -> Iterator[Batch]:
        """Iterate over the batches that were not deleted, oldest first."""
        return iter(self._by_id.values())

    def create(
        self, requests: Sequence[BatchRequest], settings: Settings, now: float, file_fields: FileFields | None = None,
        betas: frozenset[str] = frozenset(),
    ) -> Batch:  # fmt: skip
        """Create a batch. A full queue raises `ApiError` 429, or fails a batch created from a file."""
        if not (file_fields and file_fields.faults) and self._is_full(len(requests), settings.queue_limit, now):
            message = f"This batch would exceed your limit of {settings.queue_limit} enqueued batch requests."
            if file_fields is None:
                raise ApiError(429, message)
            file_fields.faults.append(LineFault("token_limit_exceeded", message))
        self.created += 1
        batch = Batch(
            id=settings.batch_ids.get(self.created) or _new_id("batch_" if file_fields else "msgbatch_01"),
            number=self.created,
            requests=[self._sent(request, now) for request in requests],
            settings=settings,
            created_at=now,
            file_fields=file_fields,
            betas=betas,
        )
        batch.plan_end(settings.seconds_of(batch.number), now)
        self._by_id[batch.id] = batch
        return batch

    def get(self, batch_id: str, dialect: Dialect = "messages") -> Batch:
        """Return a batch of one API; raises `ApiError` 404."""
        batch = self._by_id.get(batch_id)
        if batch is None or batch.dialect != dialect:
            raise _not_found(batch_id)
        return batch

    def delete(self, batch_id: str, now: float) -> None:
        """Delete an ended batch; raises `ApiError` 400 while it runs."""
        if not self.get(batch_id).ended(now):
            raise ApiError(400, f"Batch {batch_id} cannot be deleted: cancel it and wait for its end.")
        del self._by_id[batch_id]

    def page(
        self, limit: int, after_id: str | None, before_id: str | None = None, *, dialect: Dialect = "messages"
    ) -> tuple[list[Batch], bool]:
        """Return a page, newest first, and whether there is more in its direction; counts as one listing."""
        batches = [batch for batch in reversed(self._by_id.values()) if batch.dialect == dialect]
        listed = [batch for batch in batches if batch.hidden_listings == 0]
        for batch in batches:
            batch.hidden_listings = max(0, batch.hidden_listings - 1)
        if before_id is not None:
            newer = listed[: _index(listed, before_id)]
            return newer[-limit:], len(newer) > limit
        older = listed if after_id is None else listed[_index(listed, after_id) + 1 :]
        return older[:limit], len(older) > limit

    def _sent(self, request: BatchRequest, now: float) -> BatchRequest:
        """Return the request with what it writes to the cache of prompts and reads from it."""
        if not request.prefixes:
            return request
        return replace(request, prefixes=(), cached=self._prompt_cache.use(request.prefixes, now))

    def _is_full(self, added: int, limit: int | None, now: float) -> bool:
        queued = sum(len(batch.requests) for batch in self if not (batch.failed or batch.ended(now)))
        return limit is not None and queued + added > limit


def _index(batches: list[Batch], batch_id: str) -> int:
    for index, batch in enumerate(batches):
        if batch.id == batch_id:
            return index
    raise _not_found(batch_id)


def _not_found(batch_id: str) -> ApiError:
    return ApiError(404, f"No batch {batch_id} was found.")


def _new_id(prefix: str) -> str:
    return prefix + "".join(secrets.choice(_ALPHABET) for _ in range(22))
