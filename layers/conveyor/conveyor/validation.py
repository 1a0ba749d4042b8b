"""The whole drop is checked before anything of it is sent."""

from collections.abc import Iterable, Iterator
from hashlib import blake2b, sha256

import msgspec
from msgspec.structs import replace

from conveyor import keys
from conveyor.drop import nonce, wire_id
from conveyor.line import Fault, Request, read_request, wire_request
from conveyor.lines import Line, read_lines
from conveyor.output import OutputFile
from conveyor.plan import Checked, Plan, Planner, Skipped
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
        self._digest = sha256()

    @property
    def gave_up(self) -> bool:
        """True when there are more faults than are worth telling; the rest of the drop is then not read."""
        return len(self.faults) > MOST_FAULTS

    def add(self, line: Line) -> None:
        """Check a line that is not blank."""
        self.lines += 1
        request = read_request(line, self._settings.default_max_tokens)
        faults = self._admit(line, request) if isinstance(request, Request) else request
        if faults:
            self.faults += faults
            first = faults[0]
            skipped = Skipped(line.number, first.custom_id, first.code, first.message)
            self._planner.skip(skipped, line.start, line.end)

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

    def digested(self, chunks: Iterable[bytes]) -> Iterator[bytes]:
        """Pass the drop's bytes on, and take their checksum."""
        for chunk in chunks:
            self._digest.update(chunk)
            yield chunk

    @property
    def sha256(self) -> str:
        """The checksum of all bytes so far."""
        return self._digest.hexdigest()

    def wire(self, line: Line, request: Request) -> bytes:
        """Return a request as it will be sent."""
        default = None if request.has_max_tokens else self._settings.default_max_tokens
        return wire_request(wire_id(self._nonce, line.number), request.params, default)


def validate(turn: Turn) -> None:
    """Read the whole drop and write down either its plan or its refusal."""
    if reason := _unread(turn.run) or _seen_before(turn):
        _refuse(turn, *reason)
        return
    check = _read(turn.run, turn.storage)
    file = _write_faults(turn, check) if check.faults else None
    if reason := _reason(check, turn.run.settings):
        _refuse(turn, *reason, check, file)
    else:
        checked = Checked(check.lines, check.sha256, len(check.faults), file)
        turn.ledger.write_plan(Plan(checked, check.batches))


def _write_faults(turn: Turn, check: Check) -> OutputFile:
    with turn.storage.writer(keys.invalid(turn.run.name, turn.run.run)) as writer:
        for fault in check.faults[:MOST_FAULTS]:
            writer.write(_encode(fault) + b"\n")
    return writer.account()


def _refuse(turn: Turn, code: str, message: str, check: Check | None = None, file: OutputFile | None = None) -> None:
    refusal = Refusal(turn.invocation.writer, turn.now(), code, message, faults_file=file)
    if check is not None and not check.gave_up:
        refusal = replace(refusal, lines=check.lines, faults=len(check.faults))
    turn.ledger.write_refusal(refusal)


def _unread(run: Run) -> tuple[str, str] | None:
    """Return why a drop is refused without being read."""
    limit = run.settings.max_bytes_per_batch
    if run.problem:
        return "unreadable", run.problem
    if run.drop.bytes > _LARGEST_DROP * limit:
        return "too-large", f"the drop has {run.drop.bytes:,} bytes; a batch takes {limit:,}: split it"
    return None


def _seen_before(turn: Turn) -> tuple[str, str] | None:
    """Return why bytes that were dropped before are not paid for again: an edit of metadata drops them, too."""
    other = turn.ledger.claim_content(turn.run.drop.content)
    if other is None or turn.run.drop.is_meant_again:
        return None
    return "seen-before", f"the same bytes under this key are run {other} already"


def _read(run: Run, storage: Storage) -> Check:
    check = Check(run.run, run.settings)
    for line in read_lines(check.digested(storage.stream(run.drop))):
        check.add(line)
        if check.gave_up:
            break
    return check


def _reason(check: Check, settings: Settings) -> tuple[str, str] | None:
    """Return why a checked drop is refused as a whole, with what to do about it."""
    if check.gave_up:
        message = f"there are more than {MOST_FAULTS:,} faults; the rest of the drop was not checked"
        return "invalid-lines", message
    if check.faults and settings.on_invalid == "refuse":
        return "invalid-lines", "some lines are invalid: correct them, or skip them with --metadata on-invalid=skip"
    if not check.requests:
        return "no-requests", "the drop holds no request that could be sent"
    if check.requests > settings.max_requests_per_drop:
        limit = settings.max_requests_per_drop
        message = f"the drop holds {check.requests:,} requests; the stack's MaxRequestsPerDrop is {limit:,}: split it"
        return "too-many-requests", message
    return None


def _digest(custom_id: str) -> bytes:
    """Return 16 bytes that stand for an id: of a cryptographic hash, so that no two ids share them."""
    return blake2b(custom_id.encode(), digest_size=16).digest()
