"""Cutting a drop into batches the provider takes."""

from typing import NamedTuple, Self

from conveyor.domain.dialect import Dialect
from conveyor.domain.plan import Batch, Skipped
from conveyor.settings.settings import Settings

MOST_SPAN = 512_000_000
"""Bytes, some 10 s of reading. Beyond it lie blank or skipped lines: a provider would wait in vain for what follows."""


class RequestGroup(NamedTuple):
    """Requests on lines next to each other: their place in the drop, and what they add to a batch."""

    first_line: int
    last_line: int
    start: int
    end: int
    """Their lines' bytes in the drop."""
    requests: int
    size: int
    """Bytes as sent, and of what separates them."""
    max_tokens: int
    defaulted: int
    """Requests in which the default `max_tokens` are put."""
    model: str = ""
    """Of all of them, where a batch holds one model only; else empty."""
    nulled: int = 0
    """Requests from which fields that are null were taken."""


class Limits(NamedTuple):
    """What one batch may have."""

    requests: int
    bytes: int
    """Of the request body."""
    max_tokens: int
    """Sum over its requests."""
    span: int = MOST_SPAN
    """Of the drop, from its first line's first byte to its last line's last: what is read while it is sent."""

    @classmethod
    def of(cls, settings: Settings, dialect: Dialect) -> Self:
        """Return the limits in force: the dialect's where the stack sets none, and never more than the queue takes."""
        requests = settings.max_requests_per_batch or dialect.max_requests
        size = settings.max_bytes_per_batch or dialect.max_bytes
        return cls(min(requests, settings.max_queued_requests), size, settings.max_tokens_per_batch)


class Planner:
    """Collects lines in order and cuts them into contiguous batches, each as large as its limits allow."""

    def __init__(self, limits: Limits, around: int) -> None:
        """Take the limits of one batch, and how many bytes a body has beside its requests."""
        self._limits = limits
        self._around = around
        self._none = Batch(0, 0, 0, body_bytes=around)
        self.batches: list[Batch] = []
        self.changes = 0
        """How often a batch ended because another model followed."""

    def fits_alone(self, size: int) -> bool:
        """Tell whether a request of `size` bytes fits into any batch."""
        return self._around + size <= self._limits.bytes

    def has_room(self, group: RequestGroup) -> bool:
        """Tell whether the batch that was begun takes them all: then it takes them one by one, too."""
        batch = self.batches[-1] if self.batches else self._none
        return (
            batch.requests + group.requests <= self._limits.requests
            and batch.body_bytes + 1 + group.size <= self._limits.bytes
            and batch.max_tokens + group.max_tokens <= self._limits.max_tokens
            and group.end - batch.first_byte <= self._limits.span
            and (batch.model == group.model or not batch.requests)
        )

    def add(self, group: RequestGroup) -> None:
        """Add one request, or more for which there is room; it begins another batch where there is none for it.

        A request whose `max_tokens` alone are beyond the limit stands alone: it must be sent all the same.
        """
        batch = self._current(group.first_line, group.start)
        if batch.requests and not self.has_room(group):
            self.changes += batch.model != group.model
            batch = self._next(group.first_line, group.start)
        batch.model = group.model
        batch.body_bytes += group.size + bool(batch.requests)
        batch.requests += group.requests
        batch.max_tokens += group.max_tokens
        batch.defaulted += group.defaulted
        batch.nulled += group.nulled
        batch.last_line, batch.end_byte = group.last_line, group.end

    def skip(self, skipped: Skipped, start: int, end: int) -> None:
        """Add a line that is not sent."""
        batch = self._current(skipped.line, start)
        batch.skipped.append(skipped)
        batch.last_line, batch.end_byte = skipped.line, end

    def _current(self, line: int, start: int) -> Batch:
        return self.batches[-1] if self.batches else self._next(line, start)

    def _next(self, line: int, start: int) -> Batch:
        self.batches.append(Batch(len(self.batches) + 1, line, start, body_bytes=self._around, skipped=[]))
        return self.batches[-1]
