"""Cut a drop into batches that the provider accepts."""

from decimal import Decimal
from typing import NamedTuple, Self

from conveyor.domain.dialect import Dialect
from conveyor.domain.plan import Batch, Skipped
from conveyor.jsonl.lines import Line, LineBlock
from conveyor.money.estimate import Meter
from conveyor.settings.settings import Settings
from conveyor.validation.batch_body import Envelope
from conveyor.validation.fast_path import FastPathResult
from conveyor.validation.rules import Request

MOST_SPAN = 512_000_000
"""Bytes, about 10 s of reading. A longer span contains blank or skipped lines, and the provider's connection would time
out."""


class RequestGroup(NamedTuple):
    """Requests on consecutive lines: their place in the drop, and what they add to a batch."""

    first_line: int
    last_line: int
    start: int
    end: int
    """Byte offsets of their lines in the drop."""
    requests: int
    size: int
    """Bytes as sent, with separators."""
    max_tokens: int
    defaulted: int
    """Requests that get the default `max_tokens`."""
    model: str = ""
    """The model of all of them, if a batch holds one model only; otherwise empty."""
    nulled: int = 0
    """Requests from which fields that are null are removed."""


class Groups:
    """Finds out what requests add to a batch of one run."""

    def __init__(self, run: str, settings: Settings, dialect: Dialect) -> None:
        """`run`: the name from which the ids of its requests are made."""
        self._dialect = dialect
        self._default = settings.default_max_tokens
        self._envelope = Envelope(dialect.form, run, self._default)

    def of_line(self, line: Line, request: Request) -> RequestGroup:
        """Return what one request adds."""
        defaulted = int(self._dialect.is_message and request.max_tokens is None)
        max_tokens = self._default if request.max_tokens is None else request.max_tokens
        params = len(request.params) + self._envelope.growth(request.params)
        size = self._envelope.size(line.number, line.number, params, defaulted)
        model = request.model if self._dialect.one_model else ""
        nulled = int(request.has_nulls)
        return RequestGroup(
            line.number, line.number, line.start, line.end, 1, size, max_tokens, defaulted, model, nulled
        )

    def of_block(self, block: LineBlock, number: int, result: FastPathResult) -> RequestGroup:
        """Return what all lines of a block add. `number`: of its first line."""
        count, defaulted = len(result.custom_ids), result.without_max_tokens * self._dialect.is_message
        last = number + count - 1
        end = block.start + block.end - block.begin - 1
        size = self._envelope.size(number, last, result.params_bytes + self._growth(block, result), defaulted)
        max_tokens = result.max_tokens + result.without_max_tokens * self._default
        return RequestGroup(number, last, block.start, end, count, size, max_tokens, defaulted, result.model)

    def _growth(self, block: LineBlock, result: FastPathResult) -> int:
        """Return how many bytes longer the params become when sent. The user's ids are not sent."""
        lines = self._envelope.growth((block.data or b"")[block.begin : block.end])
        return lines and lines - self._envelope.growth("".join(result.custom_ids).encode())


class Limits(NamedTuple):
    """The limits for one batch."""

    requests: int
    bytes: int
    """Of the request body."""
    max_tokens: int
    """Sum over its requests."""
    span: int = MOST_SPAN
    """Bytes of the drop from a batch's first line to its last, all of which are read while it is sent."""

    @classmethod
    def of(cls, settings: Settings, dialect: Dialect) -> Self:
        """Return the stack's limits, or the dialect's where the stack sets none; at most what fits the queue."""
        requests = settings.max_requests_per_batch or dialect.max_requests
        size = settings.max_bytes_per_batch or dialect.max_bytes
        return cls(min(requests, settings.max_queued_requests), size, settings.max_tokens_per_batch)


class Planner:
    """Collects lines in order and cuts them into contiguous batches, each as large as its limits allow."""

    def __init__(self, limits: Limits, around: int) -> None:
        """`around`: bytes of a body besides its requests and their separators."""
        self._limits = limits
        self._around = around
        self._none = Batch(0, 0, 0, body_bytes=around)
        self.batches: list[Batch] = []
        self.changes = 0
        """How many batches ended because the model changed."""

    def fits_alone(self, size: int) -> bool:
        """Return whether a request of `size` bytes fits into an empty batch."""
        return self._around + size <= self._limits.bytes

    def has_room(self, group: RequestGroup) -> bool:
        """Return whether the current batch has room for the whole group."""
        batch = self.batches[-1] if self.batches else self._none
        return (
            batch.requests + group.requests <= self._limits.requests
            and batch.body_bytes + 1 + group.size <= self._limits.bytes
            and batch.max_tokens + group.max_tokens <= self._limits.max_tokens
            and group.end - batch.first_byte <= self._limits.span
            and (batch.model == group.model or not batch.requests)
        )

    def add(self, group: RequestGroup) -> None:
        """Add one request, or a group for which there is room; begins another batch if the current one is full.

        A request whose `max_tokens` alone exceed the limit gets a batch of its own.
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


class PricedPlanner(Planner):
    """Also notes what each batch can cost at most: what the meter counts while requests are added to it."""

    def __init__(self, limits: Limits, around: int, meter: Meter) -> None:
        """`meter`: the requests of a group are added to it after the group is planned."""
        super().__init__(limits, around)
        self._meter = meter
        self._priced = Decimal(0)
        """What all batches but the last can cost at most."""

    def add(self, group: RequestGroup) -> None:
        """Add requests. If they begin another batch, note what the one before can cost at most."""
        count = len(self.batches)
        super().add(group)
        if 0 < count < len(self.batches):
            self._price(self.batches[count - 1])

    def finish(self) -> None:
        """Note what the last batch can cost at most."""
        if self.batches:
            self._price(self.batches[-1])

    def _price(self, batch: Batch) -> None:
        total = self._meter.estimate().at_most_usd
        if total is not None:
            batch.at_most_usd = total - self._priced
            self._priced = total
