"""Every rule that a drop must keep, and the plan of one that keeps them. Memory grows by some bytes a request."""

from collections.abc import Callable, Iterable

from conveyor.domain.dialect import Dialect
from conveyor.domain.findings import Fault
from conveyor.domain.plan import Skipped
from conveyor.jsonl.lines import Line, LineBlock, is_blank, lines_in, read_blocks, split_block
from conveyor.settings.settings import Settings
from conveyor.validation.duplicate_ids import Hashes, Ids, Recall, Suspects
from conveyor.validation.fast_path import Glance, Glancer
from conveyor.validation.params import Rules
from conveyor.validation.planner import Limits, Planner, RequestGroup
from conveyor.validation.request_body import Envelope
from conveyor.validation.rules import Request, read_request

MOST_FAULTS = 10_000
MOST_MODEL_CHANGES = 100
"""Batches that may end because another model follows, where a batch holds one model only: each is a run of the loop."""
RECALL = Recall()


class Check:
    """What one pass over a drop finds."""

    def __init__(
        self, run: str, settings: Settings, dialect: Dialect, ids: Ids, most_faults: int = MOST_FAULTS
    ) -> None:
        """Take the settings in force, the provider's dialect, and what tells an id that was used before."""
        self._settings = settings
        self._dialect = dialect
        self._rules = Rules.of(settings.default_max_tokens, dialect)
        self._envelope = Envelope(dialect.form, run, settings.default_max_tokens)
        self._ids = ids
        self._glancer = Glancer(one_model=dialect.one_model)
        self._most_faults = most_faults
        self._limits = Limits.of(settings, dialect)
        self._planner = Planner(self._limits, dialect.form.around)
        self.batches = self._planner.batches
        self.faults: list[Fault] = []
        self.lines = 0
        """Lines that are not blank."""
        self.requests = 0

    @property
    def gave_up(self) -> bool:
        """True when there are more faults than are worth telling; the rest of the drop is then not read."""
        return len(self.faults) > self._most_faults

    @property
    def alternates(self) -> bool:
        """True when the models alternate too often for batches of one model each; the rest is then only counted."""
        return self._planner.changes > MOST_MODEL_CHANGES

    def read(self, chunks: Iterable[bytes]) -> None:
        """Check all lines: many at a glance where that suffices, one by one elsewhere."""
        number = 1
        for block in read_blocks(chunks):
            passed = self._pass_over(block, number)
            if not passed:
                for line in split_block(block, number):
                    self._add(line)
                    if self.gave_up:
                        return
            number += passed or lines_in(block)

    def _pass_over(self, block: LineBlock, number: int) -> int:
        """Plan the lines of a stretch if all are beyond doubt, fit, and repeat no id; return how many it took."""
        if is_blank(block):
            return lines_in(block)
        seen = self._glancer.glance(block)
        if seen is None or not self._keeps_rules(seen):
            return 0
        count = len(seen.custom_ids)
        group = self._group_of_block(block, number, seen)
        most = self._settings.max_requests_per_drop
        is_counted_only = self.requests >= most or self.alternates
        is_admitted = not is_counted_only and self.requests + count <= most and self._planner.has_room(group)
        if not ((is_counted_only or is_admitted) and self._ids.pass_over(seen.custom_ids)):
            return 0
        if is_admitted:
            self._planner.add(group)
        self.lines += count
        self.requests += count
        return count

    def _keeps_rules(self, seen: Glance) -> bool:
        """Tell whether requests seen at a glance surely keep this dialect's rules, too."""
        lacks_tokens = self._dialect.is_message and seen.without_max_tokens and not self._settings.default_max_tokens
        return not lacks_tokens and not any(map(seen.may_give, self._dialect.refused_fields))

    def _add(self, line: Line) -> None:
        self.lines += 1
        request = read_request(line, self._rules)
        faults = self._admit(line, request) if isinstance(request, Request) else request
        if faults:
            self.faults += faults
            first = faults[0]
            skipped = Skipped(line.number, first.custom_id, first.code, first.message)
            self._planner.skip(skipped, line.start, line.end)

    def _admit(self, line: Line, request: Request) -> list[Fault]:
        """Plan a good line, unless it repeats an id or cannot be sent at all."""
        first = self._ids.first_line(str(request.custom_id), line.number)
        self.requests += 1
        if self.requests > self._settings.max_requests_per_drop or self.alternates:
            return []  # refused as a whole: only count on
        group = self._group_of_line(line, request)
        if first is not None:
            code, message = "custom-id-duplicate", f'"custom_id" is already used on line {first}'
        elif not self._planner.fits_alone(group.size):
            limit = self._limits.bytes
            code, message = "request-too-large", f"the request has {group.size:,} bytes; a batch takes {limit:,}"
        else:
            self._planner.add(group)
            return []
        self.requests -= 1
        return [Fault(line.number, line.start, request.custom_id, code, message)]

    def _group_of_line(self, line: Line, request: Request) -> RequestGroup:
        defaulted = int(self._dialect.is_message and request.max_tokens is None)
        tokens = self._settings.default_max_tokens if request.max_tokens is None else request.max_tokens
        params = len(request.params) + self._envelope.growth(request.params)
        size = self._envelope.size(line.number, line.number, params, defaulted)
        model = request.model if self._dialect.one_model else ""
        nulled = int(request.has_nulls)
        return RequestGroup(line.number, line.number, line.start, line.end, 1, size, tokens, defaulted, model, nulled)

    def _group_of_block(self, block: LineBlock, number: int, seen: Glance) -> RequestGroup:
        count, defaulted = len(seen.custom_ids), seen.without_max_tokens * self._dialect.is_message
        last = number + count - 1
        end = block.start + block.end - block.begin - 1
        size = self._envelope.size(number, last, seen.params_bytes + self._growth(block, seen), defaulted)
        tokens = seen.max_tokens + seen.without_max_tokens * self._settings.default_max_tokens
        return RequestGroup(number, last, block.start, end, count, size, tokens, defaulted, seen.model)

    def _growth(self, block: LineBlock, seen: Glance) -> int:
        """Return how many bytes longer the params of some lines are when they are sent: ids are not sent at all."""
        lines = self._envelope.growth((block.data or b"")[block.begin : block.end])
        return lines and lines - self._envelope.growth("".join(seen.custom_ids).encode())


def check_drop(  # noqa: PLR0913, PLR0917  # the last two are for tests
    run: str,
    settings: Settings,
    dialect: Dialect,
    read: Callable[[], Iterable[bytes]],
    recall: Recall = RECALL,
    most_faults: int = MOST_FAULTS,
) -> Check:
    """Check a whole drop, which `read` reads once, and once more only if ids seem to repeat.

    What is found is what one pass would find that remembered every id.
    """
    # Ids are looked at until there are too many requests, each of them after at most so many faults.
    hashes = Hashes(settings.max_requests_per_drop + most_faults + 1, recall)
    check = Check(run, settings, dialect, hashes, most_faults)
    check.read(read())
    for most in (most_faults + 1, None):
        suspects = Suspects(hashes.repeated(most), recall)
        if not suspects.are_any:
            return check
        check = Check(run, settings, dialect, suspects, most_faults)
        check.read(read())
        if not suspects.misled:  # so the faults end the pass before the first id that was not suspected
            break
    return check
