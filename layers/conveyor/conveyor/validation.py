"""The whole drop is checked before anything of it is sent."""

from hashlib import blake2b

import msgspec
from msgspec.structs import replace

from conveyor import keys
from conveyor.drop import nonce, wire_id
from conveyor.line import Fault, Request, read_request, wire_request
from conveyor.lines import Line, read_lines
from conveyor.plan import Planner, encode_plan
from conveyor.records import Refusal, Run
from conveyor.settings import Settings
from conveyor.storage import Storage
from conveyor.turn import Turn

MOST_FAULTS = 10_000
_LARGEST_DROP = 4
"""Times the largest batch: a drop beyond this cannot be one batch, and is refused without being read."""

_encode = msgspec.json.Encoder().encode


class Check:
    """What one pass over a drop finds. Holds 16 bytes (and Python's own) per request, and at most 10,000 faults."""

    def __init__(self, run: str, settings: Settings) -> None:
        """Take the settings in force."""
        self._settings = settings
        self._nonce = nonce(run)
        self._planner = Planner(settings.max_requests_per_batch, settings.max_bytes_per_batch)
        self._lines_by_id: dict[bytes, int] = {}
        self.batches = self._planner.batches
        self.faults: list[Fault] = []
        self.lines = 0
        self.requests = 0

    @property
    def gave_up(self) -> bool:
        """True when there are more faults than are worth telling."""
        return len(self.faults) >= MOST_FAULTS

    def add(self, line: Line) -> None:
        """Check a line that is not blank."""
        self.lines += 1
        request = read_request(line, self._settings.default_max_tokens)
        faults = self._admit(line, request) if isinstance(request, Request) else request
        if faults:
            self.faults += faults
            self._planner.skip(line.number, line.start, line.end, faults[0].code, faults[0].message)

    def _admit(self, line: Line, request: Request) -> list[Fault]:
        """Plan a good line, unless it repeats an id or cannot be sent at all."""
        self.requests += 1
        if self.requests > self._settings.max_requests_per_drop:
            return []  # refused as a whole: only count on
        size = len(self.wire(line, request))
        first = self._lines_by_id.setdefault(_digest(request.custom_id), line.number)
        if first != line.number:
            code, message = "custom-id-duplicate", f'"custom_id" is already used on line {first}'
        elif not self._planner.fits_alone(size):
            limit = self._settings.max_bytes_per_batch
            code, message = "request-too-large", f"the request has {size:,} bytes; a batch takes {limit:,}"
        else:
            self._planner.add(line.number, line.start, line.end, size, defaulted=not request.has_max_tokens)
            return []
        self.requests -= 1
        return [Fault(line.number, line.start, request.custom_id, code, message)]

    def wire(self, line: Line, request: Request) -> bytes:
        """Return a request as it will be sent."""
        default = None if request.has_max_tokens else self._settings.default_max_tokens
        return wire_request(wire_id(self._nonce, line.number), request.params, default)


def validate(turn: Turn) -> None:
    """Read the whole drop and write down either its plan or its refusal."""
    if reason := _unread(turn.run):
        _refuse(turn, *reason)
        return
    check = _read(turn.run, turn.storage)
    if check.faults:
        data = b"".join(_encode(fault) + b"\n" for fault in check.faults[:MOST_FAULTS])
        turn.storage.put(keys.invalid(turn.run.name, turn.run.run), data)
    if reason := _reason(check, turn.run.settings):
        _refuse(turn, *reason, check)
    else:
        turn.ledger.write_plan(encode_plan(check.batches))


def _refuse(turn: Turn, code: str, message: str, check: Check | None = None) -> None:
    refusal = Refusal(turn.invocation.writer, turn.now(), code, message)
    if check is not None:
        faults = min(len(check.faults), MOST_FAULTS)
        refusal = replace(refusal, lines=check.lines, faults=faults, faults_complete=not check.gave_up)
    turn.ledger.write_refusal(refusal)


def _unread(run: Run) -> tuple[str, str] | None:
    """Return why a drop is refused without being read."""
    largest = _LARGEST_DROP * run.settings.max_bytes_per_batch
    if run.problem:
        return "unreadable", run.problem
    if run.drop.bytes > largest:
        return "too-large", f"the drop has {run.drop.bytes:,} bytes; the limit is {largest:,}: split it"
    return None


def _read(run: Run, storage: Storage) -> Check:
    check = Check(run.run, run.settings)
    for line in read_lines(storage.stream(run.drop)):
        check.add(line)
        if check.gave_up:
            break
    return check


def _reason(check: Check, settings: Settings) -> tuple[str, str] | None:
    """Return why a checked drop is refused as a whole, with what to do about it."""
    if check.faults and settings.on_invalid == "refuse":
        return "invalid-lines", "some lines are invalid: correct them, or skip them with --metadata on-invalid=skip"
    if check.gave_up:
        return "invalid-lines", f"there are at least {MOST_FAULTS:,} faults: too many to skip"
    if not check.requests:
        return "no-requests", "the drop holds no request that could be sent"
    if check.requests > settings.max_requests_per_drop:
        limit = settings.max_requests_per_drop
        message = f"the drop holds {check.requests:,} requests; the stack's MaxRequestsPerDrop is {limit:,}"
        return "too-many-requests", message
    if len(check.batches) > 1:
        limits = f"{settings.max_requests_per_batch:,} requests and {settings.max_bytes_per_batch:,} bytes"
        return "too-large", f"the drop does not fit into one batch of at most {limits}: split it"
    return None


def _digest(custom_id: str) -> bytes:
    """Return 16 bytes that stand for an id: of a cryptographic hash, so that no two ids share them."""
    return blake2b(custom_id.encode(), digest_size=16).digest()
