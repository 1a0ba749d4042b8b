"""Cutting a drop into batches the provider takes."""

from collections.abc import Iterable

import msgspec

BODY_START = b'{"requests":['
BODY_END = b"]}"

_encode = msgspec.json.Encoder().encode


class Skipped(msgspec.Struct, frozen=True):
    """An invalid line left out under `on-invalid=skip`, with its first fault."""

    line: int
    code: str
    message: str


class Batch(msgspec.Struct):
    """A contiguous range of a drop's lines; one line of `plan.jsonl`."""

    number: int
    """Counted from 1."""
    first_line: int
    first_byte: int
    last_line: int = 0
    end_byte: int = 0
    """Offset after the last line's last byte."""
    requests: int = 0
    defaulted: int = 0
    """Requests that got the default `max_tokens`."""
    body_bytes: int = len(BODY_START) + len(BODY_END)
    skipped: list[Skipped] = []


class Planner:
    """Collects lines in order and cuts them into batches within the provider's two limits."""

    def __init__(self, max_requests: int, max_bytes: int) -> None:
        """Take the limits of one batch: requests, and bytes of the request body."""
        self._max_requests = max_requests
        self._max_bytes = max_bytes
        self.batches: list[Batch] = []

    def fits_alone(self, size: int) -> bool:
        """Tell whether a request of `size` bytes fits into any batch."""
        return len(BODY_START) + size + len(BODY_END) <= self._max_bytes

    def add(self, line: int, start: int, end: int, size: int, *, defaulted: bool) -> None:
        """Add a request of `size` bytes as sent, from bytes `start` to `end` of the drop."""
        batch = self._current(line, start)
        comma = 1 if batch.requests else 0
        if batch.requests == self._max_requests or batch.body_bytes + comma + size > self._max_bytes:
            batch = self._next(line, start)
            comma = 0
        batch.requests += 1
        batch.defaulted += defaulted
        batch.body_bytes += comma + size
        batch.last_line, batch.end_byte = line, end

    def skip(self, line: int, start: int, end: int, code: str, message: str) -> None:
        """Add a line that is not sent."""
        batch = self._current(line, start)
        batch.skipped.append(Skipped(line, code, message))
        batch.last_line, batch.end_byte = line, end

    def _current(self, line: int, start: int) -> Batch:
        return self.batches[-1] if self.batches else self._next(line, start)

    def _next(self, line: int, start: int) -> Batch:
        self.batches.append(Batch(len(self.batches) + 1, line, start, skipped=[]))
        return self.batches[-1]


def encode_plan(batches: Iterable[Batch]) -> bytes:
    """Return a plan as it is kept: a line per batch."""
    return b"".join(_encode(batch) + b"\n" for batch in batches)


def decode_plan(data: bytes) -> list[Batch]:
    """Return the batches of a plan."""
    return msgspec.json.decode(b"[" + b",".join(data.splitlines()) + b"]", type=list[Batch])
