"""Cutting a drop into batches the provider takes."""

import msgspec

from conveyor.output import OutputFile

BODY_START = b'{"requests":['
BODY_END = b"]}"

_encode = msgspec.json.Encoder().encode


class Skipped(msgspec.Struct, frozen=True):
    """An invalid line left out under `on-invalid=skip`: its id as far as it could be read, and its first fault."""

    line: int
    custom_id: str | None
    code: str
    message: str


class Batch(msgspec.Struct):
    """A contiguous range of a drop's lines; a line of `plan.jsonl` after the first."""

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


class Checked(msgspec.Struct, frozen=True):
    """What validation found in a drop that may be sent; the first line of `plan.jsonl`."""

    lines: int
    """Lines that are not blank."""
    sha256: str
    """Of all bytes of the drop."""
    faults: int = 0
    """Faults of the lines left out."""
    faults_file: OutputFile | None = None
    """`invalid.jsonl`, where lines are left out."""


class Plan(msgspec.Struct, frozen=True):
    """A checked drop and the batches it is cut into."""

    checked: Checked
    batches: list[Batch]

    def batch(self, number: int) -> Batch:
        """Return a batch by its number."""
        return self.batches[number - 1]


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

    def skip(self, skipped: Skipped, start: int, end: int) -> None:
        """Add a line that is not sent."""
        batch = self._current(skipped.line, start)
        batch.skipped.append(skipped)
        batch.last_line, batch.end_byte = skipped.line, end

    def _current(self, line: int, start: int) -> Batch:
        return self.batches[-1] if self.batches else self._next(line, start)

    def _next(self, line: int, start: int) -> Batch:
        self.batches.append(Batch(len(self.batches) + 1, line, start, skipped=[]))
        return self.batches[-1]


def encode_plan(plan: Plan) -> bytes:
    """Return a plan as it is kept."""
    return b"".join(_encode(line) + b"\n" for line in (plan.checked, *plan.batches))


def decode_plan(data: bytes) -> Plan:
    """Return a plan that was kept."""
    checked, *batches = data.splitlines()
    decoded = [msgspec.json.decode(batch, type=Batch) for batch in batches]
    return Plan(msgspec.json.decode(checked, type=Checked), decoded)
